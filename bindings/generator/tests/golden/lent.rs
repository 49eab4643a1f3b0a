// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `lent.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/lent.h`](srctree/include/lent.h)

use crate::{
    bindings,
    container_of,
    prelude::*,
    sync::aref::ARef,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::{
    cell::UnsafeCell,
    ops::Deref, //
};
use pin_init::Wrapper;

/// The kernel's `guest`.
///
/// # Invariants
///
/// A value of this type is a live `bindings::guest`, reached by reference only.
#[repr(transparent)]
pub struct Guest(Opaque<bindings::guest>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Guest {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Guest {}

impl Guest {
    /// Returns a raw pointer to the `bindings::guest`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::guest {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::guest` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::guest) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Calls `bindings::guest_age`.
    #[inline]
    pub fn age(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct guest`.
        unsafe { bindings::guest_age(self.as_raw()) }
    }
}

/// The kernel's `ghost`.
///
/// # Invariants
///
/// A value of this type is a live `bindings::ghost`, reached by reference only.
#[repr(transparent)]
pub struct Ghost(Opaque<bindings::ghost>, NotThreadSafe);

impl Ghost {
    /// Returns a raw pointer to the `bindings::ghost`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::ghost {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::ghost` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::ghost) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Calls `bindings::ghost_age`.
    #[inline]
    pub fn age(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct ghost`.
        unsafe { bindings::ghost_age(self.as_raw()) }
    }
}

/// The callbacks of a [`Host`], which its user implements.
///
/// The implementing type is the data that the [`Host`] holds.
#[vtable]
pub trait HostOperations: Sized + Send + Sync + 'static {
    /// Called by C as `welcome`.
    fn welcome(host: &Host<Self>, guest: &Guest, same: *const c_void) -> Result;

    /// Called by C as `woken`.
    fn woken(host: &Host<Self>);
}

/// Has guests, and data that several threads may read.
///
/// # Invariants
///
/// `inner` is a `bindings::host` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Host<T: HostOperations> {
    #[pin]
    inner: Opaque<bindings::host>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: HostOperations + Send> Send for Host<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: HostOperations + Send + Sync> Sync for Host<T> {}

impl<T: HostOperations> Host<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::host_ops = bindings::host_ops {
        welcome: Some(Self::welcome_callback),
        woken: Some(Self::woken_callback),
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::host_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::host| {
            // SAFETY: `slot` is storage for a `struct host` that does not move.
            unsafe { bindings::host_init(slot, &Self::OPERATIONS) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::host`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::host {
        self.inner.get()
    }

    /// Takes the lock with `bindings::host_lock`.
    #[inline]
    pub fn lock(&self) -> HostGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct host`.
        unsafe { bindings::host_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        HostGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `welcome`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn welcome_callback(
        host: *mut bindings::host,
        guest: *mut bindings::guest,
        same: *const bindings::ghost,
    ) -> c_int {
        // SAFETY: C calls back with the `struct host` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(host) };
        // SAFETY: By the contract (`borrows`, `nonnull`) C passes a valid object as `guest`, for
        // the call.
        let guest = unsafe { <Guest>::from_raw(guest) };
        match <T as HostOperations>::welcome(object, guest, same.cast()) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `woken`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn woken_callback(host: *mut bindings::host) {
        // SAFETY: C calls back with the `struct host` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(host) };
        <T as HostOperations>::woken(object)
    }

    /// The object around a `bindings::host`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::host) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: HostOperations> PinnedDrop for Host<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `host_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::host_exit(self.inner.get()) };
    }
}

/// A lock of [`Host`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct HostGuard<'a, T: HostOperations> {
    owner: &'a Host<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T: HostOperations> Deref for HostGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `HostGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T: HostOperations> Drop for HostGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::host_unlock(self.owner.as_raw()) };
    }
}

/// The callbacks of a [`Bell`], which its user implements.
///
/// The implementing type is the data that the [`Bell`] holds.
#[vtable]
pub trait Rung: Sized + Send + Sync + 'static {
    /// A guest has rung
    fn rung(&self, arg1: usize, arg2: *const c_void) -> i32;
}

/// Is rung by guests.
///
/// # Invariants
///
/// `inner` is a `bindings::bell` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Bell<T: Rung> {
    #[pin]
    inner: Opaque<bindings::bell>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Rung + Send> Send for Bell<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Rung + Send + Sync> Sync for Bell<T> {}

impl<T: Rung> Bell<T> {
    /// Makes one with `bindings::bell_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::bell| {
            // SAFETY: `slot` is storage for a `struct bell`, in which the `given` fields are set
            // and the others are zero.
            unsafe {
                slot.write_bytes(0, 1);
                (&raw mut (*slot).rung).write(Some(Self::rung_callback));
            }
            // SAFETY: `slot` is a `struct bell` that does not move, with the fields set that are
            // `given`.
            unsafe { bindings::bell_init(slot) }
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

    /// Returns a raw pointer to the `bindings::bell`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::bell {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `rung`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn rung_callback(
        arg0: *mut bindings::bell,
        arg1: usize,
        arg2: *mut c_void,
    ) -> i32 {
        // SAFETY: C calls back with the `struct bell` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(arg0) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Rung>::rung(data, arg1, arg2.cast_const())
    }

    /// The object around a `bindings::bell`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::bell) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Rung> PinnedDrop for Bell<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `bell_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::bell_exit(self.inner.get()) };
    }
}
