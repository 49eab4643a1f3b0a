// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `release.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/release.h`](srctree/include/release.h)

use crate::{
    bindings,
    container_of,
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
    },
    ptr::NonNull, //
};
use pin_init::Wrapper;

/// Data with a count of references.
///
/// # Invariants
///
/// `storage` points to a `bindings::share` that its constructor has initialised, and to the
/// data that goes with it. It is valid until the last reference is dropped, and this value has
/// one of those that are counted.
pub struct Share<T: Send + 'static> {
    storage: NonNull<ShareStorage<T>>,
}

/// The storage of a [`Share`].
#[pin_data]
struct ShareStorage<T: Send + 'static> {
    #[pin]
    inner: Opaque<bindings::share>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send + 'static + Send + Sync> Send for Share<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Send + 'static + Send + Sync> Sync for Share<T> {}

impl<T: Send + 'static> Clone for Share<T> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: `self` is a reference, so the count is not zero, and the new one has a count of
        // its own.
        unsafe { bindings::share_get(self.as_raw()) };
        Self {
            storage: self.storage,
        }
    }
}

impl<T: Send + 'static> Share<T> {
    /// Makes one with `bindings::share_init`.
    pub fn new<E>(data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::share| {
            // SAFETY: `slot` is storage for a `struct share` that does not move.
            unsafe { bindings::share_init(slot) }
        });
        let storage = try_pin_init!(ShareStorage {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        });
        try_init!(Self {
            storage: Self::allocate(storage)?,
        }? Error)
    }

    /// The data.
    #[inline]
    pub fn data(&self) -> &T {
        // SAFETY: The data is only ever shared.
        unsafe { &*self.storage().data.get() }
    }

    /// Returns a raw pointer to the `bindings::share`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::share {
        self.storage().inner.get()
    }

    /// Allocates the storage of an object.
    fn allocate(init: impl PinInit<ShareStorage<T>, Error>) -> Result<NonNull<ShareStorage<T>>> {
        let storage = KBox::pin_init(init, GFP_KERNEL)?;
        // SAFETY: The storage does not move until it is freed.
        let storage = unsafe { Pin::into_inner_unchecked(storage) };
        Ok(NonNull::from(KBox::leak(storage)))
    }

    #[inline]
    fn storage(&self) -> &ShareStorage<T> {
        // SAFETY: By the type's invariants the storage lives as long as the object.
        unsafe { self.storage.as_ref() }
    }

    /// Frees the storage of an object that has ended.
    ///
    /// # Safety
    ///
    /// C must call this once, with the `inner` of an object of this type that has ended.
    unsafe extern "C" fn free(ptr: *mut bindings::share) {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        let storage = unsafe { container_of!(inner, ShareStorage<T>, inner) };
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        drop(unsafe { KBox::from_raw(storage) });
    }
}

impl<T: Send + 'static> Drop for Share<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor; `self` is one of its references,
        // and is dropped once, here. `share_put` calls `free` if it was the last.
        let _ = unsafe { bindings::share_put(self.as_raw(), Some(Self::free)) };
    }
}

/// The same, of one thread.
///
/// # Invariants
///
/// `storage` points to a `bindings::local` that its constructor has initialised, and to the
/// data that goes with it. It is valid until the last reference is dropped, and this value has
/// one of those that are counted.
pub struct Local {
    storage: NonNull<LocalStorage>,
}

/// The storage of a [`Local`].
#[pin_data]
struct LocalStorage {
    #[pin]
    inner: Opaque<bindings::local>,
    _not_send: NotThreadSafe,
}

impl Clone for Local {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: `self` is a reference, so the count is not zero, and the new one has a count of
        // its own.
        unsafe { bindings::local_get(self.as_raw()) };
        Self {
            storage: self.storage,
        }
    }
}

impl Local {
    /// Makes one with `bindings::local_init`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::local_init`.
    pub fn new() -> impl PinInit<Self, Error> {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::local| {
            // SAFETY: `slot` is storage for a `struct local` that does not move.
            to_result(unsafe { bindings::local_init(slot) })
        });
        let storage = try_pin_init!(LocalStorage {
            inner <- inner,
            _not_send: NotThreadSafe,
        });
        try_init!(Self {
            storage: Self::allocate(storage)?,
        }? Error)
    }

    /// Returns a raw pointer to the `bindings::local`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::local {
        self.storage().inner.get()
    }

    /// Allocates the storage of an object.
    fn allocate(init: impl PinInit<LocalStorage, Error>) -> Result<NonNull<LocalStorage>> {
        let storage = KBox::pin_init(init, GFP_KERNEL)?;
        // SAFETY: The storage does not move until it is freed.
        let storage = unsafe { Pin::into_inner_unchecked(storage) };
        Ok(NonNull::from(KBox::leak(storage)))
    }

    #[inline]
    fn storage(&self) -> &LocalStorage {
        // SAFETY: By the type's invariants the storage lives as long as the object.
        unsafe { self.storage.as_ref() }
    }

    /// Frees the storage of an object that has ended.
    ///
    /// # Safety
    ///
    /// C must call this once, with the `inner` of an object of this type that has ended.
    unsafe extern "C" fn free(ptr: *mut bindings::local) {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        let storage = unsafe { container_of!(inner, LocalStorage, inner) };
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        drop(unsafe { KBox::from_raw(storage) });
    }
}

impl Drop for Local {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor; `self` is one of its references,
        // and is dropped once, here. `local_put` calls `free` if it was the last.
        unsafe { bindings::local_put(self.as_raw(), Some(Self::free)) };
    }
}

/// Data that a thread of C's may drop, when the object has ended.
///
/// # Invariants
///
/// `storage` points to a `bindings::crate` that its constructor has initialised, and to the
/// data that goes with it. It is valid until the object has ended, which happens after it is
/// dropped.
pub struct Crate<T: Send + 'static> {
    storage: NonNull<CrateStorage<T>>,
}

/// The storage of a [`Crate`].
#[pin_data]
struct CrateStorage<T: Send + 'static> {
    #[pin]
    inner: Opaque<bindings::crate_>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send + 'static + Send> Send for Crate<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send + 'static + Send> Sync for Crate<T> {}

impl<T: Send + 'static> Crate<T> {
    /// Makes one with `bindings::crate_init`.
    pub fn new<E>(data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::crate_| {
            // SAFETY: `slot` is storage for a `struct crate` that does not move.
            unsafe { bindings::crate_init(slot) }
        });
        let storage = try_pin_init!(CrateStorage {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        });
        try_init!(Self {
            storage: Self::allocate(storage)?,
        }? Error)
    }

    /// Returns a raw pointer to the `bindings::crate`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::crate_ {
        self.storage().inner.get()
    }

    /// Allocates the storage of an object.
    fn allocate(init: impl PinInit<CrateStorage<T>, Error>) -> Result<NonNull<CrateStorage<T>>> {
        let storage = KBox::pin_init(init, GFP_KERNEL)?;
        // SAFETY: The storage does not move until it is freed.
        let storage = unsafe { Pin::into_inner_unchecked(storage) };
        Ok(NonNull::from(KBox::leak(storage)))
    }

    #[inline]
    fn storage(&self) -> &CrateStorage<T> {
        // SAFETY: By the type's invariants the storage lives as long as the object.
        unsafe { self.storage.as_ref() }
    }

    /// Frees the storage of an object that has ended.
    ///
    /// # Safety
    ///
    /// C must call this once, with the `inner` of an object of this type that has ended.
    unsafe extern "C" fn free(ptr: *mut bindings::crate_) {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        let storage = unsafe { container_of!(inner, CrateStorage<T>, inner) };
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        drop(unsafe { KBox::from_raw(storage) });
    }

    /// Takes the lock with `bindings::crate_lock`.
    #[inline]
    pub fn lock(&self) -> CrateGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct crate`.
        unsafe { bindings::crate_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        CrateGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

impl<T: Send + 'static> Drop for Crate<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and then
        // only its callbacks can reach it, until `crate_end` calls `free`.
        unsafe { bindings::crate_end(self.as_raw(), Some(Self::free)) };
    }
}

/// A lock of [`Crate`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct CrateGuard<'a, T: Send + 'static> {
    owner: &'a Crate<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T: Send + 'static> Deref for CrateGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `CrateGuard` is shared.
        unsafe { &*self.owner.storage().data.get() }
    }
}

impl<'a, T: Send + 'static> CrateGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(CrateGuard = exclusive)`) no
        // other one is.
        let data = unsafe { &mut *self.owner.storage().data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T: Send + 'static> DerefMut for CrateGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T: Send + 'static> Drop for CrateGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::crate_unlock(self.owner.as_raw()) };
    }
}

/// Data that is only ever shared, without callbacks.
///
/// # Invariants
///
/// `inner` is a `bindings::note` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Note<T> {
    #[pin]
    inner: Opaque<bindings::note>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for Note<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Send + Sync> Sync for Note<T> {}

impl<T> Note<T> {
    /// Makes one with `bindings::note_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::note| {
            // SAFETY: `slot` is storage for a `struct note` that does not move.
            unsafe { bindings::note_init(slot) }
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

    /// Returns a raw pointer to the `bindings::note`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::note {
        self.inner.get()
    }
}
