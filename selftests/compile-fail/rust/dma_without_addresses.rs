// SPDX-License-Identifier: GPL-2.0

//! Read device addresses in a section that has none.

include!("fixture/mirror_driver.rs");

use kernel::hmm::mirror::DmaMap;

pub fn fault(mirror: &Mirror<Table>, dma: &DmaMap<Table>, span: Span) -> Result {
    #[cfg(misuse)]
    return mirror.populate(span, Access::Write, |pages, table| {
        let _ = dma;
        table.pages += pages.addresses().count(); //~ E0599 no method named `addresses` found
        Ok(())
    });
    #[cfg(not(misuse))]
    mirror.populate_dma(span, Access::Write, dma, |pages, table| {
        table.pages += pages.addresses().count();
        Ok(())
    })
}
