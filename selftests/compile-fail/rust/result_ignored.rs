// SPDX-License-Identifier: GPL-2.0

//! Ignore the result of populating.

include!("fixture/mirror_driver.rs");

pub fn fault(mirror: &Mirror<Table>, span: Span) -> Result {
    #[cfg(misuse)]
    mirror.populate(span, Access::Read, |_, _| Ok(())); //~ - unused `core::result::Result` that must be used
    #[cfg(not(misuse))]
    mirror.populate(span, Access::Read, |_, _| Ok(()))?;
    Ok(())
}
