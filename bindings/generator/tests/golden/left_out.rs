// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `left_out.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/left_out.h`](srctree/include/left_out.h)

use crate::{
    bindings,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// The kernel's `thing`.
///
/// # Invariants
///
/// `inner` is a `bindings::thing` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Thing {
    #[pin]
    inner: Opaque<bindings::thing>,
    _not_send: NotThreadSafe,
}

impl Thing {
    /// Makes one with `bindings::thing_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::thing| {
            // SAFETY: `slot` is storage for a `struct thing` that does not move.
            unsafe { bindings::thing_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::thing`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::thing {
        self.inner.get()
    }
}
