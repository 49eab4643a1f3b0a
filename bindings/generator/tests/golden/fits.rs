// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `fits.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/fits.h`](srctree/include/fits.h)

use crate::{
    bindings,
    prelude::*,
    sync::aref::ARef,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// A value of `bindings::paint`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// `PAINT_RED`.
    Red = bindings::paint_PAINT_RED,
    /// `PAINT_GREEN`.
    Green = bindings::paint_PAINT_GREEN,
}

/// The kernel's `map`.
#[repr(transparent)]
pub struct Map(pub(crate) bindings::map);

impl Map {
    /// The member `scale`.
    #[inline]
    pub fn scale(&self) -> i32 {
        self.0.scale
    }
}

/// The kernel's `yard`.
///
/// # Invariants
///
/// `inner` is a `bindings::yard` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Yard {
    #[pin]
    inner: Opaque<bindings::yard>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Yard {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Yard {}

impl Yard {
    /// Makes one with `bindings::yard_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::yard| {
            // SAFETY: `slot` is storage for a `struct yard` that does not move.
            unsafe { bindings::yard_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::yard`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::yard {
        self.inner.get()
    }

    /// Calls `bindings::yard_size`.
    #[inline]
    pub fn size(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct yard`.
        unsafe { bindings::yard_size(self.as_raw()) }
    }

    /// Takes the lock with `bindings::yard_enter`.
    #[inline]
    pub fn enter(&self) -> YardGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct yard`.
        unsafe { bindings::yard_enter(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        YardGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Takes the lock with `bindings::yard_unlock_with`.
    #[inline]
    pub fn unlock_with(&self, key: i32) -> KeyGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct yard`.
        unsafe { bindings::yard_unlock_with(self.as_raw(), key) };
        // INVARIANT: The lock was just taken.
        KeyGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Tries to take the lock with `bindings::yard_try_with`.
    #[must_use = "the lock is left at once when the guard is not used"]
    #[inline]
    pub fn try_with(&self, key: i32) -> Option<YardGuard<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct yard`.
        let taken = unsafe { bindings::yard_try_with(self.as_raw(), key) };
        if taken {
            // INVARIANT: The lock was just taken.
            Some(YardGuard {
                owner: self,
                _not_send: NotThreadSafe,
                _task: ARef::from(&**crate::current!()),
            })
        } else {
            None
        }
    }

    /// Runs a section of `bindings::yard`.
    ///
    /// `body` is repeated until the data has not changed while it ran; the result of the last
    /// run is returned.
    pub fn look<R>(&self, mut body: impl FnMut(&Self) -> R) -> R {
        loop {
            // SAFETY: By the type's invariants `self` is a valid `struct yard`.
            let sequence = unsafe { bindings::yard_look(self.as_raw()) };
            let result = body(self);
            // SAFETY: By the type's invariants `self` is valid; `sequence` is what `yard_look`
            // returned for it.
            let changed = unsafe { bindings::yard_looked(self.as_raw(), sequence) };
            if !changed {
                return result;
            }
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Yard {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `yard_exit`).
        unsafe { bindings::yard_exit(self.inner.get()) };
    }
}

/// A lock of [`Yard`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct YardGuard<'a> {
    owner: &'a Yard,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for YardGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::yard_leave(self.owner.as_raw()) };
    }
}

/// A lock of [`Yard`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct KeyGuard<'a> {
    owner: &'a Yard,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for KeyGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::yard_lock_up(self.owner.as_raw()) };
    }
}

/// The kernel's `shed`.
///
/// # Invariants
///
/// `inner` is a `bindings::shed` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Shed {
    #[pin]
    inner: Opaque<bindings::shed>,
    _not_send: NotThreadSafe,
}

impl Shed {
    /// Makes one with `bindings::shed_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::shed| {
            // SAFETY: `slot` is storage for a `struct shed` that does not move.
            unsafe { bindings::shed_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::shed`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::shed {
        self.inner.get()
    }
}

/// The kernel's `well`.
///
/// # Invariants
///
/// `inner` is a `bindings::well` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Well {
    #[pin]
    inner: Opaque<bindings::well>,
    _not_send: NotThreadSafe,
}

impl Well {
    /// Makes one with `bindings::well_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::well| {
            // SAFETY: `slot` is storage for a `struct well` that does not move.
            unsafe { bindings::well_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::well`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::well {
        self.inner.get()
    }
}
