// SPDX-License-Identifier: GPL-2.0

//! Read what an event is about, of which only the address is known.

use crate::golden::Notified;
use core::ffi::c_void;
use kernel::prelude::*;

pub struct Data;

#[vtable]
impl Notified for Data {
    fn notified(&self, _event: usize, about: *const c_void) -> i32 {
        #[cfg(misuse)]
        return *about.cast::<i32>(); //~ E0133 is unsafe and requires unsafe
        #[cfg(not(misuse))]
        i32::from(about.is_null())
    }
}
