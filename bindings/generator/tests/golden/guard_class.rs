// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `guard_class.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/guard_class.h`](srctree/include/guard_class.h)

use crate::{
    bindings,
    prelude::*,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::ptr::NonNull;

/// The kernel's `lamp`.
///
/// # Invariants
///
/// `inner` is a `bindings::lamp` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Lamp {
    #[pin]
    inner: Opaque<bindings::lamp>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Lamp {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Lamp {}

impl Lamp {
    /// Makes one with `bindings::lamp_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::lamp| {
            // SAFETY: `slot` is storage for a `struct lamp` that does not move.
            unsafe { bindings::lamp_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::lamp`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::lamp {
        self.inner.get()
    }

    /// Takes the lock with `bindings::lamp_on`.
    #[inline]
    pub fn on(&self) -> LampGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct lamp`.
        unsafe { bindings::lamp_on(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        LampGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

/// A lock of [`Lamp`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct LampGuard<'a> {
    owner: &'a Lamp,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for LampGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::lamp_off(self.owner.as_raw()) };
    }
}

/// The kernel's `shelf`.
///
/// # Invariants
///
/// `inner` is a `bindings::shelf` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Shelf {
    #[pin]
    inner: Opaque<bindings::shelf>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Shelf {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Shelf {}

impl Shelf {
    /// Makes one with `bindings::shelf_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::shelf| {
            // SAFETY: `slot` is storage for a `struct shelf` that does not move.
            unsafe { bindings::shelf_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::shelf`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::shelf {
        self.inner.get()
    }

    /// Calls `bindings::shelf_first`.
    #[inline]
    pub fn first(&self) -> ARef<Book> {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        let ptr = unsafe { bindings::shelf_first(self.as_raw()) };
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        // SAFETY: By the contract (`owned`) the caller owns the reference.
        unsafe { ARef::from_raw(ptr.cast()) }
    }

    /// Calls `bindings::shelf_last`.
    #[inline]
    pub fn last(&self) -> &Book {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        let ptr = unsafe { bindings::shelf_last(self.as_raw()) };
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        // SAFETY: By the contract (`borrowed(shelf)`) it is valid as long as `self`.
        unsafe { <Book>::from_raw(ptr.as_ptr()) }
    }

    /// Calls `bindings::shelf_lend`.
    #[inline]
    pub fn lend(&self, to: NonNull<c_void>) {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        unsafe { bindings::shelf_lend(self.as_raw(), to.as_ptr()) }
    }

    /// Tries to take the lock with `bindings::shelf_try_read`.
    ///
    /// Never sleeps.
    #[must_use = "the lock is left at once when the guard is not used"]
    #[inline]
    pub fn try_read(&self) -> Option<LockSharedGuard<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        let taken = unsafe { bindings::shelf_try_read(self.as_raw()) };
        if taken {
            // INVARIANT: The lock was just taken.
            Some(LockSharedGuard {
                owner: self,
                _not_send: NotThreadSafe,
                _task: ARef::from(&**crate::current!()),
            })
        } else {
            None
        }
    }

    /// Takes the lock with `bindings::shelf_read`.
    ///
    /// May sleep.
    #[inline]
    pub fn read(&self) -> LockSharedGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        unsafe { bindings::shelf_read(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        LockSharedGuard {
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
pub struct LockSharedGuard<'a> {
    owner: &'a Shelf,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for LockSharedGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::shelf_unread(self.owner.as_raw()) };
    }
}

/// The kernel's `book`.
///
/// # Invariants
///
/// A value of this type is a `bindings::book` with a reference count, reached by reference
/// only.
#[repr(transparent)]
pub struct Book(Opaque<bindings::book>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Book {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Book {}

impl Book {
    /// Returns a raw pointer to the `bindings::book`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::book {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::book` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::book) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }
}

// SAFETY: By the contract (`get`, `put`) every `struct book` has a count, and lives while it is
// not zero.
unsafe impl AlwaysRefCounted for Book {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is a reference, so the count is not zero.
        unsafe { bindings::book_get(self.as_raw()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller passes on the reference that it owns.
        unsafe { bindings::book_put(obj.cast().as_ptr()) };
    }
}
