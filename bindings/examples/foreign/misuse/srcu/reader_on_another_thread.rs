// SPDX-License-Identifier: GPL-2.0

//! Stop reading on another thread.

use crate::golden::Srcu;

fn send<T: Send>(_: T) {}

pub fn read(srcu: &Srcu) {
    let reader = srcu.read();
    #[cfg(misuse)]
    send(reader); //~ E0277 cannot be sent between threads safely
    send(srcu);
}
