// SPDX-License-Identifier: GPL-2.0

//! Have a clock run that is not prepared.

use crate::golden::Clock;
use kernel::prelude::*;

pub fn run(clock: &Clock) -> Result {
    let prepared = clock.prepare()?;
    #[cfg(misuse)]
    let _running = clock.enable()?; //~ E0599 no method named `enable`
    #[cfg(not(misuse))]
    let _running = prepared.enable()?;
    drop(_running);
    drop(prepared);
    Ok(())
}
