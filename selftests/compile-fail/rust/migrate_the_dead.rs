// SPDX-License-Identifier: GPL-2.0

//! Migrate pages of a process whose address space may have ended.

include!("fixture/migration.rs");

#[cfg(misuse)]
type Process = Mm;
#[cfg(not(misuse))]
type Process = MmWithUser;

pub fn fill(memory: &DeviceMemory<Device>, mm: &Process, span: Span) -> Result<usize> {
    memory.migrate(mm, span) //~ E0308 mismatched types
}
