// SPDX-License-Identifier: GPL-2.0

//! Use a run of pages after its section.

include!("fixture/mirror_driver.rs");

pub fn first(mirror: &Mirror<Table>, span: Span) -> Result<usize> {
    #[cfg(misuse)]
    let mut first = None;
    #[cfg(not(misuse))]
    let mut first = 0;
    mirror.populate(span, Access::Read, |pages, _| {
        #[cfg(misuse)]
        {
            first = pages.runs().next(); //~ E0521 borrowed data escapes outside of closure
        }
        #[cfg(not(misuse))]
        {
            first = pages.runs().next().map_or(0, |run| run.span().pages());
        }
        Ok(())
    })?;
    #[cfg(misuse)]
    return Ok(first.map_or(0, |run| run.span().pages()));
    #[cfg(not(misuse))]
    Ok(first)
}
