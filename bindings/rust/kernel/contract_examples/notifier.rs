// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/notifier.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/notifier.h`](srctree/include/linux/notifier.h)

use crate::{
    bindings,
    container_of,
    error::to_result,
    prelude::*,
    sync::Arc,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// Those that are notified of an event.
///
/// # Invariants
///
/// `inner` is a `bindings::blocking_notifier_head` that its constructor has initialised; it
/// stays where it is until it is dropped.
#[pin_data]
pub struct Chain {
    #[pin]
    inner: Opaque<bindings::blocking_notifier_head>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Chain {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Chain {}

impl Chain {
    /// Make one without notifiers.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::blocking_notifier_head| {
            // SAFETY: `slot` is storage for a `struct blocking_notifier_head` that does not move.
            unsafe { bindings::BLOCKING_INIT_NOTIFIER_HEAD(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::blocking_notifier_head`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::blocking_notifier_head {
        self.inner.get()
    }

    /// Notify them, in the order of their priorities, until one stops it.
    ///
    /// Returns what the last one returned.
    ///
    /// May sleep.
    #[inline]
    pub fn call(&self, val: usize, v: *const c_void) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct blocking_notifier_head`.
        unsafe { bindings::blocking_notifier_call_chain(self.as_raw(), val, v.cast_mut()) }
    }
}

/// The callbacks of a [`Notifier`], which its user implements.
///
/// The implementing type is the data that the [`Notifier`] holds.
#[vtable]
pub trait Notified: Sized + Send + Sync + 'static {
    /// Something has happened.
    ///
    /// May sleep.
    fn notified(&self, arg1: usize, arg2: *const c_void) -> i32;
}

/// Is notified of events.
///
/// # Invariants
///
/// `inner` is a `bindings::notifier_block` that its constructor has initialised; it stays where
/// it is until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Notifier<T: Notified> {
    #[pin]
    inner: Opaque<bindings::notifier_block>,
    #[pin]
    data: UnsafeCell<T>,
    nh: Arc<Chain>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Notified + Send> Send for Notifier<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Notified + Send + Sync> Sync for Notifier<T> {}

impl<T: Notified> Notifier<T> {
    /// Add one to a chain.
    ///
    /// May sleep.
    ///
    /// `priority`: Those with more are notified first.
    ///
    /// # Safety
    ///
    /// The caller must promise that it is dropped before its module is unloaded, and not in its
    /// callback while the kernel boots.
    ///
    /// # Errors
    ///
    /// The errors include `EEXIST`.
    pub unsafe fn new<E>(
        priority: i32,
        nh: Arc<Chain>,
        data: impl PinInit<T, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let raw_nh = nh.as_raw();
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::notifier_block| {
            // SAFETY: `slot` is storage for a `struct notifier_block`, in which the `given`
            // fields are set and the others are zero.
            unsafe {
                slot.write_bytes(0, 1);
                (&raw mut (*slot).notifier_call).write(Some(Self::notified_callback));
                (&raw mut (*slot).priority).write(priority);
            }
            // SAFETY: `slot` is a `struct notifier_block` that does not move, with the fields set
            // that are `given`; `nh` is kept alive by the object (`keeps`); the caller promises
            // that it is dropped before its module is unloaded, and not in its callback while the
            // kernel boots.
            to_result(unsafe { bindings::blocking_notifier_chain_register(raw_nh, slot) })
        });
        try_pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            nh,
            inner <- inner,
        })
    }

    /// The data.
    #[inline]
    pub fn data(&self) -> &T {
        // SAFETY: The data is only ever shared.
        unsafe { &*self.data.get() }
    }

    /// Returns a raw pointer to the `bindings::notifier_block`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::notifier_block {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `notified`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn notified_callback(
        arg0: *mut bindings::notifier_block,
        arg1: usize,
        arg2: *mut c_void,
    ) -> i32 {
        // SAFETY: C calls back with the `struct notifier_block` that the constructor was given,
        // and not after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(arg0) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Notified>::notified(data, arg1, arg2.cast_const())
    }

    /// The object around a `bindings::notifier_block`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::notifier_block) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Notified> PinnedDrop for Notifier<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `blocking_notifier_chain_unregister` returns only when none of its
        // callbacks runs or will run, so nothing can reach it after; `self.nh` is what the
        // constructor was given (`kept`).
        let _ = unsafe {
            bindings::blocking_notifier_chain_unregister(self.nh.as_raw(), self.inner.get())
        };
    }
}
