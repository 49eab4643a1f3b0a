// SPDX-License-Identifier: GPL-2.0

//! A pfn is used after the section that it comes from.

include!("common/device.rs");

pub fn populate(mirror: &Mirror<Table>, span: Span) -> Result {
    #[cfg(misuse)]
    let mut last = None;
    mirror.populate(span, Access::Read, |pages, table| {
        for run in pages.runs() {
            #[cfg(misuse)]
            last.replace(run.pfn()); //~ E0521 borrowed data escapes outside of closure
            #[cfg(not(misuse))]
            let _last = run.pfn();
            table.pages += run.span().pages();
        }
        Ok(())
    })
}
