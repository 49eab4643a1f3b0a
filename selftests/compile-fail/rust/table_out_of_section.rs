// SPDX-License-Identifier: GPL-2.0

//! Keep a reference to the device's page table after the section.

include!("fixture/mirror_driver.rs");

pub fn populate(mirror: &Mirror<Table>, span: Span) -> Result<usize> {
    #[cfg(misuse)]
    let mut outside: Option<&mut Table> = None;
    #[cfg(not(misuse))]
    let mut outside = 0;
    mirror.populate(span, Access::Write, |_, table| {
        #[cfg(misuse)]
        {
            outside = Some(table); //~ E0521 borrowed data escapes outside of closure
        }
        #[cfg(not(misuse))]
        {
            outside = table.pages;
        }
        Ok(())
    })?;
    #[cfg(misuse)]
    return Ok(outside.map_or(0, |table| table.pages));
    #[cfg(not(misuse))]
    Ok(outside)
}
