// SPDX-License-Identifier: GPL-2.0

//! Device memory whose driver has no copy callback.

include!("fixture/devmem_driver.rs");

pub struct Memory;

#[vtable]
impl MemoryOperations for Memory { //~ E0046 missing: `copy`
    #[cfg(not(misuse))]
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
        Ok(())
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Ok(())
    }
}
