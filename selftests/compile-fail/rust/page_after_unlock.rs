// SPDX-License-Identifier: GPL-2.0

//! Use a page of the device's page table after the update lock was released.

include!("fixture/devmem_driver.rs");

pub fn first_u32(mirror: &Mirror<PageTable>) -> Result<u32> {
    let table = mirror.lock();
    let page = table.lookup(0, Right::Read.into()).ok_or(EFAULT)?;
    #[cfg(misuse)]
    drop(table); //~ E0505 cannot move out of `table` because it is borrowed
    page.block().page(0, |bytes| bytes.load(0)).ok_or(EFAULT)?
}
