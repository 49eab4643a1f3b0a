// SPDX-License-Identifier: GPL-2.0

//! Commit a migration that is already committed.

include!("fixture/migration.rs");

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    let copied = Migration::collect(memory, mm, span)?.copy();
    let committed = copied.commit();
    #[cfg(misuse)]
    drop(copied.commit()); //~ E0382 use of moved value
    Ok(committed.moved())
}
