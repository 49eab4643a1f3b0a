// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `scoped.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/scoped.h`](srctree/include/scoped.h)

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

/// Something that must not stay locked.
///
/// # Invariants
///
/// `inner` is a `bindings::tank` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Tank<T> {
    #[pin]
    inner: Opaque<bindings::tank>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for Tank<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send> Sync for Tank<T> {}

impl<T> Tank<T> {
    /// Makes one with `bindings::tank_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::tank| {
            // SAFETY: `slot` is storage for a `struct tank` that does not move.
            unsafe { bindings::tank_init(slot) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::tank`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::tank {
        self.inner.get()
    }

    /// Open the tank.
    ///
    /// `body` runs under the lock, which is left when it returns; its result is returned.
    ///
    /// May sleep.
    #[inline]
    pub fn open<R>(&self, body: impl FnOnce(&mut TankGuard<'_, T>) -> R) -> R {
        // SAFETY: By the type's invariants `self` is a valid `struct tank`.
        unsafe { bindings::tank_open(self.as_raw()) };
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = TankGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        body(&mut guard)
    }

    /// Open the tank, if nobody kills the caller.
    ///
    /// `body` runs under the lock, if that was taken, and the lock is left when it returns; its
    /// result is returned.
    ///
    /// # Errors
    ///
    /// The errors include `EINTR`.
    #[inline]
    pub fn open_killable<R>(&self, body: impl FnOnce(&mut TankGuard<'_, T>) -> R) -> Result<R> {
        // SAFETY: By the type's invariants `self` is a valid `struct tank`.
        to_result(unsafe { bindings::tank_open_killable(self.as_raw()) })?;
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = TankGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        Ok(body(&mut guard))
    }

    /// Tries to take the lock with `bindings::tank_try_open`.
    ///
    /// `body` runs under the lock, if that was taken, and the lock is left when it returns; its
    /// result is returned.
    #[must_use = "the closure may not have run"]
    #[inline]
    pub fn try_open<R>(&self, body: impl FnOnce(&mut TankGuard<'_, T>) -> R) -> Option<R> {
        // SAFETY: By the type's invariants `self` is a valid `struct tank`.
        let taken = unsafe { bindings::tank_try_open(self.as_raw()) };
        if !taken {
            return None;
        }
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = TankGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        Some(body(&mut guard))
    }

    /// Tries to take the lock with `bindings::tank_poll_open`.
    ///
    /// `body` runs under the lock, if that was taken, and the lock is left when it returns; its
    /// result is returned.
    #[must_use = "the closure may not have run"]
    #[inline]
    pub fn poll_open<R>(&self, body: impl FnOnce(&mut TankGuard<'_, T>) -> R) -> Option<R> {
        // SAFETY: By the type's invariants `self` is a valid `struct tank`.
        let taken = unsafe { bindings::tank_poll_open(self.as_raw()) };
        if taken == 0 {
            return None;
        }
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = TankGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        Some(body(&mut guard))
    }
}

#[pinned_drop]
impl<T> PinnedDrop for Tank<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `tank_exit`).
        unsafe { bindings::tank_exit(self.inner.get()) };
    }
}

/// A lock of [`Tank`] that is held.
///
/// It exists while a closure runs, which does not own it and so cannot leak it.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
pub struct TankGuard<'a, T> {
    owner: &'a Tank<T>,
    _not_send: NotThreadSafe,
}

impl<'a, T> TankGuard<'a, T> {
    /// Calls `bindings::tank_level`.
    #[inline]
    pub fn level(&self) -> u32 {
        // SAFETY: By its invariants `self.owner` is a valid `struct tank`; `requires(TankGuard)`
        // holds because `self` is that guard.
        unsafe { bindings::tank_level(self.owner.as_raw()) }
    }

    /// Takes the lock with `bindings::tank_quiet`.
    ///
    /// `body` runs under the lock, which is left when it returns; its result is returned.
    #[inline]
    pub fn quiet<R>(&self, line: i32, body: impl FnOnce(&mut Quiet<'_, T>) -> R) -> R {
        // SAFETY: By its invariants `self.owner` is a valid `struct tank`; `requires(TankGuard)`
        // holds because `self` is that guard.
        let cookie = unsafe { bindings::tank_quiet(self.owner.as_raw(), line) };
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = Quiet {
            owner: self.owner,
            cookie,
            _not_send: NotThreadSafe,
        };
        body(&mut guard)
    }
}

impl<'a, T> Deref for TankGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `TankGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> TankGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(TankGuard = exclusive)`) no other
        // one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T> DerefMut for TankGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T> Drop for TankGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::tank_close(self.owner.as_raw()) };
    }
}

/// A lock of [`Tank`] that is held.
///
/// It exists while a closure runs, which does not own it and so cannot leak it.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists, and `cookie` is what
/// taking it returned.
pub struct Quiet<'a, T> {
    owner: &'a Tank<T>,
    cookie: usize,
    _not_send: NotThreadSafe,
}

impl<'a, T> Drop for Quiet<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock; `cookie` is the value that
        // the lock returned (`cookie`).
        unsafe { bindings::tank_loud(self.owner.as_raw(), self.cookie) };
    }
}

/// The kernel's `cask`.
///
/// # Invariants
///
/// `inner` is a `bindings::cask` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Cask {
    #[pin]
    inner: Opaque<bindings::cask>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Cask {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Cask {}

impl Cask {
    /// Makes one with `bindings::cask_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::cask| {
            // SAFETY: `slot` is storage for a `struct cask` that does not move.
            unsafe { bindings::cask_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::cask`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::cask {
        self.inner.get()
    }

    /// Takes the lock with `bindings::cask_open`.
    ///
    /// `body` runs under the lock, which is left when it returns; its result is returned.
    #[inline]
    pub fn open<R>(&self, body: impl FnOnce(&mut CaskGuard<'_>) -> R) -> R {
        // SAFETY: By the type's invariants `self` is a valid `struct cask`.
        unsafe { bindings::cask_open(self.as_raw()) };
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = CaskGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        body(&mut guard)
    }
}

#[pinned_drop]
impl PinnedDrop for Cask {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `cask_exit`).
        unsafe { bindings::cask_exit(self.inner.get()) };
    }
}

/// A lock of [`Cask`] that is held.
///
/// It exists while a closure runs, which does not own it and so cannot leak it.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
pub struct CaskGuard<'a> {
    owner: &'a Cask,
    _not_send: NotThreadSafe,
}

impl<'a> Drop for CaskGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::cask_close(self.owner.as_raw()) };
    }
}

/// The kernel's `vat`.
///
/// # Invariants
///
/// `inner` is a `bindings::vat` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Vat {
    #[pin]
    inner: Opaque<bindings::vat>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Vat {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Vat {}

impl Vat {
    /// Makes one with `bindings::vat_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::vat| {
            // SAFETY: `slot` is storage for a `struct vat` that does not move.
            unsafe { bindings::vat_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::vat`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::vat {
        self.inner.get()
    }
}

#[pinned_drop]
impl PinnedDrop for Vat {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `vat_exit`).
        unsafe { bindings::vat_exit(self.inner.get()) };
    }
}
