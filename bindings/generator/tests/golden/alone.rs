// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `alone.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/alone.h`](srctree/include/alone.h)

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

/// The kernel's `shelf`.
///
/// # Invariants
///
/// `inner` is a `bindings::shelf` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Shelf<T> {
    #[pin]
    inner: Opaque<bindings::shelf>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for Shelf<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send + Sync> Sync for Shelf<T> {}

impl<T> Shelf<T> {
    /// Makes one with `bindings::shelf_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::shelf| {
            // SAFETY: `slot` is storage for a `struct shelf` that does not move.
            unsafe { bindings::shelf_init(slot) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::shelf`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::shelf {
        self.inner.get()
    }

    /// Takes the lock with `bindings::shelf_read`.
    #[inline]
    pub fn read(&self) -> Reading<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        unsafe { bindings::shelf_read(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        Reading {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Takes the lock with `bindings::shelf_write`.
    #[inline]
    pub fn write(&self) -> Writing<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        unsafe { bindings::shelf_write(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        Writing {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

/// A lock of [`Shelf`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct Reading<'a, T> {
    owner: &'a Shelf<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T> Reading<'a, T> {
    /// Calls `bindings::shelf_yield`.
    #[inline]
    pub fn yield_(&mut self) {
        // SAFETY: By its invariants `self.owner` is a valid `struct shelf`; `requires(Reading)`
        // holds because `self` is that guard.
        unsafe { bindings::shelf_yield(self.owner.as_raw()) }
    }
}

impl<'a, T> Deref for Reading<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `Reading` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> Drop for Reading<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::shelf_read_end(self.owner.as_raw()) };
    }
}

/// A lock of [`Shelf`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct Writing<'a, T> {
    owner: &'a Shelf<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T> Writing<'a, T> {
    /// Calls `bindings::shelf_wait`.
    #[inline]
    pub fn wait(&mut self) {
        // SAFETY: By its invariants `self.owner` is a valid `struct shelf`; `requires(Writing)`
        // holds because `self` is that guard.
        unsafe { bindings::shelf_wait(self.owner.as_raw()) }
    }

    /// Calls `bindings::shelf_count`.
    #[inline]
    pub fn count(&self) -> i32 {
        // SAFETY: By its invariants `self.owner` is a valid `struct shelf`; `requires(Writing)`
        // holds because `self` is that guard.
        unsafe { bindings::shelf_count(self.owner.as_raw()) }
    }
}

impl<'a, T> Deref for Writing<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `Writing` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> Writing<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(Writing = exclusive)`) no other
        // one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T> DerefMut for Writing<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T> Drop for Writing<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::shelf_write_end(self.owner.as_raw()) };
    }
}
