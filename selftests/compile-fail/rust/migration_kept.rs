// SPDX-License-Identifier: GPL-2.0

//! Keep a migration, and the mmap lock with it, after the closure that it is for.

include!("fixture/migration.rs");

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<bool> {
    let mut kept = None;
    Migration::collect(memory, mm, span, |collected| {
        #[cfg(misuse)]
        let out = collected;
        #[cfg(not(misuse))]
        let out = collected.span();
        kept = Some(out); //~ E0521 borrowed data escapes outside of closure
    })?;
    Ok(kept.is_some())
}
