// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/rwsem.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/rwsem.h`](srctree/include/linux/rwsem.h)

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
use core::{
    cell::UnsafeCell,
    ops::{
        Deref,
        DerefMut, //
    }, //
};
use pin_init::Wrapper;

/// Many readers or one writer, who may sleep.
///
/// # Invariants
///
/// `inner` is a `bindings::rw_semaphore` that its constructor has initialised; it stays where
/// it is until it is dropped.
#[pin_data]
pub struct RwSemaphore<T> {
    #[pin]
    inner: Opaque<bindings::rw_semaphore>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for RwSemaphore<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send + Sync> Sync for RwSemaphore<T> {}

impl<T> RwSemaphore<T> {
    /// Make one that nobody holds.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::rw_semaphore| {
            // SAFETY: `slot` is storage for a `struct rw_semaphore` that does not move.
            unsafe { bindings::init_rwsem(slot) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::rw_semaphore`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::rw_semaphore {
        self.inner.get()
    }

    /// Wait until no writer holds it.
    ///
    /// May sleep.
    #[inline]
    pub fn read(&self) -> ReadGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct rw_semaphore`.
        unsafe { bindings::down_read(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        ReadGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Share it if no writer holds it.
    ///
    /// Returns whether it is held now.
    ///
    /// Never sleeps.
    #[must_use = "the lock is left at once when the guard is not used"]
    #[inline]
    pub fn try_read(&self) -> Option<ReadGuard<'_, T>> {
        // SAFETY: By the type's invariants `self` is a valid `struct rw_semaphore`.
        let taken = unsafe { bindings::down_read_trylock(self.as_raw()) };
        if taken != 0 {
            // INVARIANT: The lock was just taken.
            Some(ReadGuard {
                owner: self,
                _not_send: NotThreadSafe,
                _task: ARef::from(&**crate::current!()),
            })
        } else {
            None
        }
    }

    /// Wait until nobody holds it.
    ///
    /// May sleep.
    #[inline]
    pub fn write(&self) -> WriteGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct rw_semaphore`.
        unsafe { bindings::down_write(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        WriteGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Wait until nobody holds it, or the task is killed.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINTR`.
    #[inline]
    pub fn write_killable(&self) -> Result<WriteGuard<'_, T>> {
        // SAFETY: By the type's invariants `self` is a valid `struct rw_semaphore`.
        to_result(unsafe { bindings::down_write_killable(self.as_raw()) })?;
        // INVARIANT: The lock was just taken.
        Ok(WriteGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        })
    }

    /// Take it if nobody holds it.
    ///
    /// Returns whether it is held now.
    ///
    /// Never sleeps.
    #[must_use = "the lock is left at once when the guard is not used"]
    #[inline]
    pub fn try_write(&self) -> Option<WriteGuard<'_, T>> {
        // SAFETY: By the type's invariants `self` is a valid `struct rw_semaphore`.
        let taken = unsafe { bindings::down_write_trylock(self.as_raw()) };
        if taken != 0 {
            // INVARIANT: The lock was just taken.
            Some(WriteGuard {
                owner: self,
                _not_send: NotThreadSafe,
                _task: ARef::from(&**crate::current!()),
            })
        } else {
            None
        }
    }
}

/// A lock of [`RwSemaphore`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct ReadGuard<'a, T> {
    owner: &'a RwSemaphore<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T> Deref for ReadGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `ReadGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> Drop for ReadGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::up_read(self.owner.as_raw()) };
    }
}

/// A lock of [`RwSemaphore`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct WriteGuard<'a, T> {
    owner: &'a RwSemaphore<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T> Deref for WriteGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `WriteGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> WriteGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(WriteGuard = exclusive)`) no
        // other one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T> DerefMut for WriteGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T> Drop for WriteGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::up_write(self.owner.as_raw()) };
    }
}
