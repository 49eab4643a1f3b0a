// SPDX-License-Identifier: GPL-2.0

//! Make one without the promise that no guard of it is leaked: it would be ended while it has a writer.

use crate::golden::PercpuRwSemaphore;
use kernel::prelude::*;
use kernel::sync::Arc;

pub fn made() -> Result<Arc<PercpuRwSemaphore<u32>>> {
    #[cfg(misuse)]
    let sem = PercpuRwSemaphore::new(0); //~ E0133 is unsafe and requires unsafe
    #[cfg(not(misuse))]
    // SAFETY: The guards of this semaphore are all dropped.
    let sem = unsafe { PercpuRwSemaphore::new(0) };
    Arc::pin_init(sem, GFP_KERNEL)
}
