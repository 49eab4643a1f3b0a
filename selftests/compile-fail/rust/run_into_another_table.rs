// SPDX-License-Identifier: GPL-2.0

//! Map pages of one process in the device's page table of another.

include!("fixture/devmem_driver.rs");

pub fn map(one: &Mirror<PageTable>, other: &Mirror<PageTable>, span: Span) -> Result {
    one.populate(span, Access::Read, |pages, table| {
        for run in pages.runs() {
            PageTable::map(table, &run, Right::Read.into())?;
        }
        other.populate(span, Access::Read, |_, other_table| {
            for run in pages.runs() { //~ E0521 borrowed data escapes outside of closure
                #[cfg(misuse)]
                PageTable::map(other_table, &run, Right::Read.into())?; //~ E0521 borrowed data escapes outside of closure
                let _ = (&run, &other_table);
            }
            Ok(())
        })
    })
}
