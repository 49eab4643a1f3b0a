// SPDX-License-Identifier: GPL-2.0

//! Commit a migration that is already committed.

include!("fixture/migration.rs");

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    Migration::collect(memory, mm, span, |collected| {
        let copied = collected.copy();
        let committed = copied.commit();
        #[cfg(misuse)]
        let _again = copied.commit(); //~ E0382 use of moved value
        committed.moved()
    })
}
