// SPDX-License-Identifier: GPL-2.0

//! Give the callback data that may be gone when it runs.

use crate::golden::DelayedOperations;
use kernel::prelude::*;

#[cfg(misuse)]
pub struct Data<'a>(&'a u32);
#[cfg(not(misuse))]
pub struct Data(u32);

#[cfg(misuse)]
#[vtable]
impl<'a> DelayedOperations for Data<'a> { //~ E0478 lifetime bound not satisfied
    fn run(&self) {}
}
#[cfg(not(misuse))]
#[vtable]
impl DelayedOperations for Data {
    fn run(&self) {}
}
