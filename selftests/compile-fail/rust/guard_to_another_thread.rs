// SPDX-License-Identifier: GPL-2.0

//! Release the update lock on another thread than the one that acquired it.

include!("fixture/mirror_driver.rs");

fn elsewhere<T: Send>(value: T) {
    drop(value);
}

pub fn hand_over(mirror: &Mirror<Table>) -> Result {
    mirror.with_lock(|guard| {
        #[cfg(misuse)]
        elsewhere(guard); //~ E0277 cannot be sent between threads safely
        #[cfg(not(misuse))]
        elsewhere(guard.pages);
    })
}
