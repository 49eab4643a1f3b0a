// SPDX-License-Identifier: GPL-2.0

//! Release the mmap lock on another thread than the one that acquired it.

include!("fixture/migration.rs");

fn elsewhere<T: Send>(work: T) -> T {
    work
}

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    Migration::collect(memory, mm, span, |collected| {
        #[cfg(misuse)]
        let collected = elsewhere(collected); //~ E0277 cannot be sent between threads safely
        elsewhere(collected.copy().commit().moved())
    })
}
