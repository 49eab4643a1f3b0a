// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `cookie.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/cookie.h`](srctree/include/cookie.h)

use crate::{
    bindings,
    prelude::*,
    sync::aref::ARef,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// Counts who is inside, on one side or the other.
///
/// # Invariants
///
/// `inner` is a `bindings::turnstile` that its constructor has initialised; it stays where it
/// is until it is dropped.
#[pin_data]
pub struct Turnstile {
    #[pin]
    inner: Opaque<bindings::turnstile>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Turnstile {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Turnstile {}

impl Turnstile {
    /// Makes one with `bindings::turnstile_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::turnstile| {
            // SAFETY: `slot` is storage for a `struct turnstile` that does not move.
            unsafe { bindings::turnstile_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::turnstile`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::turnstile {
        self.inner.get()
    }

    /// Go inside.
    ///
    /// Returns the side by which one must leave.
    #[inline]
    pub fn enter(&self) -> InsideGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct turnstile`.
        let cookie = unsafe { bindings::turnstile_enter(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        InsideGuard {
            owner: self,
            cookie,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

/// A lock of [`Turnstile`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists, and `cookie` is what
/// taking it returned.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct InsideGuard<'a> {
    owner: &'a Turnstile,
    cookie: i32,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for InsideGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock; `cookie` is the value that
        // the lock returned (`cookie`).
        unsafe { bindings::turnstile_leave(self.owner.as_raw(), self.cookie) };
    }
}
