// SPDX-License-Identifier: GPL-2.0

//! Take the update lock's guard out of the closure that it is lent to.

include!("fixture/mirror_driver.rs");

#[cfg(misuse)]
fn keep(guard: UpdateGuard<'_, Table>) {
    core::mem::forget(guard);
}

pub fn freeze(mirror: &Mirror<Table>) -> Result {
    mirror.with_lock(|guard| {
        #[cfg(misuse)]
        keep(*guard); //~ E0507 cannot move out of `*guard` which is behind a mutable reference
        guard.pages = 0;
    })
}
