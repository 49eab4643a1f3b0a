// SPDX-License-Identifier: GPL-2.0

//! Store a pfn as a plain integer.

include!("fixture/mirror_driver.rs");

pub fn populate(mirror: &Mirror<Table>, span: Span) -> Result {
    mirror.populate(span, Access::Read, |pages, table| {
        for run in pages.runs() {
            #[cfg(misuse)]
            table.pages.clone_from(&run.pfn()); //~ E0308 mismatched types
            #[cfg(not(misuse))]
            table.pages.clone_from(&run.span().pages());
        }
        Ok(())
    })
}
