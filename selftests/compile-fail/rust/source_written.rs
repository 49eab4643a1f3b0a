// SPDX-License-Identifier: GPL-2.0

//! The pages that are copied from, which may be of a file, are written to.

include!("fixture/devmem_driver.rs");

pub struct Memory;

#[vtable]
impl MemoryOperations for Memory {
    fn copy(_memory: &DeviceMemory<Self>, mut dst: Block<'_>, src: &Block<'_>) -> Result {
        #[cfg(misuse)]
        src.page_mut(0, |bytes| bytes.clear()); //~ E0596 cannot borrow `*src` as mutable
        src.page(0, |from| dst.page_mut(0, |to| to.copy_from(from)));
        Err(EIO)
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }
}
