// SPDX-License-Identifier: GPL-2.0

//! Use the device's page table after the update lock was released.

include!("fixture/mirror_driver.rs");

pub fn pages(mirror: &Mirror<Table>) -> usize {
    let guard = mirror.lock();
    let table: &Table = &guard;
    #[cfg(misuse)]
    drop(guard); //~ E0505 cannot move out of `guard` because it is borrowed
    table.pages
}
