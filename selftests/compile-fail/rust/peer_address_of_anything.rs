// SPDX-License-Identifier: GPL-2.0

//! Give another device an address that nobody has vouched for.

include!("fixture/devmem_driver.rs");

use kernel::hmm::devmem::PeerAccess;

pub struct Memory;

#[vtable]
impl MemoryOperations for Memory {
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
        Ok(())
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Ok(())
    }

    fn peer_dma_map(_memory: &DeviceMemory<Self>, access: &PeerAccess) {
        let _address = access.position().offset() as u64;

        #[cfg(misuse)]
        access.set_address(_address); //~ E0133 call to unsafe function
    }
}
