// SPDX-License-Identifier: GPL-2.0

//! Pages are moved of a process that may have ended.

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

#[cfg(misuse)]
type Process = Mm;
#[cfg(not(misuse))]
type Process = MmWithUser;

pub fn fill(memory: &DeviceMemory<Device>, mm: &Process, span: Span) -> Result<usize> {
    memory.migrate(mm, span, kernel::hmm::devmem::MigrateFlags::NONE) //~ E0308 mismatched types
}
