// SPDX-License-Identifier: GPL-2.0

//! Move device memory, to which its pages point.

include!("fixture/devmem_driver.rs");

pub fn hand_over<T: MemoryOperations>(memory: Pin<KBox<DeviceMemory<T>>>) {
    #[cfg(misuse)]
    drop(*memory); //~ E0507 cannot move out of dereference
    #[cfg(not(misuse))]
    drop(memory);
}
