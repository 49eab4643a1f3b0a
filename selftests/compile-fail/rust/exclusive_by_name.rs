// SPDX-License-Identifier: GPL-2.0

//! Call an exclusive method in a section that gives no exclusive access.

include!("fixture/devmem_driver.rs");

pub fn fault(mirror: &Mirror<PageTable>, span: Span) -> Result {
    #[cfg(misuse)]
    return mirror.populate(span, Access::Exclusive, |pages, table| { //~ E0599 no variant, associated function, or constant named `Exclusive` found
        pages.runs().try_for_each(|run| PageTable::map(table, &run, Right::Write.into()))
    });
    #[cfg(not(misuse))]
    mirror.exclusive(span, |pages, table| {
        pages.runs().try_for_each(|run| PageTable::map_exclusive(table, &run))
    })
}
