// SPDX-License-Identifier: GPL-2.0

//! Store the pages of a section in a structure.

include!("fixture/mirror_driver.rs");

#[cfg(misuse)]
use kernel::hmm::mirror::Pages;

pub struct Cache<'s> {
    #[cfg(misuse)]
    pages: Option<&'s Pages<'s>>,
    #[cfg(not(misuse))]
    pages: &'s mut usize,
}

pub fn fill(mirror: &Mirror<Table>, span: Span, cache: &mut Cache<'_>) -> Result {
    mirror.populate(span, Access::Snapshot, |pages, _| {
        #[cfg(misuse)]
        cache.pages.replace(pages); //~ E0521 borrowed data escapes outside of closure
        #[cfg(not(misuse))]
        pages.runs().for_each(|run| *cache.pages += run.span().pages());
        Ok(())
    })
}
