// SPDX-License-Identifier: GPL-2.0

//! Return a migration from the closure that it is for.

include!("fixture/migration.rs");

pub fn fill(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<usize> {
    let copied = Migration::collect(memory, mm, span, |collected| {
        #[cfg(misuse)]
        return collected.copy(); //~ - lifetime may not live long enough
        #[cfg(not(misuse))]
        collected.copy().commit().moved()
    })?;
    #[cfg(misuse)]
    return Ok(copied.commit().moved());
    #[cfg(not(misuse))]
    Ok(copied)
}
