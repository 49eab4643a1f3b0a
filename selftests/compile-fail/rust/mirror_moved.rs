// SPDX-License-Identifier: GPL-2.0

//! Move a mirror that is registered with a process.

include!("fixture/mirror_driver.rs");

pub fn exchange(one: &mut Pin<KBox<Mirror<Table>>>, other: &mut Pin<KBox<Mirror<Table>>>) {
    #[cfg(misuse)]
    core::mem::swap(&mut **one, &mut **other); //~ E0596 cannot borrow data in dereference //~ E0596 cannot borrow data in dereference
    #[cfg(not(misuse))]
    core::mem::swap(one, other);
}
