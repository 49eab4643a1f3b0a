// SPDX-License-Identifier: GPL-2.0

//! Give a clock back while it is prepared.

use crate::golden::Clock;
use kernel::prelude::*;

pub fn run(clock: Clock) -> Result {
    let prepared = clock.prepare()?;
    #[cfg(misuse)]
    drop(clock); //~ E0505 cannot move out of `clock` because it is borrowed
    drop(prepared);
    Ok(())
}
