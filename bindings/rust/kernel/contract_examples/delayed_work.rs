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

/// The callbacks of a [`DelayedWork`], which its user implements.
///
/// The implementing type is the data that the [`DelayedWork`] holds.
#[vtable]
pub trait DelayedOperations: Sized + Send + Sync + 'static {
    /// Do the work.
    ///
    /// May sleep.
    fn run(&self);
}

/// Something to be done later, by a thread of the kernel.
///
/// # Invariants
///
/// `inner` is a `bindings::delayed_work` that its constructor has initialised; it stays where
/// it is until it is dropped.
#[pin_data(PinnedDrop)]
pub struct DelayedWork<T: DelayedOperations> {
    #[pin]
    inner: Opaque<bindings::delayed_work>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: DelayedOperations + Send> Send for DelayedWork<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: DelayedOperations + Send + Sync> Sync for DelayedWork<T> {}

impl<T: DelayedOperations> DelayedWork<T> {
    /// Make one that is not queued.
    ///
    /// # Safety
    ///
    /// The caller must promise that it is dropped before the module of its callback is
    /// unloaded.
    pub unsafe fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::delayed_work| {
            // SAFETY: `slot` is storage for a `struct delayed_work` that does not move; the
            // caller promises that it is dropped before the module of its callback is unloaded.
            unsafe { bindings::INIT_DELAYED_WORK(slot, Some(Self::run_callback)) }
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

    /// Returns a raw pointer to the `bindings::delayed_work`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::delayed_work {
        self.inner.get()
    }

    /// Have it done after some time.
    ///
    /// Returns false when it was queued already.
    ///
    /// Never sleeps.
    #[inline]
    pub fn schedule(&self, delay: crate::time::Jiffies) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct delayed_work`.
        unsafe { bindings::schedule_delayed_work(self.as_raw(), delay) }
    }

    /// Have it done now, and wait for it.
    ///
    /// Returns whether there was something to wait for.
    ///
    /// May sleep.
    #[inline]
    pub fn flush(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct delayed_work`.
        unsafe { bindings::flush_delayed_work(self.as_raw()) }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `run`, on the `inner` of an object of this
    /// type.
    unsafe extern "C" fn run_callback(arg0: *mut bindings::work_struct) {
        // SAFETY: C calls back with `work` (`member`) of the `struct delayed_work` that the
        // constructor was given, and not after the destructor has returned, which waits for this
        // (`waits`).
        let object = unsafe { Self::around(container_of!(arg0, bindings::delayed_work, work)) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as DelayedOperations>::run(data)
    }

    /// The object around a `bindings::delayed_work`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::delayed_work) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: DelayedOperations> PinnedDrop for DelayedWork<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `cancel_delayed_work_sync` returns only when none of its callbacks
        // runs or will run, so nothing can reach it after.
        let _ = unsafe { bindings::cancel_delayed_work_sync(self.inner.get()) };
    }
}
