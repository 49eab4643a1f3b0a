// SPDX-License-Identifier: GPL-2.0

//! Destroy a pool that somebody has.

use crate::golden::DmaPool;

pub fn end(pool: DmaPool) {
    let same = &pool;
    #[cfg(misuse)]
    drop(pool); //~ E0505 cannot move out of `pool` because it is borrowed
    let _raw = same.as_raw();
}
