// SPDX-License-Identifier: GPL-2.0

//! Make a pool without the promise that it is dropped before its device is unbound.

use crate::golden::DmaPool;
use kernel::device::{Bound, Device};

pub fn make(dev: &Device<Bound>) -> Option<DmaPool> {
    #[cfg(misuse)]
    return DmaPool::new(c"blocks", dev, 64, 64, 0); //~ E0133 is unsafe and requires unsafe
    #[cfg(not(misuse))]
    // SAFETY: The caller drops it before the device is unbound.
    return unsafe { DmaPool::new(c"blocks", dev, 64, 64, 0) };
}
