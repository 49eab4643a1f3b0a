// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/percpu-rwsem.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/percpu-rwsem.h`](srctree/include/linux/percpu-rwsem.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
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

/// Readers that cost little, and writers that cost much.
///
/// # Invariants
///
/// `inner` is a `bindings::percpu_rw_semaphore` that its constructor has initialised; it stays
/// where it is until it is dropped.
#[pin_data(PinnedDrop)]
pub struct PercpuRwSemaphore<T> {
    #[pin]
    inner: Opaque<bindings::percpu_rw_semaphore>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for PercpuRwSemaphore<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send + Sync> Sync for PercpuRwSemaphore<T> {}

impl<T> PercpuRwSemaphore<T> {
    /// Make one that nobody holds.
    ///
    /// # Safety
    ///
    /// The caller must promise that no `PercpuWriteGuard` is leaked: the kernel warns of what
    /// then has a writer when it ends.
    ///
    /// # Errors
    ///
    /// The errors include `ENOMEM`.
    pub unsafe fn new<E>(data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::percpu_rw_semaphore| {
            // SAFETY: `slot` is storage for a `struct percpu_rw_semaphore` that does not move;
            // the caller promises that no `PercpuWriteGuard` is leaked: the kernel warns of what
            // then has a writer when it ends.
            to_result(unsafe { bindings::percpu_init_rwsem(slot) })
        });
        try_pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::percpu_rw_semaphore`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::percpu_rw_semaphore {
        self.inner.get()
    }

    /// Wait until no writer holds it.
    ///
    /// May sleep.
    #[inline]
    pub fn read(&self) -> PercpuReadGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct percpu_rw_semaphore`.
        unsafe { bindings::percpu_down_read(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        PercpuReadGuard {
            owner: self,
            _not_send: NotThreadSafe,
        }
    }

    /// Share it if no writer holds it.
    ///
    /// Returns whether it is held now.
    ///
    /// Never sleeps.
    #[must_use = "the lock is left at once when the guard is not used"]
    #[inline]
    pub fn try_read(&self) -> Option<PercpuReadGuard<'_, T>> {
        // SAFETY: By the type's invariants `self` is a valid `struct percpu_rw_semaphore`.
        let taken = unsafe { bindings::percpu_down_read_trylock(self.as_raw()) };
        if taken {
            // INVARIANT: The lock was just taken.
            Some(PercpuReadGuard {
                owner: self,
                _not_send: NotThreadSafe,
            })
        } else {
            None
        }
    }

    /// Wait until nobody holds it.
    ///
    /// May sleep.
    #[inline]
    pub fn write(&self) -> PercpuWriteGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct percpu_rw_semaphore`.
        unsafe { bindings::percpu_down_write(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        PercpuWriteGuard {
            owner: self,
            _not_send: NotThreadSafe,
        }
    }
}

#[pinned_drop]
impl<T> PinnedDrop for PercpuRwSemaphore<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `percpu_free_rwsem`).
        unsafe { bindings::percpu_free_rwsem(self.inner.get()) };
    }
}

/// A lock of [`PercpuRwSemaphore`] that is held.
///
/// It is released when this is dropped.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct PercpuReadGuard<'a, T> {
    owner: &'a PercpuRwSemaphore<T>,
    _not_send: NotThreadSafe,
}

impl<'a, T> Deref for PercpuReadGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `PercpuReadGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> Drop for PercpuReadGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::percpu_up_read(self.owner.as_raw()) };
    }
}

/// A lock of [`PercpuRwSemaphore`] that is held.
///
/// It is released when this is dropped.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct PercpuWriteGuard<'a, T> {
    owner: &'a PercpuRwSemaphore<T>,
    _not_send: NotThreadSafe,
}

impl<'a, T> Deref for PercpuWriteGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `PercpuWriteGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> PercpuWriteGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(PercpuWriteGuard = exclusive)`)
        // no other one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T> DerefMut for PercpuWriteGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T> Drop for PercpuWriteGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::percpu_up_write(self.owner.as_raw()) };
    }
}
