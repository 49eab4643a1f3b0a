// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/completion.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/completion.h`](srctree/include/linux/completion.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// An event that is waited for.
///
/// # Invariants
///
/// `inner` is a `bindings::completion` that its constructor has initialised; it stays where it
/// is until it is dropped.
#[pin_data]
pub struct Completion {
    #[pin]
    inner: Opaque<bindings::completion>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Completion {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Completion {}

impl Completion {
    /// Make one whose event has not happened.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::completion| {
            // SAFETY: `slot` is storage for a `struct completion` that does not move.
            unsafe { bindings::init_completion(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::completion`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::completion {
        self.inner.get()
    }

    /// Let one waiter continue, now or later.
    ///
    /// Never sleeps.
    #[inline]
    pub fn complete(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct completion`.
        unsafe { bindings::complete(self.as_raw()) }
    }

    /// Let all waiters continue, now and later.
    ///
    /// Never sleeps.
    #[inline]
    pub fn complete_all(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct completion`.
        unsafe { bindings::complete_all(self.as_raw()) }
    }

    /// Wait for the event, however long it takes.
    ///
    /// May sleep.
    #[inline]
    pub fn wait(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct completion`.
        unsafe { bindings::wait_for_completion(self.as_raw()) }
    }

    /// Wait for the event or for the end of a time.
    ///
    /// Returns 0 when the time has ended, otherwise how many jiffies were left, at least 1.
    ///
    /// May sleep.
    #[inline]
    pub fn wait_timeout(&self, timeout: crate::time::Jiffies) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct completion`.
        unsafe { bindings::wait_for_completion_timeout(self.as_raw(), timeout) }
    }

    /// Wait for the event, or until the task is killed.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// The errors include `ERESTARTSYS`.
    #[inline]
    pub fn wait_killable(&self) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct completion`.
        to_result(unsafe { bindings::wait_for_completion_killable(self.as_raw()) })
    }

    /// Wait for the event, the end of a time, or until the task is killed.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::wait_for_completion_killable_timeout`.
    #[inline]
    pub fn wait_killable_timeout(&self, timeout: crate::time::Jiffies) -> Result<usize> {
        // SAFETY: By the type's invariants `self` is a valid `struct completion`.
        let value =
            unsafe { bindings::wait_for_completion_killable_timeout(self.as_raw(), timeout) };
        if value < 0 {
            return Err(Error::from_errno(value as c_int));
        }
        Ok(value as usize)
    }

    /// Take the event if it has happened.
    ///
    /// Returns whether it had.
    ///
    /// Never sleeps.
    #[inline]
    pub fn try_wait(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct completion`.
        unsafe { bindings::try_wait_for_completion(self.as_raw()) }
    }

    /// Ask whether a wait would end at once.
    ///
    /// Returns whether it would.
    ///
    /// Never sleeps.
    #[inline]
    pub fn is_done(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct completion`.
        unsafe { bindings::completion_done(self.as_raw()) }
    }
}
