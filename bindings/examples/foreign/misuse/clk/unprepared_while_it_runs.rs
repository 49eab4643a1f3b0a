// SPDX-License-Identifier: GPL-2.0

//! Unprepare a clock that is enabled.

use crate::golden::Clock;
use kernel::prelude::*;

pub fn run(clock: &Clock) -> Result {
    let prepared = clock.prepare()?;
    let running = prepared.enable()?;
    #[cfg(misuse)]
    drop(prepared); //~ E0505 cannot move out of `prepared` because it is borrowed
    drop(running);
    Ok(())
}
