// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `callback.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/callback.h`](srctree/include/callback.h)

use crate::{
    bindings,
    container_of,
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// The callbacks of a [`Alarm`], which its user implements.
///
/// The implementing type is the data that the [`Alarm`] holds.
#[vtable]
pub trait Ring: Sized + Send + Sync + 'static {
    /// Called by C as `ring`.
    ///
    /// Must not sleep.
    fn ring(&self);
}

/// The kernel's `alarm`.
///
/// # Invariants
///
/// `inner` is a `bindings::alarm` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Alarm<T: Ring> {
    #[pin]
    inner: Opaque<bindings::alarm>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Ring + Send> Send for Alarm<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Ring + Send + Sync> Sync for Alarm<T> {}

impl<T: Ring> Alarm<T> {
    /// Makes one with `bindings::alarm_init`.
    pub fn new(at: u32, data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::alarm| {
            // SAFETY: `slot` is storage for a `struct alarm` that does not move.
            unsafe { bindings::alarm_init(slot, at, Some(Self::ring_callback)) }
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

    /// Returns a raw pointer to the `bindings::alarm`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::alarm {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `ring`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn ring_callback(arg0: *mut bindings::alarm) {
        // SAFETY: C calls back with the `struct alarm` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(arg0) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Ring>::ring(data)
    }

    /// The object around a `bindings::alarm`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::alarm) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Ring> PinnedDrop for Alarm<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `alarm_cancel` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::alarm_cancel(self.inner.get()) };
    }
}
