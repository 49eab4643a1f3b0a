// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `zeroed.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/zeroed.h`](srctree/include/zeroed.h)

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

/// Boils water.
///
/// # Invariants
///
/// `inner` is a `bindings::kettle` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Kettle {
    #[pin]
    inner: Opaque<bindings::kettle>,
    _not_send: NotThreadSafe,
}

impl Kettle {
    /// Makes one with `bindings::kettle_init`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::kettle_init`.
    pub fn new() -> impl PinInit<Self, Error> {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::kettle| {
            // SAFETY: `slot` is storage for a `struct kettle`, which may be written.
            unsafe {
                slot.write_bytes(0, 1);
            }
            // SAFETY: `slot` is storage for a `struct kettle` that does not move, and is zero
            // (`zeroed`).
            to_result(unsafe { bindings::kettle_init(slot) })
        });
        try_pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::kettle`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::kettle {
        self.inner.get()
    }
}

#[pinned_drop]
impl PinnedDrop for Kettle {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `kettle_exit`).
        unsafe { bindings::kettle_exit(self.inner.get()) };
    }
}

/// One at a time.
///
/// # Invariants
///
/// `inner` is a `bindings::tap` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Tap {
    #[pin]
    inner: Opaque<bindings::tap>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Tap {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Tap {}

impl Tap {
    /// Make one that nobody holds.
    pub fn new(
        name: &'static CStr,
        key: Pin<&'static crate::sync::LockClassKey>,
    ) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::tap| {
            // SAFETY: `slot` is storage for a `struct tap` that does not move; `name` is freed
            // with its module only, when C does not use the object any more (`keeps`); `key` is
            // never freed, so C may keep it (`keeps`).
            unsafe { bindings::tap_init(slot, name.as_char_ptr(), key.as_ptr()) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::tap`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::tap {
        self.inner.get()
    }

    /// Takes the lock with `bindings::tap_turn`.
    #[inline]
    pub fn turn(&self) -> TapGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct tap`.
        unsafe { bindings::tap_turn(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        TapGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

/// A lock of [`Tap`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct TapGuard<'a> {
    owner: &'a Tap,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for TapGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::tap_close(self.owner.as_raw()) };
    }
}
