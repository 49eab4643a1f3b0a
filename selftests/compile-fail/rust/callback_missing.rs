// SPDX-License-Identifier: GPL-2.0

//! Define a callback table without its required callback.

include!("fixture/mirror_driver.rs");

pub struct Device;

#[vtable]
impl Operations for Device { //~ E0046 not all trait items implemented, missing: `invalidate`
    #[cfg(not(misuse))]
    fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        true
    }

    fn release(_mirror: &Mirror<Self>) {}
}
