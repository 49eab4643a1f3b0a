// SPDX-License-Identifier: GPL-2.0

//! Move a queue, whose list refers to itself.

use crate::golden::WaitQueue;
use kernel::prelude::*;

pub fn exchange(one: Pin<&mut WaitQueue>, other: Pin<&mut WaitQueue>) {
    #[cfg(misuse)]
    core::mem::swap(one.get_mut(), other.get_mut()); //~ E0277 cannot be unpinned
    #[cfg(not(misuse))]
    drop((one, other));
}
