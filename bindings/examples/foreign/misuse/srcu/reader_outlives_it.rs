// SPDX-License-Identifier: GPL-2.0

//! End the structure while there is a reader.

use crate::golden::Srcu;
use kernel::prelude::*;

pub fn read(srcu: Pin<KBox<Srcu>>) {
    let reader = srcu.read();
    #[cfg(misuse)]
    drop(srcu); //~ E0505 cannot move out of `srcu` because it is borrowed
    drop(reader);
}
