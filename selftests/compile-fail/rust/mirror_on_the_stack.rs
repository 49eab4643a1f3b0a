// SPDX-License-Identifier: GPL-2.0

//! Create a mirror on the stack, where it can move.

include!("fixture/mirror_driver.rs");

pub fn open(mm: &MmWithUser) -> Result<usize> {
    #[cfg(misuse)]
    let mirror: Mirror<Table> = Mirror::new(mm, core::ptr::null(), Table::default()); //~ E0308 mismatched types
    #[cfg(not(misuse))]
    let mirror: Pin<KBox<Mirror<Table>>> =
        KBox::pin_init(Mirror::new(mm, core::ptr::null(), Table::default()), GFP_KERNEL)?;
    mirror.with_lock(|table| table.pages)
}
