// SPDX-License-Identifier: GPL-2.0

//! A driver goes around the objects, to the C functions.

include!("fixture/mirror_driver.rs");

pub fn lock(mirror: &Mirror<Table>) {
    #[cfg(misuse)]
    kernel::bindings::hmm_mirror_lock(mirror.as_raw()); //~ E0133 call to unsafe function
    #[cfg(not(misuse))]
    let _guard = mirror.lock();
}
