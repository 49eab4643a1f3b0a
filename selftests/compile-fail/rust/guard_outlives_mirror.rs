// SPDX-License-Identifier: GPL-2.0

//! Drop a mirror while its update lock is held.

include!("fixture/mirror_driver.rs");

pub fn close(mirror: Arc<Mirror<Table>>) -> usize {
    let guard = mirror.lock();
    #[cfg(misuse)]
    drop(mirror); //~ E0505 cannot move out of `mirror` because it is borrowed
    guard.pages
}
