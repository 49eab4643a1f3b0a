// SPDX-License-Identifier: GPL-2.0

//! Drop a mirror inside a section of it.

include!("fixture/mirror_driver.rs");

pub fn close(mirror: Arc<Mirror<Table>>, span: Span) -> Result {
    #[cfg(misuse)]
    let mut held = Some(mirror);
    #[cfg(misuse)]
    let mirror = held.as_ref().ok_or(EINVAL)?;
    mirror.populate(span, Access::Read, |_, table| { //~ E0502 cannot borrow `held` as mutable
        #[cfg(misuse)]
        drop(held.take());
        table.pages = 0;
        Ok(())
    })
}
