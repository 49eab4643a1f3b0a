// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/srcu.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/srcu.h`](srctree/include/linux/srcu.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// Readers that others can wait for, and that may sleep.
///
/// # Invariants
///
/// `inner` is a `bindings::srcu_struct` that its constructor has initialised; it stays where it
/// is until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Srcu {
    #[pin]
    inner: Opaque<bindings::srcu_struct>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Srcu {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Srcu {}

impl Srcu {
    /// Make one without readers.
    ///
    /// # Safety
    ///
    /// The caller must promise that no `SrcuReader` is leaked: C then does not wait for the
    /// work that still uses the structure.
    ///
    /// # Errors
    ///
    /// The errors include `ENOMEM`.
    pub unsafe fn new() -> impl PinInit<Self, Error> {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::srcu_struct| {
            // SAFETY: `slot` is storage for a `struct srcu_struct` that does not move; the caller
            // promises that no `SrcuReader` is leaked: C then does not wait for the work that
            // still uses the structure.
            to_result(unsafe { bindings::init_srcu_struct(slot) })
        });
        try_pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::srcu_struct`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::srcu_struct {
        self.inner.get()
    }

    /// Wait for all who are readers now.
    ///
    /// May sleep.
    #[inline]
    pub fn synchronize(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct srcu_struct`.
        unsafe { bindings::synchronize_srcu(self.as_raw()) }
    }

    /// Wait for all who are readers now, with haste.
    ///
    /// May sleep.
    #[inline]
    pub fn synchronize_expedited(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct srcu_struct`.
        unsafe { bindings::synchronize_srcu_expedited(self.as_raw()) }
    }

    /// Wait for all callbacks of earlier calls.
    ///
    /// May sleep.
    #[inline]
    pub fn barrier(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct srcu_struct`.
        unsafe { bindings::srcu_barrier(self.as_raw()) }
    }

    /// Become a reader.
    #[inline]
    pub fn read(&self) -> SrcuReader<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct srcu_struct`.
        let cookie = unsafe { bindings::srcu_read_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        SrcuReader {
            owner: self,
            cookie,
            _not_send: NotThreadSafe,
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Srcu {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `cleanup_srcu_struct`).
        unsafe { bindings::cleanup_srcu_struct(self.inner.get()) };
    }
}

/// A lock of [`Srcu`] that is held.
///
/// It is released when this is dropped.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists, and `cookie` is what
/// taking it returned.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct SrcuReader<'a> {
    owner: &'a Srcu,
    cookie: i32,
    _not_send: NotThreadSafe,
}

impl<'a> Drop for SrcuReader<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock; `cookie` is the value that
        // the lock returned (`cookie`).
        unsafe { bindings::srcu_read_unlock(self.owner.as_raw(), self.cookie) };
    }
}
