// SPDX-License-Identifier: GPL-2.0

//! Mirror a process without a reference that keeps its address space alive.

include!("fixture/mirror_driver.rs");

pub fn open(mm: &Mm) -> Result<Arc<Mirror<Table>>> {
    #[cfg(misuse)]
    let user = mm;
    #[cfg(not(misuse))]
    let user = &*mm.mmget_not_zero().ok_or(ESRCH)?;
    Arc::pin_init(
        Mirror::new(
            user, //~ E0308 mismatched types
            core::ptr::null(),
            Table::default(),
        ),
        GFP_KERNEL,
    )
}
