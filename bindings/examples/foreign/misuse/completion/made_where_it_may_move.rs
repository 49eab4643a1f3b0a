// SPDX-License-Identifier: GPL-2.0

//! Make a completion as a value, which moves.

use crate::golden::Completion;
use kernel::prelude::*;

pub fn make() -> Result<Pin<KBox<Completion>>> {
    #[cfg(misuse)]
    let _event: Completion = Completion::new(); //~ E0308 mismatched types
    Ok(KBox::pin_init(Completion::new(), GFP_KERNEL)?)
}
