// SPDX-License-Identifier: GPL-2.0

//! Ignore whether the pages were migrated.

include!("fixture/migration.rs");

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result {
    #[cfg(misuse)]
    memory.migrate(mm, span); //~ - unused `core::result::Result` that must be used
    #[cfg(not(misuse))]
    memory.migrate(mm, span)?;
    Ok(())
}
