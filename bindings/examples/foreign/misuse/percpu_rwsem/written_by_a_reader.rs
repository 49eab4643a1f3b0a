// SPDX-License-Identifier: GPL-2.0

//! Write to the data as a reader.

use crate::golden::PercpuRwSemaphore;

pub fn count(semaphore: &PercpuRwSemaphore<u32>) {
    #[cfg(misuse)]
    {
        *semaphore.read() += 1; //~ E0594 cannot assign to data in dereference of
    }
    *semaphore.write() += 1;
}
