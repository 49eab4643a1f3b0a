// SPDX-License-Identifier: GPL-2.0

//! Keep the access of another device after the callback has returned.

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

    fn peer_dma_unmap(_memory: &DeviceMemory<Self>, _access: &PeerAccess) {
        #[cfg(misuse)]
        keep(_access); //~ E0521 borrowed data escapes outside of associated function
    }
}

pub fn keep(_access: &'static PeerAccess) {}
