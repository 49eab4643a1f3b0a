// SPDX-License-Identifier: GPL-2.0

//! Device memory is moved to where the pages that it has given out do not find it.

include!("fixture/devmem_driver.rs");

pub fn hand_over<T: MemoryOperations>(memory: Pin<KBox<DeviceMemory<T>>>) {
    #[cfg(misuse)]
    drop(*memory); //~ E0507 cannot move out of dereference
    #[cfg(not(misuse))]
    drop(memory);
}
