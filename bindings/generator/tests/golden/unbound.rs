// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `unbound.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/unbound.h`](srctree/include/unbound.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// Drives a part of the chip.
///
/// # Invariants
///
/// `inner` is a `bindings::clock` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Clock {
    #[pin]
    inner: Opaque<bindings::clock>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Clock {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Clock {}

impl Clock {
    /// Makes one with `bindings::clock_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::clock| {
            // SAFETY: `slot` is storage for a `struct clock` that does not move.
            unsafe { bindings::clock_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::clock`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::clock {
        self.inner.get()
    }

    /// Power the clock.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::clock_prepare`.
    #[inline]
    pub fn prepare(&self) -> Result<Prepared<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct clock`.
        to_result(unsafe { bindings::clock_prepare(self.as_raw()) })?;
        // INVARIANT: It was just taken.
        Ok(Prepared { owner: self })
    }
}

#[pinned_drop]
impl PinnedDrop for Clock {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `clock_exit`).
        unsafe { bindings::clock_exit(self.inner.get()) };
    }
}

/// A [`Clock`] in use.
///
/// The use ends when this is dropped, on any thread.
///
/// # Invariants
///
/// It was taken, and is not released as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct Prepared<'a> {
    owner: &'a Clock,
}

impl<'a> Prepared<'a> {
    /// Calls `bindings::clock_rate`.
    #[inline]
    pub fn rate(&self) -> usize {
        // SAFETY: By its invariants `self.owner` is a valid `struct clock`; `requires(Prepared)`
        // holds because `self` is that guard.
        unsafe { bindings::clock_rate(self.owner.as_raw()) }
    }

    /// Takes the lock with `bindings::clock_hold`.
    #[inline]
    pub fn hold(&self) -> Running<'_> {
        // SAFETY: By its invariants `self.owner` is a valid `struct clock`; `requires(Prepared)`
        // holds because `self` is that guard.
        unsafe { bindings::clock_hold(self.owner.as_raw()) };
        // INVARIANT: It was just taken.
        Running { owner: self.owner }
    }
}

impl<'a> Drop for Prepared<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants it was taken, and is released once, here.
        unsafe { bindings::clock_unprepare(self.owner.as_raw()) };
    }
}

/// A [`Clock`] in use.
///
/// The use ends when this is dropped, on any thread.
///
/// # Invariants
///
/// It was taken, and is not released as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct Running<'a> {
    owner: &'a Clock,
}

impl<'a> Drop for Running<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants it was taken, and is released once, here.
        unsafe { bindings::clock_stop(self.owner.as_raw()) };
    }
}

/// The kernel's `vault`.
///
/// # Invariants
///
/// `inner` is a `bindings::vault` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Vault<T> {
    #[pin]
    inner: Opaque<bindings::vault>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for Vault<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send> Sync for Vault<T> {}

impl<T> Vault<T> {
    /// Makes one with `bindings::vault_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::vault| {
            // SAFETY: `slot` is storage for a `struct vault` that does not move.
            unsafe { bindings::vault_init(slot) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::vault`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::vault {
        self.inner.get()
    }
}
