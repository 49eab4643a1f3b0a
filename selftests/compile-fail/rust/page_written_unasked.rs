// SPDX-License-Identifier: GPL-2.0

//! Write to a page that is mapped read-only for the device.

include!("fixture/devmem_driver.rs");

pub fn wipe(mirror: &Mirror<PageTable>) -> Result {
    mirror.with_lock(|table| {
        let found = table.lookup(0, Right::Read | Right::Write).ok_or(EFAULT)?;
        let Mapped::Memory(mut page) = found else {
            return Err(EFAULT);
        };
        #[cfg(misuse)]
        page.block().page_mut(0, |bytes| bytes.clear()); //~ E0596 cannot borrow data in a `&` reference as mutable
        let block = page.block_mut().ok_or(EPERM)?;
        block.page_mut(0, |bytes| bytes.clear());
        Ok(())
    })?
}
