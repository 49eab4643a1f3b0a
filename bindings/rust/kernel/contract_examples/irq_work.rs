// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/irq_work.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/irq_work.h`](srctree/include/linux/irq_work.h)

use crate::{
    bindings,
    container_of,
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// The callbacks of a [`IrqWork`], which its user implements.
///
/// The implementing type is the data that the [`IrqWork`] holds.
#[vtable]
pub trait Operations: Sized + Send + Sync + 'static {
    /// Do the work.
    ///
    /// Must not sleep.
    fn run(&self);
}

/// Something to be done soon, in interrupt context.
///
/// # Invariants
///
/// `inner` is a `bindings::irq_work` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct IrqWork<T: Operations> {
    #[pin]
    inner: Opaque<bindings::irq_work>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Operations + Send> Send for IrqWork<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Operations + Send + Sync> Sync for IrqWork<T> {}

impl<T: Operations> IrqWork<T> {
    /// Make one that is not queued.
    ///
    /// # Safety
    ///
    /// The caller must promise that it is dropped before the module of its callback is
    /// unloaded.
    pub unsafe fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::irq_work| {
            // SAFETY: `slot` is storage for a `struct irq_work` that does not move; the caller
            // promises that it is dropped before the module of its callback is unloaded.
            unsafe { bindings::init_irq_work(slot, Some(Self::run_callback)) }
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

    /// Returns a raw pointer to the `bindings::irq_work`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::irq_work {
        self.inner.get()
    }

    /// Have it done.
    ///
    /// Returns false when it was queued already.
    ///
    /// Never sleeps.
    #[inline]
    pub fn queue(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct irq_work`.
        unsafe { bindings::irq_work_queue(self.as_raw()) }
    }

    /// Ask whether it is queued or running.
    ///
    /// Returns whether it is.
    ///
    /// Never sleeps.
    #[inline]
    pub fn is_busy(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct irq_work`.
        unsafe { bindings::irq_work_is_busy(self.as_raw()) }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `run`, on the `inner` of an object of this
    /// type.
    unsafe extern "C" fn run_callback(arg0: *mut bindings::irq_work) {
        // SAFETY: C calls back with the `struct irq_work` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(arg0) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Operations>::run(data)
    }

    /// The object around a `bindings::irq_work`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::irq_work) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Operations> PinnedDrop for IrqWork<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `irq_work_sync` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::irq_work_sync(self.inner.get()) };
    }
}
