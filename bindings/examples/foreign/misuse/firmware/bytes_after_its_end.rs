// SPDX-License-Identifier: GPL-2.0

//! Read the bytes of a file that was freed.

use crate::golden::Firmware;

pub fn sum(firmware: Firmware) -> u32 {
    let bytes = firmware.data();
    #[cfg(misuse)]
    drop(firmware); //~ E0505 cannot move out of `firmware` because it is borrowed
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}
