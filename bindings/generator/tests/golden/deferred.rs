// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `deferred.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/deferred.h`](srctree/include/deferred.h)

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
    mem::ManuallyDrop,
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::NonNull, //
};
use pin_init::Wrapper;

/// The callbacks of a [`Bell`], which its user implements.
///
/// The implementing type is the data that the [`Bell`] holds.
#[vtable]
pub trait BellOperations: Sized + Send + 'static {
    /// Called by C as `ring`.
    fn ring(self: Pin<&mut Self>);

    /// Called by C as `stop`.
    fn stop(_bell: &Bell<Self>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// Something that rings by itself.
///
/// # Invariants
///
/// `storage` points to a `bindings::bell` that its constructor has initialised, and to the data
/// that goes with it. It is valid until the object has ended, which happens after it is
/// dropped.
pub struct Bell<T: BellOperations> {
    storage: NonNull<BellStorage<T>>,
}

/// The storage of a [`Bell`].
#[pin_data]
struct BellStorage<T: BellOperations> {
    #[pin]
    inner: Opaque<bindings::bell>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: BellOperations + Send> Send for Bell<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: BellOperations + Send> Sync for Bell<T> {}

impl<T: BellOperations> Bell<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::bell_ops = bindings::bell_ops {
        ring: Some(Self::ring_callback),
        stop: if T::HAS_STOP {
            Some(Self::stop_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::bell_init`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::bell_init`.
    pub fn new<E>(data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::bell| {
            // SAFETY: `slot` is storage for a `struct bell` that does not move.
            to_result(unsafe { bindings::bell_init(slot, &Self::OPERATIONS) })
        });
        let storage = try_pin_init!(BellStorage {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        });
        try_init!(Self {
            storage: Self::allocate(storage)?,
        }? Error)
    }

    /// Returns a raw pointer to the `bindings::bell`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::bell {
        self.storage().inner.get()
    }

    /// Allocates the storage of an object.
    fn allocate(init: impl PinInit<BellStorage<T>, Error>) -> Result<NonNull<BellStorage<T>>> {
        let storage = KBox::pin_init(init, GFP_KERNEL)?;
        // SAFETY: The storage does not move until it is freed.
        let storage = unsafe { Pin::into_inner_unchecked(storage) };
        Ok(NonNull::from(KBox::leak(storage)))
    }

    #[inline]
    fn storage(&self) -> &BellStorage<T> {
        // SAFETY: By the type's invariants the storage lives as long as the object.
        unsafe { self.storage.as_ref() }
    }

    /// Frees the storage of an object that has ended.
    ///
    /// # Safety
    ///
    /// C must call this once, with the `inner` of an object of this type that has ended.
    unsafe extern "C" fn free(ptr: *mut bindings::bell) {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        let storage = unsafe { container_of!(inner, BellStorage<T>, inner) };
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        drop(unsafe { KBox::from_raw(storage) });
    }

    /// Takes the lock with `bindings::bell_lock`.
    #[inline]
    pub fn lock(&self) -> BellGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct bell`.
        unsafe { bindings::bell_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        BellGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `ring`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn ring_callback(bell: *mut bindings::bell) {
        // SAFETY: C calls back with the `struct bell` that the constructor was given, and not
        // after `bell_exit_free` has called `free`.
        let object = unsafe { Self::around(bell) };
        // SAFETY: By the contract (`requires(BellGuard)`) the lock is held, so no other thread
        // accesses the data.
        let data = unsafe { &mut *object.storage().data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        let data = unsafe { Pin::new_unchecked(data) };
        <T as BellOperations>::ring(data)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `stop`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn stop_callback(bell: *mut bindings::bell) {
        // SAFETY: C calls back with the `struct bell` that the constructor was given, and not
        // after `bell_exit_free` has called `free`.
        let object = unsafe { Self::around(bell) };
        <T as BellOperations>::stop(&object)
    }

    /// The object around a `bindings::bell`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of an object of this type, whose storage is not freed
    /// while the result is used.
    #[inline]
    unsafe fn around(ptr: *mut bindings::bell) -> ManuallyDrop<Self> {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let storage = unsafe { container_of!(inner, BellStorage<T>, inner) };
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let storage = unsafe { NonNull::new_unchecked(storage) };
        ManuallyDrop::new(Self { storage })
    }
}

impl<T: BellOperations> Drop for Bell<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and then
        // only its callbacks can reach it, until `bell_exit_free` calls `free`.
        unsafe { bindings::bell_exit_free(self.as_raw(), Some(Self::free)) };
    }
}

/// A lock of [`Bell`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct BellGuard<'a, T: BellOperations> {
    owner: &'a Bell<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T: BellOperations> Deref for BellGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `BellGuard` is shared.
        unsafe { &*self.owner.storage().data.get() }
    }
}

impl<'a, T: BellOperations> BellGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(BellGuard = exclusive)`) no other
        // one is.
        let data = unsafe { &mut *self.owner.storage().data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T: BellOperations> DerefMut for BellGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T: BellOperations> Drop for BellGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::bell_unlock(self.owner.as_raw()) };
    }
}

/// The callbacks of a [`Gong`], which its user implements.
///
/// The implementing type is the data that the [`Gong`] holds.
#[vtable]
pub trait GongOperations: Sized + Send + Sync + 'static {
    /// Called by C as `strike`.
    fn strike(gong: &Gong<Self>) -> Result;

    /// Called by C as `fade`.
    fn fade(&self) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The kernel's `gong`.
///
/// # Invariants
///
/// `storage` points to a `bindings::gong` that its constructor has initialised, and to the data
/// that goes with it. It is valid until the object has ended, which happens after it is
/// dropped.
pub struct Gong<T: GongOperations> {
    storage: NonNull<GongStorage<T>>,
}

/// The storage of a [`Gong`].
#[pin_data]
struct GongStorage<T: GongOperations> {
    #[pin]
    inner: Opaque<bindings::gong>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: GongOperations + Send> Send for Gong<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: GongOperations + Send + Sync> Sync for Gong<T> {}

impl<T: GongOperations> Gong<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::gong_ops = bindings::gong_ops {
        strike: Some(Self::strike_callback),
        fade: if T::HAS_FADE {
            Some(Self::fade_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::gong_init`.
    pub fn new<E>(data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::gong| {
            // SAFETY: `slot` is storage for a `struct gong` that does not move.
            unsafe { bindings::gong_init(slot, &Self::OPERATIONS) }
        });
        let storage = try_pin_init!(GongStorage {
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

    /// Returns a raw pointer to the `bindings::gong`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::gong {
        self.storage().inner.get()
    }

    /// Allocates the storage of an object.
    fn allocate(init: impl PinInit<GongStorage<T>, Error>) -> Result<NonNull<GongStorage<T>>> {
        let storage = KBox::pin_init(init, GFP_KERNEL)?;
        // SAFETY: The storage does not move until it is freed.
        let storage = unsafe { Pin::into_inner_unchecked(storage) };
        Ok(NonNull::from(KBox::leak(storage)))
    }

    #[inline]
    fn storage(&self) -> &GongStorage<T> {
        // SAFETY: By the type's invariants the storage lives as long as the object.
        unsafe { self.storage.as_ref() }
    }

    /// Frees the storage of an object that has ended.
    ///
    /// # Safety
    ///
    /// C must call this once, with the `inner` of an object of this type that has ended.
    unsafe extern "C" fn free(ptr: *mut bindings::gong) {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        let storage = unsafe { container_of!(inner, GongStorage<T>, inner) };
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        drop(unsafe { KBox::from_raw(storage) });
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `strike`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn strike_callback(gong: *mut bindings::gong) -> c_int {
        // SAFETY: C calls back with the `struct gong` that the constructor was given, and not
        // after `gong_exit_free` has called `free`.
        let object = unsafe { Self::around(gong) };
        match <T as GongOperations>::strike(&object) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `fade`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn fade_callback(gong: *mut bindings::gong) {
        // SAFETY: C calls back with the `struct gong` that the constructor was given, and not
        // after `gong_exit_free` has called `free`.
        let object = unsafe { Self::around(gong) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.storage().data.get() };
        <T as GongOperations>::fade(data)
    }

    /// The object around a `bindings::gong`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of an object of this type, whose storage is not freed
    /// while the result is used.
    #[inline]
    unsafe fn around(ptr: *mut bindings::gong) -> ManuallyDrop<Self> {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let storage = unsafe { container_of!(inner, GongStorage<T>, inner) };
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let storage = unsafe { NonNull::new_unchecked(storage) };
        ManuallyDrop::new(Self { storage })
    }
}

impl<T: GongOperations> Drop for Gong<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and then
        // only its callbacks can reach it, until `gong_exit_free` calls `free`.
        unsafe { bindings::gong_exit_free(self.as_raw(), Some(Self::free)) };
    }
}
