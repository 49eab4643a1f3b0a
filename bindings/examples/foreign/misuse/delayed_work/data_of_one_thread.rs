// SPDX-License-Identifier: GPL-2.0

//! Give the callback, which runs on any thread, data that belongs to one.

use crate::golden::DelayedOperations;
use kernel::prelude::*;

pub struct Data {
    #[cfg(misuse)]
    _counter: *mut u32,
    #[cfg(not(misuse))]
    _counter: u32,
}

#[vtable]
impl DelayedOperations for Data { //~ E0277 cannot be sent between threads safely
    fn run(&self) {}
}
