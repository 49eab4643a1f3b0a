// SPDX-License-Identifier: GPL-2.0

//! Write to the source page of a copy.

include!("fixture/devmem_driver.rs");

pub fn copy(dst: &mut Block<'_>, src: &Block<'_>) {
    #[cfg(misuse)]
    src.page_mut(0, |bytes| bytes.clear()); //~ E0596 cannot borrow `*src` as mutable
    src.page(0, |from| dst.page_mut(0, |to| to.copy_from(from)));
}
