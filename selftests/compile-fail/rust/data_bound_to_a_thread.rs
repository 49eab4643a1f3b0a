// SPDX-License-Identifier: GPL-2.0

//! Mirror data that is not Send: any thread may invalidate it.

include!("fixture/mirror_driver.rs");

pub struct Device {
    #[cfg(misuse)]
    entries: *mut usize,
    #[cfg(not(misuse))]
    entries: KVec<usize>,
}

#[vtable]
impl Operations for Device { //~ E0277 cannot be sent between threads safely
    fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        true
    }
}
