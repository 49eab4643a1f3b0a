// SPDX-License-Identifier: GPL-2.0

//! Drop a mirror while its update lock is held.

include!("fixture/mirror_driver.rs");

pub fn close(mirror: Arc<Mirror<Table>>) -> Result<usize> {
    mirror.with_lock(|guard| { //~ E0505 cannot move out of `mirror` because it is borrowed
        #[cfg(misuse)]
        drop(mirror);
        guard.pages
    })
}
