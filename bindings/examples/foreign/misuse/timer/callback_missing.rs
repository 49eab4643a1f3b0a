// SPDX-License-Identifier: GPL-2.0

//! Leave out the callback.

use crate::golden::TimerOperations;
use kernel::prelude::*;

pub struct Data;

#[vtable]
impl TimerOperations for Data { //~ E0046 not all trait items implemented
    #[cfg(not(misuse))]
    fn expired(&self) {}
}
