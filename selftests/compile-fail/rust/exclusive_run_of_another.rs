// SPDX-License-Identifier: GPL-2.0

//! Map a run of an ordinary section where only runs of an exclusive section are allowed.

include!("fixture/devmem_driver.rs");

pub fn fault(mirror: &Mirror<PageTable>, other: &Mirror<PageTable>, span: Span) -> Result {
    #[cfg(misuse)]
    return mirror.exclusive(span, |_, alone| {
        other.populate(span, Access::Write, |pages, _| {
            pages.runs().try_for_each(|run| PageTable::map_exclusive(alone, &run)) //~ E0521 borrowed data escapes outside of closure
        })
    });
    #[cfg(not(misuse))]
    mirror.exclusive(span, |pages, alone| {
        let _ = other;
        pages.runs().try_for_each(|run| PageTable::map_exclusive(alone, &run))
    })
}
