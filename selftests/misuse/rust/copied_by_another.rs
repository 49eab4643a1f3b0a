// SPDX-License-Identifier: GPL-2.0

//! A page of one device is copied by the driver of another.

include!("common/memory.rs");

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

/// Another device.
pub struct Other;

#[vtable]
impl MemoryOperations for Other {
    fn copy(memory: &DeviceMemory<Self>, dst: Block<'_>, src: Block<'_>) -> Result {
        #[cfg(misuse)]
        return Device::copy(memory, dst, src); //~ E0308 mismatched types
        #[cfg(not(misuse))]
        return if memory.place(&dst).here() && src.pages() > 0 {
            Err(EIO)
        } else {
            Ok(())
        };
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }
}
