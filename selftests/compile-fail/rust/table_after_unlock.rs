// SPDX-License-Identifier: GPL-2.0

//! The device's table is used after the lock was left.

include!("fixture/mirror_driver.rs");

pub fn pages(mirror: &Mirror<Table>) -> usize {
    let guard = mirror.lock();
    let table: &Table = &guard;
    #[cfg(misuse)]
    drop(guard); //~ E0505 cannot move out of `guard` because it is borrowed
    table.pages
}
