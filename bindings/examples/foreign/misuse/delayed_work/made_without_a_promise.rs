// SPDX-License-Identifier: GPL-2.0

//! Make one without the promise that it ends before the module of its callback does.

use crate::golden::{DelayedWork, DelayedOperations};
use kernel::prelude::*;

pub fn make<T: DelayedOperations>(data: T) -> Result<Pin<KBox<DelayedWork<T>>>> {
    #[cfg(misuse)]
    return KBox::pin_init(DelayedWork::new(data), GFP_KERNEL); //~ E0133 is unsafe and requires unsafe
    #[cfg(not(misuse))]
    // SAFETY: The caller drops it.
    return KBox::pin_init(unsafe { DelayedWork::new(data) }, GFP_KERNEL);
}
