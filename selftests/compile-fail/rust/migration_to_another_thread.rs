// SPDX-License-Identifier: GPL-2.0

//! Release the mmap lock on another thread than the one that acquired it.

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
