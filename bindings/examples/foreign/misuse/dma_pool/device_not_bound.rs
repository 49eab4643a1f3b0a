// SPDX-License-Identifier: GPL-2.0

//! Make a pool for a device that may have no driver any more.

use crate::golden::DmaPool;
use kernel::{device, prelude::*};

#[cfg(misuse)]
type Given = device::Device;
#[cfg(not(misuse))]
type Given = device::Device<device::Bound>;

pub fn make(dev: &Given) -> Option<DmaPool> {
    // SAFETY: The caller drops it before the device is unbound.
    unsafe { DmaPool::new(c"blocks", dev, 64, 64, 0) } //~ E0308 mismatched types
}
