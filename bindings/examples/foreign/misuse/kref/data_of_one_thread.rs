// SPDX-License-Identifier: GPL-2.0

//! Pass a reference to another thread while this one has another, to data that only one thread may use at a time.

use crate::golden::Kref;
use core::cell::Cell;

#[cfg(misuse)]
type Data = Cell<u32>;
#[cfg(not(misuse))]
type Data = u32;

fn to_another_thread(_: impl Send) {}

pub fn share(kref: &Kref<Data>) {
    to_another_thread(kref.clone()); //~ E0277 cannot be shared between threads safely
}

pub type Other = Cell<u32>;
