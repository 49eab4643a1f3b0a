// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/workqueue.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use crate::{
    bindings,
    container_of,
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// The callbacks of a [`Work`], which its user implements.
///
/// The implementing type is the data that the [`Work`] holds.
#[vtable]
pub trait WorkOperations: Sized + Send + Sync + 'static {
    /// Do the work.
    ///
    /// May sleep.
    fn run(&self);
}

/// Something to be done soon, by a thread of the kernel.
///
/// # Invariants
///
/// `inner` is a `bindings::work_struct` that its constructor has initialised; it stays where it
/// is until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Work<T: WorkOperations> {
    #[pin]
    inner: Opaque<bindings::work_struct>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: WorkOperations + Send> Send for Work<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: WorkOperations + Send + Sync> Sync for Work<T> {}

impl<T: WorkOperations> Work<T> {
    /// Make one that is not queued.
    ///
    /// # Safety
    ///
    /// The caller must promise that it is dropped before the module of its callback is
    /// unloaded.
    pub unsafe fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::work_struct| {
            // SAFETY: `slot` is storage for a `struct work_struct` that does not move; the caller
            // promises that it is dropped before the module of its callback is unloaded.
            unsafe { bindings::INIT_WORK(slot, Some(Self::run_callback)) }
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

    /// Returns a raw pointer to the `bindings::work_struct`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::work_struct {
        self.inner.get()
    }

    /// Have it done.
    ///
    /// Returns false when it was queued already.
    ///
    /// Never sleeps.
    #[inline]
    pub fn schedule(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct work_struct`.
        unsafe { bindings::schedule_work(self.as_raw()) }
    }

    /// Wait until it was done.
    ///
    /// Returns whether there was something to wait for.
    ///
    /// May sleep.
    #[inline]
    pub fn flush(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct work_struct`.
        unsafe { bindings::flush_work(self.as_raw()) }
    }

    /// Ask whether it is queued.
    ///
    /// Returns whether it is.
    ///
    /// Never sleeps.
    #[inline]
    pub fn is_pending(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct work_struct`.
        unsafe { bindings::work_pending(self.as_raw()) }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `run`, on the `inner` of an object of this
    /// type.
    unsafe extern "C" fn run_callback(arg0: *mut bindings::work_struct) {
        // SAFETY: C calls back with the `struct work_struct` that the constructor was given, and
        // not after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(arg0) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as WorkOperations>::run(data)
    }

    /// The object around a `bindings::work_struct`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::work_struct) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: WorkOperations> PinnedDrop for Work<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `cancel_work_sync` returns only when none of its callbacks runs or
        // will run, so nothing can reach it after.
        let _ = unsafe { bindings::cancel_work_sync(self.inner.get()) };
    }
}
