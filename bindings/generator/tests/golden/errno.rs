// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `errno.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/errno.h`](srctree/include/errno.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// The result of a call that may lose a race.
#[must_use = "a call that lost a race has done nothing; repeat it"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The call succeeded.
    Done,
    /// The call lost a race; repeat it.
    Again,
}

/// The kernel's `port`.
///
/// # Invariants
///
/// `inner` is a `bindings::port` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Port {
    #[pin]
    inner: Opaque<bindings::port>,
    _not_send: NotThreadSafe,
}

impl Port {
    /// Makes one with `bindings::port_init`.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL`.
    pub fn new(number: i32) -> impl PinInit<Self, Error> {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::port| {
            // SAFETY: `slot` is storage for a `struct port` that does not move.
            to_result(unsafe { bindings::port_init(slot, number) })
        });
        try_pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::port`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::port {
        self.inner.get()
    }

    /// Send a value.
    ///
    /// Never sleeps.
    ///
    /// # Errors
    ///
    /// Fails with `EIO`.
    ///
    /// After `EBUSY`, `EAGAIN` the call has lost a race; repeat it.
    #[inline]
    pub fn send(&self, value: u32) -> Result<Attempt> {
        // SAFETY: By the type's invariants `self` is a valid `struct port`.
        let result = to_result(unsafe { bindings::port_send(self.as_raw(), value) });
        match result {
            Ok(()) => Ok(Attempt::Done),
            Err(error) if error == EBUSY => Ok(Attempt::Again),
            Err(error) if error == EAGAIN => Ok(Attempt::Again),
            Err(error) => Err(error),
        }
    }

    /// How many values wait.
    ///
    /// # Errors
    ///
    /// Fails with `EIO`.
    #[inline]
    pub fn pending(&self) -> Result<u32> {
        // SAFETY: By the type's invariants `self` is a valid `struct port`.
        let value = unsafe { bindings::port_pending(self.as_raw()) };
        to_result(value)?;
        Ok(value as u32)
    }
}

#[pinned_drop]
impl PinnedDrop for Port {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `port_exit`).
        unsafe { bindings::port_exit(self.inner.get()) };
    }
}
