// SPDX-License-Identifier: GPL-2.0

//! Read a page's bytes after the page was unmapped.

include!("fixture/devmem_driver.rs");

pub fn first(page: &Block<'_>) -> Option<u32> {
    #[cfg(misuse)]
    let bytes = page.page(0, |bytes| bytes)?; //~ - lifetime may not live long enough
    #[cfg(misuse)]
    return bytes.load(0).ok();
    #[cfg(not(misuse))]
    page.page(0, |bytes| bytes.load(0).ok())?
}
