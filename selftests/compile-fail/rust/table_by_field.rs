// SPDX-License-Identifier: GPL-2.0

//! The device's table is reached around the lock, by what the mirror keeps it in.

include!("fixture/mirror_driver.rs");

pub fn pages(mirror: &Mirror<Table>) -> Result<usize> {
    #[cfg(misuse)]
    let table = mirror.storage().data.get(); //~ E0624 method `storage` is private
    #[cfg(not(misuse))]
    let pages = mirror.with_lock(|table| table.pages);
    #[cfg(misuse)]
    return Ok(table as usize);
    #[cfg(not(misuse))]
    pages
}
