// SPDX-License-Identifier: GPL-2.0

//! Swap the page tables of two mirrors, so that invalidations reach the wrong one.

include!("fixture/devmem_driver.rs");

pub fn swap(one: &Mirror<PageTable>, other: &Mirror<PageTable>) -> Result {
    one.with_lock(|one| {
        other.with_lock(|other| {
            #[cfg(misuse)]
            core::mem::swap(&mut **one, &mut **other); //~ E0596 cannot borrow data in dereference of
            let _ = (one.as_pin(), other.as_pin());
        })
    })?
}
