// SPDX-License-Identifier: GPL-2.0

//! Read the number of migrated pages before the commit.

include!("fixture/migration.rs");

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    let migration: Migration<'_, Copied> = Migration::collect(memory, mm, span)?.copy();
    #[cfg(not(misuse))]
    let migration = migration.commit();
    Ok(migration.moved()) //~ E0599 no method named `moved` found
}
