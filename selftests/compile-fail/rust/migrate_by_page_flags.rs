// SPDX-License-Identifier: GPL-2.0

//! What a page allows is taken for how to migrate.

include!("fixture/unreachable.rs");

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    #[cfg(misuse)]
    return memory.migrate(mm, span, PfnFlags::WRITE); //~ E0308 mismatched types
    #[cfg(not(misuse))]
    return memory.migrate(mm, span, kernel::hmm::devmem::MigrateFlags::NONE);
}
