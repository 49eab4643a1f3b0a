// SPDX-License-Identifier: GPL-2.0

//! Physical addresses that belong to something else become memory of processes.

include!("fixture/unreachable.rs");

pub fn add(memory: &DeviceMemory<Device>) -> Result {
    #[cfg(misuse)]
    memory.add_at(0xfee0_0000, 2 << 20, core::ptr::null())?; //~ E0133 call to unsafe function
    memory.add(2 << 20, core::ptr::null())
}
