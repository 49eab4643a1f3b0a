// SPDX-License-Identifier: GPL-2.0

//! The sample driver adds coherent memory at an address that the kernel has not given to it.

include!("fixture/unreachable.rs");

use sim::ram::{
    add_coherent,
    HasReserved,
    Reserved, //
};

/// A driver with the memory at an address.
pub struct Coherent(Reserved);

impl HasReserved for Coherent {
    fn reserved(&self) -> Option<&Reserved> {
        Some(&self.0)
    }
}

#[vtable]
impl MemoryOperations for Coherent {
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
        Err(EIO)
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }
}

/// The CPU's interrupt controller is there.
pub fn memory() -> Result<Coherent> {
    #[cfg(misuse)]
    return Ok(Coherent(Reserved {
        start: 0xfee0_0000, //~ E0451 are private
        size: 2 << 20,
    }));
    #[cfg(not(misuse))]
    Ok(Coherent(Reserved::new(c"misuse", 0xfee0_0000, 2 << 20)?))
}

pub fn add(memory: &DeviceMemory<Coherent>) -> Result {
    add_coherent(memory, 2 << 20, core::ptr::null())
}
