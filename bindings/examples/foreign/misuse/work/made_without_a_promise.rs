// SPDX-License-Identifier: GPL-2.0

//! Make one without the promise that it ends before the module of its callback does.

use crate::golden::{Work, WorkOperations};
use kernel::prelude::*;

pub fn make<T: WorkOperations>(data: T) -> Result<Pin<KBox<Work<T>>>> {
    #[cfg(misuse)]
    return KBox::pin_init(Work::new(data), GFP_KERNEL); //~ E0133 is unsafe and requires unsafe
    #[cfg(not(misuse))]
    // SAFETY: The caller drops it.
    return KBox::pin_init(unsafe { Work::new(data) }, GFP_KERNEL);
}
