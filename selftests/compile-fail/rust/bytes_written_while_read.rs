// SPDX-License-Identifier: GPL-2.0

//! Write to a page through a mapping that is for reading only.

include!("fixture/devmem_driver.rs");

pub fn first(page: &Block<'_>) {
    #[cfg(misuse)]
    page.page(0, |bytes| bytes.clear()); //~ E0596 cannot borrow `*bytes` as mutable
    #[cfg(not(misuse))]
    page.page(0, |bytes| bytes.load(0).ok());
}
