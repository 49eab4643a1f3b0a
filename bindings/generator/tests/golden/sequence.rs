// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `sequence.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/sequence.h`](srctree/include/sequence.h)

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

/// The kernel's `table`.
///
/// # Invariants
///
/// `inner` is a `bindings::table` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Table<T> {
    #[pin]
    inner: Opaque<bindings::table>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for Table<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send> Sync for Table<T> {}

impl<T> Table<T> {
    /// Makes one with `bindings::table_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::table| {
            // SAFETY: `slot` is storage for a `struct table` that does not move.
            unsafe { bindings::table_init(slot) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::table`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::table {
        self.inner.get()
    }

    /// Takes the lock with `bindings::table_lock`.
    #[inline]
    pub fn lock(&self) -> TableGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct table`.
        unsafe { bindings::table_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        TableGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Run on what a table holds, once it holds still.
    ///
    /// `prepare` runs with no lock held, and is repeated until the data has not changed
    /// meanwhile; then `body` runs once, under the lock, on the value that `prepare` returned.
    ///
    /// # Errors
    ///
    /// Fails with the error of `prepare`.
    pub fn when_stable<P, R>(
        &self,
        mut prepare: impl FnMut() -> Result<P>,
        body: impl FnOnce(P, &mut TableGuard<'_, T>) -> R,
    ) -> Result<R> {
        loop {
            // SAFETY: By the type's invariants `self` is a valid `struct table`.
            let sequence = unsafe { bindings::table_begin(self.as_raw()) };
            let prepared = prepare()?;
            let mut guard = self.lock();
            // SAFETY: By the type's invariants `self` is valid; `sequence` is what `table_begin`
            // returned for it.
            let changed = unsafe { bindings::table_retry(self.as_raw(), sequence) };
            if !changed {
                return Ok(body(prepared, &mut guard));
            }
        }
    }
}

/// A lock of [`Table`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct TableGuard<'a, T> {
    owner: &'a Table<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T> Deref for TableGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `TableGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> TableGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(TableGuard = exclusive)`) no
        // other one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T> DerefMut for TableGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T> Drop for TableGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::table_unlock(self.owner.as_raw()) };
    }
}

/// The kernel's `clock`.
///
/// # Invariants
///
/// `inner` is a `bindings::clock` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Clock {
    #[pin]
    inner: Opaque<bindings::clock>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Clock {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Clock {}

impl Clock {
    /// Makes one with `bindings::clock_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::clock| {
            // SAFETY: `slot` is storage for a `struct clock` that does not move.
            unsafe { bindings::clock_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::clock`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::clock {
        self.inner.get()
    }

    /// Calls `bindings::clock_seconds`.
    ///
    /// Never sleeps.
    #[inline]
    pub fn seconds(&self) -> u32 {
        // SAFETY: By the type's invariants `self` is a valid `struct clock`.
        unsafe { bindings::clock_seconds(self.as_raw()) }
    }

    /// Runs a section of `bindings::clock`.
    ///
    /// `body` is repeated until the data has not changed while it ran; the result of the last
    /// run is returned.
    pub fn consistently<R>(&self, mut body: impl FnMut(&Self) -> R) -> R {
        loop {
            // SAFETY: By the type's invariants `self` is a valid `struct clock`.
            let sequence = unsafe { bindings::clock_begin(self.as_raw()) };
            let result = body(self);
            // SAFETY: By the type's invariants `self` is valid; `sequence` is what `clock_begin`
            // returned for it.
            let changed = unsafe { bindings::clock_retry(self.as_raw(), sequence) };
            if changed == 0 {
                return result;
            }
        }
    }
}
