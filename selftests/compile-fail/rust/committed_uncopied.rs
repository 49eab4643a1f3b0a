// SPDX-License-Identifier: GPL-2.0

//! Commit a migration before its pages were copied.

include!("fixture/migration.rs");

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    Migration::collect(memory, mm, span, |migration| {
        #[cfg(misuse)]
        let migration = migration.commit(); //~ E0599 no method named `commit` found
        #[cfg(not(misuse))]
        let migration = migration.copy().commit();
        migration.moved()
    })
}
