// SPDX-License-Identifier: GPL-2.0

//! Load a file for a device that may have no driver any more.

use crate::golden::Firmware;
use kernel::{device, prelude::*};

#[cfg(misuse)]
type Given = device::Device;
#[cfg(not(misuse))]
type Given = device::Device<device::Bound>;

pub fn load(dev: &Given) -> Result<Firmware> {
    Firmware::new(c"blob", dev) //~ E0308 mismatched types
}
