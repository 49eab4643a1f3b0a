// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `block.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/block.h`](srctree/include/block.h)

use crate::{
    bindings,
    container_of,
    error::VTABLE_DEFAULT_ERROR,
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// What a store's driver knows.
///
/// The implementing type is the data that the [`Store`] holds.
#[vtable]
pub trait StoreOperations: Sized + Send + Sync + 'static {
    /// Copy as many
    fn copy(store: &Store<Self>, to: super::Block<'_>, from: &super::Block<'_>) -> Result;

    /// Look at as many
    fn look(store: &Store<Self>, at: &super::Block<'_>) -> Result;

    /// Fill an order, which is the driver's until then
    fn queue(_store: &Store<Self>, _order: super::Order) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// `cookie` is the driver's again
    fn gone(_store: &Store<Self>, _cookie: *const c_void) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The kernel's `store`.
///
/// # Invariants
///
/// `inner` is a `bindings::store` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Store<T: StoreOperations> {
    #[pin]
    inner: Opaque<bindings::store>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: StoreOperations + Send> Send for Store<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: StoreOperations + Send + Sync> Sync for Store<T> {}

impl<T: StoreOperations> Store<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::store_ops = bindings::store_ops {
        copy: Some(Self::copy_callback),
        look: Some(Self::look_callback),
        queue: if T::HAS_QUEUE {
            Some(Self::queue_callback)
        } else {
            None
        },
        gone: if T::HAS_GONE {
            Some(Self::gone_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::store_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::store| {
            // SAFETY: `slot` is storage for a `struct store` that does not move.
            unsafe { bindings::store_init(slot, &Self::OPERATIONS) }
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

    /// Returns a raw pointer to the `bindings::store`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::store {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `copy`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn copy_callback(
        store: *mut bindings::store,
        to: *mut bindings::frame,
        from: *mut bindings::frame,
        order: u32,
    ) -> c_int {
        // SAFETY: C calls back with the `struct store` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(store) };
        // SAFETY: By the contract (`block(to, order)`) C passes the first of `1 << order` in a
        // row, valid for the call, and not used elsewhere meanwhile.
        let to = unsafe { <super::Block<'_>>::from_raw(to, order) };
        // SAFETY: By the contract (`block(from, order, reads)`) C passes the first of `1 <<
        // order` in a row, valid for the call, of which the callback gets a shared reference.
        let from = unsafe { <super::Block<'_>>::from_raw(from, order) };
        match <T as StoreOperations>::copy(object, to, &from) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `look`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn look_callback(
        store: *mut bindings::store,
        at: *const bindings::frame,
        order: u32,
    ) -> c_int {
        // SAFETY: C calls back with the `struct store` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(store) };
        // SAFETY: By the contract (`block(at, order, reads)`) C passes the first of `1 << order`
        // in a row, valid for the call, of which the callback gets a shared reference.
        let at = unsafe { <super::Block<'_>>::from_raw(at.cast_mut(), order) };
        match <T as StoreOperations>::look(object, &at) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `queue`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn queue_callback(store: *mut bindings::store, order: *mut bindings::order) {
        // SAFETY: C calls back with the `struct store` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(store) };
        // SAFETY: By the contract (`owned`) C passes a valid `order`, which is the callback's
        // from then on.
        let order = unsafe { <super::Order>::from_raw(order) };
        <T as StoreOperations>::queue(object, order)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `gone`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn gone_callback(store: *mut bindings::store, cookie: *mut c_void) {
        // SAFETY: C calls back with the `struct store` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(store) };
        <T as StoreOperations>::gone(object, cookie.cast_const())
    }

    /// The object around a `bindings::store`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::store) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: StoreOperations> PinnedDrop for Store<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `store_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::store_exit(self.inner.get()) };
    }
}
