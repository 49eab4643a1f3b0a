// SPDX-License-Identifier: GPL-2.0

//! Fault pages in from a callback under the update lock: this sleeps and takes that lock.

include!("fixture/mirror_driver.rs");

pub struct Device;

#[vtable]
impl Operations for Device {
    fn invalidate(self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        #[cfg(misuse)]
        let done = self.populate(inv.span(), Access::Read, |_, _| Ok(())).is_ok(); //~ E0599 no method named `populate`
        #[cfg(not(misuse))]
        let done = inv.span().pages() > 0;
        done
    }
}
