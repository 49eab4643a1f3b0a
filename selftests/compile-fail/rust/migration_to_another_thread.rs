// SPDX-License-Identifier: GPL-2.0

//! The lock of the address space is given back by another thread than took it.

include!("fixture/migration.rs");

fn elsewhere<T: Send>(work: T) {
    drop(work);
}

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result {
    let collected = Migration::collect(memory, mm, span)?;
    #[cfg(misuse)]
    elsewhere(collected); //~ E0277 cannot be sent between threads safely
    #[cfg(not(misuse))]
    elsewhere(collected.copy().commit().moved());
    Ok(())
}
