// SPDX-License-Identifier: GPL-2.0

//! Leave out the callback.

use crate::golden::WorkOperations;
use kernel::prelude::*;

pub struct Data;

#[vtable]
impl WorkOperations for Data { //~ E0046 not all trait items implemented
    #[cfg(not(misuse))]
    fn run(&self) {}
}
