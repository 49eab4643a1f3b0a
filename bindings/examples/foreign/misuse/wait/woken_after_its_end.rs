// SPDX-License-Identifier: GPL-2.0

//! Wake a queue that was freed.

use crate::golden::WaitQueue;
use kernel::prelude::*;

pub fn wake(queue: Pin<KBox<WaitQueue>>) {
    let same: &WaitQueue = &queue;
    #[cfg(misuse)]
    drop(queue); //~ E0505 cannot move out of `queue` because it is borrowed
    same.wake_up_all();
}
