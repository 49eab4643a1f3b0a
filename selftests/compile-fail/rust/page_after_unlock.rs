// SPDX-License-Identifier: GPL-2.0

//! Use a page of the device's page table after the update lock was released.

include!("fixture/devmem_driver.rs");

pub fn first_u32(mirror: &Mirror<PageTable>) -> Result<u32> {
    #[cfg(misuse)]
    let page = mirror.with_lock(|table| table.lookup(0, Right::Read.into())); //~ - lifetime may not live long enough
    #[cfg(misuse)]
    return first(page?);
    #[cfg(not(misuse))]
    mirror.with_lock(|table| first(table.lookup(0, Right::Read.into())))?
}

fn first(found: Option<Mapped<'_>>) -> Result<u32> {
    let Some(Mapped::Memory(page)) = found else {
        return Err(EFAULT);
    };
    page.block().page(0, |bytes| bytes.load(0)).ok_or(EFAULT)?
}
