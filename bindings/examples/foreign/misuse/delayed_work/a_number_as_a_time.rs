// SPDX-License-Identifier: GPL-2.0

//! Take any number for a time in jiffies.

use crate::golden::{DelayedOperations, DelayedWork};
use kernel::time::msecs_to_jiffies;

pub fn queue<T: DelayedOperations>(work: &DelayedWork<T>) {
    #[cfg(misuse)]
    work.schedule(-1); //~ E0600 cannot apply unary operator `-`
    work.schedule(msecs_to_jiffies(10));
}
