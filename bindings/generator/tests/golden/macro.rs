// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `macro.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/macro.h`](srctree/include/macro.h)

use crate::{
    bindings,
    prelude::*,
    types::Opaque, //
};

/// A `struct counter`.
///
/// # Invariants
///
/// `inner` is a `struct counter` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Counter {
    #[pin]
    inner: Opaque<bindings::counter>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Counter {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Counter {}

impl Counter {
    /// Calls `counter_init()`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::counter| {
            // SAFETY: `slot` is storage for a `struct counter` that does not move.
            unsafe { bindings::counter_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `struct counter`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::counter {
        self.inner.get()
    }

    /// Calls `counter_up()`.
    ///
    /// Never sleeps.
    #[inline]
    pub fn up(&self, by: i32) {
        // SAFETY: By the type's invariants `self` is a valid `struct counter`.
        unsafe { bindings::counter_up(self.as_raw(), by) }
    }

    /// Calls `counter_value()`.
    #[inline]
    pub fn value(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct counter`.
        unsafe { bindings::counter_value(self.as_raw()) }
    }
}
