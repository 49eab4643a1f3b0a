// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `macro.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/macro.h`](srctree/include/macro.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// The kernel's `counter`.
///
/// # Invariants
///
/// `inner` is a `bindings::counter` that its constructor has initialised; it stays where it is
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
    /// Makes one with `bindings::counter_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::counter| {
            // SAFETY: `slot` is storage for a `struct counter` that does not move.
            unsafe { bindings::counter_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::counter`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::counter {
        self.inner.get()
    }

    /// Calls `bindings::counter_up`.
    ///
    /// Never sleeps.
    #[inline]
    pub fn up(&self, by: i32) {
        // SAFETY: By the type's invariants `self` is a valid `struct counter`.
        unsafe { bindings::counter_up(self.as_raw(), by) }
    }

    /// Calls `bindings::counter_value`.
    #[inline]
    pub fn value(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct counter`.
        unsafe { bindings::counter_value(self.as_raw()) }
    }
}

/// The kernel's `lid`.
///
/// # Invariants
///
/// A value of this type is a live `bindings::lid`, reached by reference only.
#[repr(transparent)]
pub struct Lid(Opaque<bindings::lid>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Lid {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Lid {}

impl Lid {
    /// Returns a raw pointer to the `bindings::lid`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::lid {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::lid` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::lid) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Calls `bindings::lid_open`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::lid_open`.
    #[inline]
    pub fn open(&self) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct lid`.
        to_result(unsafe { bindings::lid_open(self.as_raw()) })
    }
}
