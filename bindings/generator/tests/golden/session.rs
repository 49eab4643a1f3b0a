// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `session.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/session.h`](srctree/include/session.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    sync::aref::ARef,
    types::NotThreadSafe, //
};
use core::ptr::NonNull;

/// A connection to a device.
///
/// # Invariants
///
/// `ptr` points to a `bindings::session` that belongs to this value.
pub struct Session {
    ptr: NonNull<bindings::session>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Session {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Session {}

impl Session {
    /// Open a session.
    #[inline]
    pub fn new(id: i32) -> Option<Session> {
        // SAFETY: The contract requires nothing of the caller.
        let ptr = NonNull::new(unsafe { bindings::session_open(id) })?;
        Some(Session { ptr })
    }

    /// Returns a raw pointer to the `bindings::session`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::session {
        self.ptr.as_ptr()
    }

    /// Send bytes to the device.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::session_write`.
    #[inline]
    pub fn write(&self, data: &[u8]) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct session`; `data` is passed
        // with its own length.
        to_result(unsafe { bindings::session_write(self.as_raw(), data.as_ptr(), data.len()) })
    }

    /// Takes the lock with `bindings::session_lock`.
    #[inline]
    pub fn lock(&self) -> SessionGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct session`.
        unsafe { bindings::session_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        SessionGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

impl Drop for Session {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `session_close`).
        unsafe { bindings::session_close(self.ptr.as_ptr()) };
    }
}

/// A lock of [`Session`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct SessionGuard<'a> {
    owner: &'a Session,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> SessionGuard<'a> {
    /// Count the bytes that the device has not fetched yet.
    #[inline]
    pub fn pending(&self) -> usize {
        // SAFETY: By its invariants `self.owner` is a valid `struct session`;
        // `requires(SessionGuard)` holds because `self` is that guard.
        unsafe { bindings::session_pending(self.owner.as_raw()) }
    }
}

impl<'a> Drop for SessionGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::session_unlock(self.owner.as_raw()) };
    }
}
