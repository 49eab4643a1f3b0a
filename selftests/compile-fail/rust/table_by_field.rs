// SPDX-License-Identifier: GPL-2.0

//! The device's table is reached around the lock, by what the mirror keeps it in.

include!("fixture/mirror_driver.rs");

pub fn pages(mirror: &Mirror<Table>) -> usize {
    #[cfg(misuse)]
    let table = mirror.storage().data.get(); //~ E0624 method `storage` is private
    #[cfg(not(misuse))]
    let table = mirror.lock();
    #[cfg(misuse)]
    return table as usize;
    #[cfg(not(misuse))]
    table.pages
}
