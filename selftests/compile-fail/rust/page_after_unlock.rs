// SPDX-License-Identifier: GPL-2.0

//! Use a page of the device's page table after the update lock was released.

include!("fixture/devmem_driver.rs");

pub fn first_u32(mirror: &Mirror<PageTable>) -> Result<u32> {
    #[cfg(misuse)]
    let page = mirror.with_lock(|table| table.lookup(0, Right::Read.into())); //~ - lifetime may not live long enough
    #[cfg(misuse)]
    return page?.ok_or(EFAULT)?.block().page(0, |bytes| bytes.load(0)).ok_or(EFAULT)?;
    #[cfg(not(misuse))]
    mirror.with_lock(|table| {
        let page = table.lookup(0, Right::Read.into()).ok_or(EFAULT)?;
        page.block().page(0, |bytes| bytes.load(0)).ok_or(EFAULT)?
    })?
}
