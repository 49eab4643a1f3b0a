// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `lock.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/lock.h`](srctree/include/lock.h)

use crate::{
    bindings,
    prelude::*,
    sync::aref::ARef,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::{
    cell::UnsafeCell,
    ops::{
        Deref,
        DerefMut, //
    }, //
};
use pin_init::Wrapper;

/// The kernel's `gate`.
///
/// # Invariants
///
/// `inner` is a `bindings::gate` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Gate<T> {
    #[pin]
    inner: Opaque<bindings::gate>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for Gate<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send> Sync for Gate<T> {}

impl<T> Gate<T> {
    /// Makes one with `bindings::gate_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::gate| {
            // SAFETY: `slot` is storage for a `struct gate` that does not move.
            unsafe { bindings::gate_init(slot) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::gate`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::gate {
        self.inner.get()
    }

    /// Takes the lock with `bindings::gate_enter`.
    #[inline]
    pub fn enter(&self) -> GateGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct gate`.
        unsafe { bindings::gate_enter(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        GateGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Tries to take the lock with `bindings::gate_try_enter`.
    ///
    /// Never sleeps.
    #[must_use = "the lock is left at once when the guard is not used"]
    #[inline]
    pub fn try_enter(&self) -> Option<GateGuard<'_, T>> {
        // SAFETY: By the type's invariants `self` is a valid `struct gate`.
        let taken = unsafe { bindings::gate_try_enter(self.as_raw()) };
        if taken {
            // INVARIANT: The lock was just taken.
            Some(GateGuard {
                owner: self,
                _not_send: NotThreadSafe,
                _task: ARef::from(&**crate::current!()),
            })
        } else {
            None
        }
    }
}

/// A lock of [`Gate`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct GateGuard<'a, T> {
    owner: &'a Gate<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T> GateGuard<'a, T> {
    /// How often it was entered.
    #[inline]
    pub fn count(&mut self) -> u32 {
        // SAFETY: By its invariants `self.owner` is a valid `struct gate`; `requires(GateGuard)`
        // holds because `self` is that guard.
        unsafe { bindings::gate_count(self.owner.as_raw()) }
    }
}

impl<'a, T> Deref for GateGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `GateGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> GateGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(GateGuard = exclusive)`) no other
        // one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T> DerefMut for GateGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T> Drop for GateGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::gate_leave(self.owner.as_raw()) };
    }
}
