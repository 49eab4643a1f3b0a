// SPDX-License-Identifier: GPL-2.0

// What the drivers here have in common whose device memory is there for its type only.

include!("memory.rs");

/// A device that cannot be reached.
pub struct Device;

#[vtable]
impl MemoryOperations for Device {
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: Block<'_>) -> Result {
        Err(EIO)
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }
}
