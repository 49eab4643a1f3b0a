// SPDX-License-Identifier: GPL-2.0

//! Read the number of migrated pages before the commit.

include!("fixture/migration.rs");

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    Migration::collect(memory, mm, span, |collected| {
        let migration: Migration<'_, Copied> = collected.copy();
        #[cfg(not(misuse))]
        let migration = migration.commit();
        migration.moved() //~ E0599 no method named `moved` found
    })
}
