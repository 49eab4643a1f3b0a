// SPDX-License-Identifier: GPL-2.0

//! Keep an invalidation after the callback has returned.

include!("fixture/mirror_driver.rs");

pub struct Device {
    #[cfg(misuse)]
    last: Option<&'static Invalidation>,
    #[cfg(not(misuse))]
    last: Option<Span>,
}

#[vtable]
impl Operations for Device { //~ E0277 cannot be shared between threads safely
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        #[cfg(misuse)]
        self.last.replace(inv); //~ E0521 borrowed data escapes outside of
        #[cfg(not(misuse))]
        self.last.replace(inv.span());
        true
    }
}
