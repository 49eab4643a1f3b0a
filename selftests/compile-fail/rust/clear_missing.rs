// SPDX-License-Identifier: GPL-2.0

//! Device memory whose driver has no clear callback: one process would see another's data.

include!("fixture/devmem_driver.rs");

/// Another device.
pub struct Other;

#[vtable]
impl MemoryOperations for Other {
    //~^ E0046 missing: `clear`
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
        Err(EIO)
    }

    #[cfg(not(misuse))]
    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }
}
