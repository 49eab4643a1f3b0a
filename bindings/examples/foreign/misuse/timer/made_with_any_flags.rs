// SPDX-License-Identifier: GPL-2.0

//! Make a timer without the promise about its flags and its end.

use crate::golden::{Timer, TimerOperations};
use kernel::prelude::*;

pub fn make<T: TimerOperations>(data: T) -> Result<Pin<KBox<Timer<T>>>> {
    #[cfg(misuse)]
    return KBox::pin_init(Timer::new(!0, data), GFP_KERNEL); //~ E0133 is unsafe and requires unsafe
    #[cfg(not(misuse))]
    // SAFETY: There are no flags, and the caller drops it.
    return KBox::pin_init(unsafe { Timer::new(0, data) }, GFP_KERNEL);
}
