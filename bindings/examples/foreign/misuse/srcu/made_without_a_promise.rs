// SPDX-License-Identifier: GPL-2.0

//! Make a structure without the promise that no reader is leaked.

use crate::golden::Srcu;
use kernel::prelude::*;

pub fn make() -> Result<Pin<KBox<Srcu>>> {
    #[cfg(misuse)]
    return KBox::pin_init(Srcu::new(), GFP_KERNEL); //~ E0133 is unsafe and requires unsafe
    #[cfg(not(misuse))]
    // SAFETY: Nothing here takes a reader.
    return KBox::pin_init(unsafe { Srcu::new() }, GFP_KERNEL);
}
