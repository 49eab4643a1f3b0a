// SPDX-License-Identifier: GPL-2.0

//! Write to a file that others may have, too.

use crate::golden::Firmware;

pub fn first(firmware: &Firmware) -> u8 {
    #[cfg(misuse)]
    {
        firmware.data()[0] = 0; //~ E0594 cannot assign
    }
    firmware.data()[0]
}
