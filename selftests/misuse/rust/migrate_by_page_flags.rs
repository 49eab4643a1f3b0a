// SPDX-License-Identifier: GPL-2.0

//! What a page allows is taken for how to migrate.

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

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    #[cfg(misuse)]
    return memory.migrate(mm, span, PfnFlags::WRITE); //~ E0308 mismatched types
    #[cfg(not(misuse))]
    return memory.migrate(mm, span, kernel::hmm::devmem::MigrateFlags::NONE);
}
