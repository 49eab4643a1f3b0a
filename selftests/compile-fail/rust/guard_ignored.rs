// SPDX-License-Identifier: GPL-2.0

//! Drop the update lock's guard immediately.

include!("fixture/mirror_driver.rs");

pub fn quiesce(mirror: &Mirror<Table>) {
    #[cfg(misuse)]
    mirror.lock(); //~ - unused `UpdateGuard` that must be used
    #[cfg(not(misuse))]
    let _guard = mirror.lock();
}
