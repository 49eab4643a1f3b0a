// SPDX-License-Identifier: GPL-2.0

//! Call the C functions directly instead of the safe objects.

include!("fixture/mirror_driver.rs");

pub fn lock(mirror: &Mirror<Table>) -> Result {
    #[cfg(misuse)]
    kernel::bindings::hmm_mirror_lock_once(mirror.as_raw()); //~ E0133 call to unsafe function
    mirror.with_lock(|_| ())
}
