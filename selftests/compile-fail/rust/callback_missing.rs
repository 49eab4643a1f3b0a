// SPDX-License-Identifier: GPL-2.0

//! A table of callbacks lacks the one that is required.

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
