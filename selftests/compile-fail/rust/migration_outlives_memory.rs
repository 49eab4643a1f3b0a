// SPDX-License-Identifier: GPL-2.0

//! Device memory goes while pages are on their way there.

include!("fixture/migration.rs");

pub fn fill(memory: Pin<KBox<DeviceMemory<Device>>>, mm: &MmWithUser, span: Span) -> Result {
    let collected = Migration::collect(&memory, mm, span)?;
    #[cfg(misuse)]
    drop(memory); //~ E0505 cannot move out of `memory`
    drop(collected.copy());
    Ok(())
}
