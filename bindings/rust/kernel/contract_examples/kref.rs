// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/kref.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/kref.h`](srctree/include/linux/kref.h)

use crate::{
    bindings,
    container_of,
    prelude::*,
    types::Opaque, //
};
use core::{
    cell::UnsafeCell,
    ptr::NonNull, //
};
use pin_init::Wrapper;

/// Data with a count of references.
///
/// # Invariants
///
/// `storage` points to a `bindings::kref` that its constructor has initialised, and to the data
/// that goes with it. It is valid until the last reference is dropped, and this value has one
/// of those that are counted.
pub struct Kref<T: Send + 'static> {
    storage: NonNull<KrefStorage<T>>,
}

/// The storage of a [`Kref`].
#[pin_data]
struct KrefStorage<T: Send + 'static> {
    #[pin]
    inner: Opaque<bindings::kref>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send + 'static + Send + Sync> Send for Kref<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Send + 'static + Send + Sync> Sync for Kref<T> {}

impl<T: Send + 'static> Clone for Kref<T> {
    #[inline]
    fn clone(&self) -> Self {
        // SAFETY: `self` is a reference, so the count is not zero, and the new one has a count of
        // its own.
        unsafe { bindings::kref_get(self.as_raw()) };
        Self {
            storage: self.storage,
        }
    }
}

impl<T: Send + 'static> Kref<T> {
    /// Make one with one reference.
    pub fn new<E>(data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::kref| {
            // SAFETY: `slot` is storage for a `struct kref` that does not move.
            unsafe { bindings::kref_init(slot) }
        });
        let storage = try_pin_init!(KrefStorage {
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

    /// Returns a raw pointer to the `bindings::kref`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::kref {
        self.storage().inner.get()
    }

    /// Count the references.
    ///
    /// Returns how many there were; others can take and drop references meanwhile.
    #[inline]
    pub fn references(&self) -> u32 {
        // SAFETY: By the type's invariants `self` is a valid `struct kref`.
        unsafe { bindings::kref_read(self.as_raw()) }
    }

    /// Allocates the storage of an object.
    fn allocate(init: impl PinInit<KrefStorage<T>, Error>) -> Result<NonNull<KrefStorage<T>>> {
        let storage = KBox::pin_init(init, GFP_KERNEL)?;
        // SAFETY: The storage does not move until it is freed.
        let storage = unsafe { Pin::into_inner_unchecked(storage) };
        Ok(NonNull::from(KBox::leak(storage)))
    }

    #[inline]
    fn storage(&self) -> &KrefStorage<T> {
        // SAFETY: By the type's invariants the storage lives as long as the object.
        unsafe { self.storage.as_ref() }
    }

    /// Frees the storage of an object that has ended.
    ///
    /// # Safety
    ///
    /// C must call this once, with the `inner` of an object of this type that has ended.
    unsafe extern "C" fn free(ptr: *mut bindings::kref) {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        let storage = unsafe { container_of!(inner, KrefStorage<T>, inner) };
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        drop(unsafe { KBox::from_raw(storage) });
    }
}

impl<T: Send + 'static> Drop for Kref<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor; `self` is one of its references,
        // and is dropped once, here. `kref_put` calls `free` if it was the last.
        let _ = unsafe { bindings::kref_put(self.as_raw(), Some(Self::free)) };
    }
}
