// SPDX-License-Identifier: GPL-2.0

//! Leak the update lock's guard, so that every invalidation waits for ever.

include!("fixture/mirror_driver.rs");

pub fn freeze(mirror: &Mirror<Table>) -> Result {
    #[cfg(misuse)]
    core::mem::forget(mirror.lock()); //~ E0599 no method named `lock` found
    mirror.with_lock(|table| table.pages = 0)
}
