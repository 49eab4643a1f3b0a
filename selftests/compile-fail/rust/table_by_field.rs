// SPDX-License-Identifier: GPL-2.0

//! Access the device's page table through the mirror's field, without the lock.

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
