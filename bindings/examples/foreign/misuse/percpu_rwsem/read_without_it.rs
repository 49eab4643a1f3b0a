// SPDX-License-Identifier: GPL-2.0

//! Keep a reference to the data after the semaphore was released.

use crate::golden::PercpuRwSemaphore;

pub fn count(semaphore: &PercpuRwSemaphore<u32>) -> u32 {
    let guard = semaphore.read();
    let kept: &u32 = &guard;
    #[cfg(misuse)]
    drop(guard); //~ E0505 cannot move out of `guard` because it is borrowed
    *kept
}
