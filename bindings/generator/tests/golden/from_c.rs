// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `from_c.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/from_c.h`](srctree/include/from_c.h)

use crate::{
    bindings,
    container_of,
    error::{
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
    prelude::*,
    sync::aref::ARef,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::{
    cell::UnsafeCell,
    ptr::NonNull, //
};
use pin_init::Wrapper;

/// The callbacks of a [`Till`], which its user implements.
///
/// The implementing type is the data that the [`Till`] holds.
#[vtable]
pub trait Operations: Sized + Send + Sync + 'static {
    /// Called by C as `opened`.
    fn opened(&self) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called by C as `closed`.
    fn closed(&self);
}

/// The kernel's `till`.
///
/// # Invariants
///
/// `inner` is a `bindings::till` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Till<T: Operations> {
    #[pin]
    inner: Opaque<bindings::till>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Operations + Send> Send for Till<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Operations + Send + Sync> Sync for Till<T> {}

impl<T: Operations> Till<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::till_ops = bindings::till_ops {
        opened: if T::HAS_OPENED {
            Some(Self::opened_callback)
        } else {
            None
        },
        closed: Some(Self::closed_callback),
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::till_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::till| {
            // SAFETY: `slot` is storage for a `struct till` that does not move.
            unsafe { bindings::till_init(slot, &Self::OPERATIONS) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// The data.
    #[inline]
    pub fn data(&self) -> &T {
        // SAFETY: The data is only ever shared.
        unsafe { &*self.data.get() }
    }

    /// Returns a raw pointer to the `bindings::till`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::till {
        self.inner.get()
    }

    /// Calls `bindings::till_owner`.
    #[inline]
    pub fn owner(&self, owner: NonNull<c_void>) {
        // SAFETY: By the type's invariants `self` is a valid `struct till`.
        unsafe { bindings::till_owner(self.as_raw(), owner.as_ptr()) }
    }

    /// Takes the lock with `bindings::till_lock`.
    ///
    /// May sleep.
    #[inline]
    pub fn lock(&self) -> LockGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct till`.
        unsafe { bindings::till_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        LockGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Tries to take the lock with `bindings::till_try`.
    ///
    /// Never sleeps.
    #[must_use = "the lock is left at once when the guard is not used"]
    #[inline]
    pub fn try_(&self) -> Option<LockGuard<'_, T>> {
        // SAFETY: By the type's invariants `self` is a valid `struct till`.
        let taken = unsafe { bindings::till_try(self.as_raw()) };
        if taken {
            // INVARIANT: The lock was just taken.
            Some(LockGuard {
                owner: self,
                _not_send: NotThreadSafe,
                _task: ARef::from(&**crate::current!()),
            })
        } else {
            None
        }
    }

    /// Takes the lock with `bindings::till_look`.
    ///
    /// May sleep.
    #[inline]
    pub fn look(&self) -> LockSharedGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct till`.
        unsafe { bindings::till_look(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        LockSharedGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `opened`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn opened_callback(till: *mut bindings::till) {
        // SAFETY: C calls back with the `struct till` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(till) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Operations>::opened(data)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `closed`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn closed_callback(till: *mut bindings::till) {
        // SAFETY: C calls back with the `struct till` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(till) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Operations>::closed(data)
    }

    /// The object around a `bindings::till`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::till) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Operations> PinnedDrop for Till<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `till_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::till_exit(self.inner.get()) };
    }
}

/// A lock of [`Till`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct LockGuard<'a, T: Operations> {
    owner: &'a Till<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T: Operations> LockGuard<'a, T> {
    /// Calls `bindings::till_put`.
    #[inline]
    pub fn put(&self, coins: u32) {
        // SAFETY: By its invariants `self.owner` is a valid `struct till`; `requires(LockGuard)`
        // holds because `self` is that guard.
        unsafe { bindings::till_put(self.owner.as_raw(), coins) }
    }

    /// How many coins it holds.
    #[inline]
    pub fn coins(&self) -> u32 {
        // SAFETY: By its invariants `self.owner` is a valid `struct till`; `__guarded_by(&lock)`
        // holds because `self` is the guard of that lock.
        unsafe { (*self.owner.as_raw()).coins }
    }
}

impl<'a, T: Operations> Drop for LockGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::till_unlock(self.owner.as_raw()) };
    }
}

/// A lock of [`Till`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct LockSharedGuard<'a, T: Operations> {
    owner: &'a Till<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T: Operations> LockSharedGuard<'a, T> {
    /// Calls `bindings::till_sum`.
    #[must_use]
    #[inline]
    pub fn sum(&self) -> u32 {
        // SAFETY: By its invariants `self.owner` is a valid `struct till`;
        // `requires(LockSharedGuard)` holds because `self` is that guard.
        unsafe { bindings::till_sum(self.owner.as_raw()) }
    }

    /// How many coins it holds.
    #[inline]
    pub fn coins(&self) -> u32 {
        // SAFETY: By its invariants `self.owner` is a valid `struct till`; `__guarded_by(&lock)`
        // holds because `self` is the guard of that lock.
        unsafe { (*self.owner.as_raw()).coins }
    }
}

impl<'a, T: Operations> Drop for LockSharedGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::till_unlook(self.owner.as_raw()) };
    }
}

/// The kernel's `ticket`.
///
/// # Invariants
///
/// `ptr` points to a `bindings::ticket` that belongs to this value.
pub struct Ticket {
    ptr: NonNull<bindings::ticket>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Ticket {}

impl Ticket {
    /// Makes one with `bindings::ticket_new`.
    #[inline]
    pub fn new() -> Option<Ticket> {
        // SAFETY: The contract requires nothing of the caller.
        let ptr = NonNull::new(unsafe { bindings::ticket_new() })?;
        Some(Ticket { ptr })
    }

    /// Returns a raw pointer to the `bindings::ticket`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::ticket {
        self.ptr.as_ptr()
    }
}

impl Drop for Ticket {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `ticket_free`).
        unsafe { bindings::ticket_free(self.ptr.as_ptr()) };
    }
}

/// The kernel's `gate`.
///
/// # Invariants
///
/// `inner` is a `bindings::gate` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Gate {
    #[pin]
    inner: Opaque<bindings::gate>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Gate {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Gate {}

impl Gate {
    /// Makes one with `bindings::gate_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::gate| {
            // SAFETY: `slot` is storage for a `struct gate` that does not move.
            unsafe { bindings::gate_init(slot) }
        });
        pin_init!(Self {
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
    pub fn enter(&self) -> GateGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct gate`.
        unsafe { bindings::gate_enter(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        GateGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Tries to take the lock with `bindings::gate_enter_killable`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::gate_enter_killable`.
    #[inline]
    pub fn enter_killable(&self) -> Result<GateGuard<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct gate`.
        to_result(unsafe { bindings::gate_enter_killable(self.as_raw()) })?;
        // INVARIANT: The lock was just taken.
        Ok(GateGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        })
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
pub struct GateGuard<'a> {
    owner: &'a Gate,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for GateGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::gate_leave(self.owner.as_raw()) };
    }
}
