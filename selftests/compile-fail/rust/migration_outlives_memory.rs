// SPDX-License-Identifier: GPL-2.0

//! Drop device memory during a migration to it.

include!("fixture/migration.rs");

pub fn fill(memory: Pin<KBox<DeviceMemory<Device>>>, mm: &MmWithUser, span: Span) -> Result<usize> {
    Migration::collect(&memory, mm, span, |collected| {
        //~^ E0505 cannot move out of `memory`
        #[cfg(misuse)]
        drop(memory);
        collected.copy().commit().moved()
    })
}
