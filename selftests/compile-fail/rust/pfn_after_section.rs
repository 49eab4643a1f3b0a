// SPDX-License-Identifier: GPL-2.0

//! Use a pfn after its section.

include!("fixture/mirror_driver.rs");

pub fn populate(mirror: &Mirror<Table>, span: Span) -> Result {
    #[cfg(misuse)]
    let mut last = None;
    mirror.populate(span, Access::Read, |pages, table| {
        #[cfg(misuse)]
        last.replace(pages.runs().next().unwrap().pfn()); //~ E0521 borrowed data escapes outside of closure
        #[cfg(not(misuse))]
        let _last = pages.runs().next().unwrap().pfn();
        table.pages += span.pages();
        Ok(())
    })
}
