// SPDX-License-Identifier: GPL-2.0

//! Give the callback data that may be gone when it runs.

use crate::golden::TimerOperations;
use kernel::prelude::*;

#[cfg(misuse)]
pub struct Data<'a>(&'a u32);
#[cfg(not(misuse))]
pub struct Data(u32);

#[cfg(misuse)]
#[vtable]
impl<'a> TimerOperations for Data<'a> { //~ E0478 lifetime bound not satisfied
    fn expired(&self) {}
}
#[cfg(not(misuse))]
#[vtable]
impl TimerOperations for Data {
    fn expired(&self) {}
}
