// SPDX-License-Identifier: GPL-2.0

//! The device's table is reached around the lock, by the mirror's own field.

include!("fixture/mirror_driver.rs");

pub fn pages(mirror: &Mirror<Table>) -> usize {
    #[cfg(misuse)]
    let table = mirror.data.get(); //~ E0616 field `data` of struct
    #[cfg(not(misuse))]
    let table = mirror.lock();
    #[cfg(misuse)]
    return table as usize;
    #[cfg(not(misuse))]
    table.pages
}
