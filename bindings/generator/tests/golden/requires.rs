// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `requires.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/requires.h`](srctree/include/requires.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    sync::aref::ARef,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// The kernel's `door`.
///
/// # Invariants
///
/// `inner` is a `bindings::door` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Door {
    #[pin]
    inner: Opaque<bindings::door>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Door {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Door {}

impl Door {
    /// Makes one with `bindings::door_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::door| {
            // SAFETY: `slot` is storage for a `struct door` that does not move.
            unsafe { bindings::door_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::door`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::door {
        self.inner.get()
    }

    /// Takes the lock with `bindings::door_read`.
    #[inline]
    pub fn read(&self) -> ReadGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct door`.
        unsafe { bindings::door_read(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        ReadGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Tries to take the lock with `bindings::door_write`.
    ///
    /// # Errors
    ///
    /// Fails with `EINTR`.
    #[inline]
    pub fn write(&self) -> Result<WriteGuard<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct door`.
        to_result(unsafe { bindings::door_write(self.as_raw()) })?;
        // INVARIANT: The lock was just taken.
        Ok(WriteGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        })
    }

    /// Takes the lock with `bindings::door_write_always`.
    #[inline]
    pub fn write_always(&self) -> WriteGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct door`.
        unsafe { bindings::door_write_always(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        WriteGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

/// A lock of [`Door`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct ReadGuard<'a> {
    owner: &'a Door,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> ReadGuard<'a> {
    /// Calls `bindings::door_width`.
    #[inline]
    pub fn width(&self) -> u32 {
        // SAFETY: By its invariants `self.owner` is a valid `struct door`; `requires(ReadGuard)`
        // holds because `self` is that guard.
        unsafe { bindings::door_width(self.owner.as_raw()) }
    }
}

impl<'a> Drop for ReadGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::door_unread(self.owner.as_raw()) };
    }
}

/// A lock of [`Door`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct WriteGuard<'a> {
    owner: &'a Door,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> WriteGuard<'a> {
    /// Calls `bindings::door_widen`.
    #[inline]
    pub fn widen(&self, by: u32) {
        // SAFETY: By its invariants `self.owner` is a valid `struct door`; `requires(WriteGuard)`
        // holds because `self` is that guard.
        unsafe { bindings::door_widen(self.owner.as_raw(), by) }
    }
}

impl<'a> Drop for WriteGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::door_unwrite(self.owner.as_raw()) };
    }
}
