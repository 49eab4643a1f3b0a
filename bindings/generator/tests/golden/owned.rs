// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `owned.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/owned.h`](srctree/include/owned.h)

use crate::bindings;
use core::ptr::NonNull;

/// The kernel's `session`.
///
/// # Invariants
///
/// `ptr` points to a `bindings::session` that belongs to this value.
pub struct Session {
    ptr: NonNull<bindings::session>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Session {}

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

    /// Calls `bindings::session_id`.
    #[inline]
    pub fn id(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct session`.
        unsafe { bindings::session_id(self.as_raw()) }
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
