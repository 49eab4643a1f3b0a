// SPDX-License-Identifier: GPL-2.0

//! Copy a page of one device with the driver of another.

include!("fixture/unreachable.rs");

/// Another device.
pub struct Other;

#[vtable]
impl MemoryOperations for Other {
    fn copy(memory: &DeviceMemory<Self>, dst: Block<'_>, src: &Block<'_>) -> Result {
        #[cfg(misuse)]
        return Device::copy(memory, dst, src); //~ E0308 mismatched types
        #[cfg(not(misuse))]
        return if memory.position(&dst).found() && src.pages() > 0 {
            Err(EIO)
        } else {
            Ok(())
        };
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }
}
