// SPDX-License-Identifier: GPL-2.0

//! Create a page from a number.

include!("fixture/devmem_driver.rs");

pub fn pages(page: &Block<'_>) -> usize {
    #[cfg(misuse)]
    let page = Block {
        //~^ - cannot construct `Block<'_>`
        first: core::ptr::null_mut(),
        order: 9,
    };
    page.pages()
}
