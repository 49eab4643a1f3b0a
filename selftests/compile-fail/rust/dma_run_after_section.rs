// SPDX-License-Identifier: GPL-2.0

//! Use a run of device addresses after its section.

include!("fixture/mirror_driver.rs");

use kernel::hmm::mirror::DmaMap;

pub fn first(mirror: &Mirror<Table>, dma: &DmaMap<Table>, span: Span) -> Result<usize> {
    #[cfg(misuse)]
    let mut first = None;
    #[cfg(not(misuse))]
    let mut first = 0;
    mirror.populate_dma(span, Access::Write, dma, |pages, _| {
        #[cfg(misuse)]
        {
            first = pages.addresses().next(); //~ E0521 borrowed data escapes outside of closure
        }
        #[cfg(not(misuse))]
        {
            first = pages.addresses().next().map_or(0, |run| run.span().pages());
        }
        Ok(())
    })?;
    #[cfg(misuse)]
    return Ok(first.map_or(0, |run| run.span().pages()));
    #[cfg(not(misuse))]
    Ok(first)
}
