// SPDX-License-Identifier: GPL-2.0

//! Use the device's page table after the update lock was released.

include!("fixture/mirror_driver.rs");

pub fn pages(mirror: &Mirror<Table>) -> Result<usize> {
    #[cfg(misuse)]
    let table: Result<&Table> = mirror.with_lock(|table| &**table); //~ - lifetime may not live long enough
    #[cfg(misuse)]
    return Ok(table?.pages);
    #[cfg(not(misuse))]
    mirror.with_lock(|table| table.pages)
}
