// SPDX-License-Identifier: GPL-2.0

//! Call the C functions directly instead of the safe objects.

include!("fixture/mirror_driver.rs");

pub fn lock(mirror: &Mirror<Table>) {
    #[cfg(misuse)]
    kernel::bindings::hmm_mirror_lock(mirror.as_raw()); //~ E0133 call to unsafe function
    #[cfg(not(misuse))]
    let _guard = mirror.lock();
}
