// SPDX-License-Identifier: GPL-2.0

//! Use the data when the reference was dropped, which may have been the last.

use crate::golden::Kref;

pub fn number(kref: Kref<u32>) -> u32 {
    let data: &u32 = kref.data();
    #[cfg(misuse)]
    drop(kref); //~ E0505 cannot move out of `kref` because it is borrowed
    *data
}
