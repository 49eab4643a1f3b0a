// SPDX-License-Identifier: GPL-2.0

//! Keep the pages passed to the copy callback after it returned.

include!("fixture/devmem_driver.rs");

pub struct Memory;

#[vtable]
impl MemoryOperations for Memory {
    fn copy(_memory: &DeviceMemory<Self>, dst: Block<'_>, _src: &Block<'_>) -> Result {
        #[cfg(misuse)]
        keep(dst); //~ E0521 borrowed data escapes outside of associated function
        #[cfg(not(misuse))]
        drop(dst);
        Ok(())
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Ok(())
    }
}

pub fn keep(_block: Block<'static>) {}
