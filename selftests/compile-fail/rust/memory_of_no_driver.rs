// SPDX-License-Identifier: GPL-2.0

//! Device memory without a driver that can copy to it.

include!("fixture/unreachable.rs");

/// Not a device.
pub struct Stranger;

#[cfg(misuse)]
pub fn bytes(memory: &DeviceMemory<Stranger>) -> usize {
    //~^ E0277 the trait bound `Stranger: MemoryOperations` is not satisfied
    core::mem::size_of_val(memory) //~ E0277 is not satisfied
}

#[cfg(not(misuse))]
pub fn bytes(memory: &DeviceMemory<Device>) -> usize {
    core::mem::size_of_val(memory)
}
