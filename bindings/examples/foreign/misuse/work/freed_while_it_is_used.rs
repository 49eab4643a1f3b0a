// SPDX-License-Identifier: GPL-2.0

//! Free the work item while somebody still has it.

use crate::golden::{Work, WorkOperations};
use kernel::prelude::*;

pub fn queue<T: WorkOperations>(work: Pin<KBox<Work<T>>>) {
    let same: &Work<T> = &work;
    #[cfg(misuse)]
    drop(work); //~ E0505 cannot move out of `work` because it is borrowed
    same.schedule();
}
