// SPDX-License-Identifier: GPL-2.0

//! Access the device's page table from two threads at once.

include!("fixture/mirror_driver.rs");

pub fn share(mirror: &Mirror<Table>) -> Result {
    mirror.with_lock(|guard| {
        #[cfg(misuse)]
        let (one, other) = (&mut **guard, &mut **guard); //~ E0499 cannot borrow `*guard` as mutable more than once
        #[cfg(misuse)]
        core::mem::swap(one, other);
        #[cfg(not(misuse))]
        core::mem::swap(&mut guard.pages, &mut 0);
    })
}
