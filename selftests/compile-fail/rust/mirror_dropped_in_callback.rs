// SPDX-License-Identifier: GPL-2.0

//! Drop a registered mirror in its own callback.

include!("fixture/mirror_driver.rs");

pub struct Device {
    gone: bool,
}

#[vtable]
impl Operations for Device {
    fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        true
    }

    fn release(mirror: &Mirror<Self>) {
        #[cfg(misuse)]
        drop(*mirror); //~ E0507 cannot move out of `*mirror` which is behind a shared reference
        #[cfg(not(misuse))]
        {
            mirror.lock().gone = true;
        }
    }
}
