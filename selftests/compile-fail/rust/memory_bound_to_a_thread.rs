// SPDX-License-Identifier: GPL-2.0

//! Device memory data that is not Sync: callbacks run on any thread.

include!("fixture/devmem_driver.rs");

/// Counts, but not on several processors.
pub struct Counter(core::cell::Cell<usize>);

#[cfg(not(misuse))]
// SAFETY: For the sake of the twin that compiles.
unsafe impl Sync for Counter {}

#[vtable]
impl MemoryOperations for Counter {
    //~^ E0277 `Cell<usize>` cannot be shared between threads safely
    fn copy(memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
        memory.data().0.set(1);
        Ok(())
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Ok(())
    }
}
