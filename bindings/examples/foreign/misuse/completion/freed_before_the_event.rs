// SPDX-License-Identifier: GPL-2.0

//! Free a completion that is used afterwards.

use crate::golden::Completion;
use kernel::prelude::*;

pub fn finish() -> Result {
    let event = KBox::pin_init(Completion::new(), GFP_KERNEL)?;
    let same: &Completion = &event;
    #[cfg(misuse)]
    drop(event); //~ E0505 cannot move out of `event` because it is borrowed
    same.complete();
    Ok(())
}
