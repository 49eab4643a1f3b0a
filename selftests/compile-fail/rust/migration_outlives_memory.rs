// SPDX-License-Identifier: GPL-2.0

//! Drop device memory during a migration to it.

include!("fixture/migration.rs");

pub fn fill(memory: Pin<KBox<DeviceMemory<Device>>>, mm: &MmWithUser, span: Span) -> Result {
    let collected = Migration::collect(&memory, mm, span)?;
    #[cfg(misuse)]
    drop(memory); //~ E0505 cannot move out of `memory`
    drop(collected.copy());
    Ok(())
}
