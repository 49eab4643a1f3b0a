// SPDX-License-Identifier: GPL-2.0

//! Return nothing from a callback that must report whether the device unmapped the span.

include!("fixture/mirror_driver.rs");

pub struct Device;

#[vtable]
impl Operations for Device {
    #[cfg(misuse)]
    fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) {} //~ E0053 incompatible type for trait
    #[cfg(not(misuse))]
    fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        true
    }
}
