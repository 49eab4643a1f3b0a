// SPDX-License-Identifier: GPL-2.0

//! A driver declares that it may do with the pages it copies from what it likes.

include!("fixture/devmem_driver.rs");

pub struct Memory;

#[vtable]
impl MemoryOperations for Memory {
    #[cfg(misuse)]
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, mut src: Block<'_>) -> Result {
        //~^ E0053 method `copy` has an incompatible type for trait
        src.page_mut(0, |bytes| bytes.clear());
        Err(EIO)
    }

    #[cfg(not(misuse))]
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
        Err(EIO)
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }
}
