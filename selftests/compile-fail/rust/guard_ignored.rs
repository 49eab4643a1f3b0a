// SPDX-License-Identifier: GPL-2.0

//! The update lock is left as soon as it was taken.

include!("fixture/mirror_driver.rs");

pub fn quiesce(mirror: &Mirror<Table>) {
    #[cfg(misuse)]
    mirror.lock(); //~ - unused `UpdateGuard` that must be used
    #[cfg(not(misuse))]
    let _guard = mirror.lock();
}
