// SPDX-License-Identifier: GPL-2.0

//! Whether pages moved is not looked at.

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

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result {
    #[cfg(misuse)]
    memory.migrate(mm, span, kernel::hmm::devmem::MigrateFlags::NONE); //~ - unused `core::result::Result` that must be used
    #[cfg(not(misuse))]
    memory.migrate(mm, span, kernel::hmm::devmem::MigrateFlags::NONE)?;
    Ok(())
}
