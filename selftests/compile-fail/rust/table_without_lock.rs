// SPDX-License-Identifier: GPL-2.0

//! Access the device's page table without the update lock.

include!("fixture/mirror_driver.rs");

pub fn pages(mirror: &Mirror<Table>) -> Result<usize> {
    #[cfg(misuse)]
    let pages = mirror.pages; //~ E0609 no field `pages`
    #[cfg(not(misuse))]
    let pages = mirror.with_lock(|table| table.pages)?;
    Ok(pages)
}
