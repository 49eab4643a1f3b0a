// SPDX-License-Identifier: GPL-2.0

//! Go on as if the event had happened when the task is being killed.

use crate::golden::Completion;

pub fn wait(event: &Completion) {
    #[cfg(misuse)]
    event.wait_killable(); //~ - unused `core::result::Result` that must be used
    event.wait();
}
