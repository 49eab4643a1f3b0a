// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/timer.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/timer.h`](srctree/include/linux/timer.h)

use crate::{
    bindings,
    container_of,
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// The callbacks of a [`Timer`], which its user implements.
///
/// The implementing type is the data that the [`Timer`] holds.
#[vtable]
pub trait TimerOperations: Sized + Send + Sync + 'static {
    /// The time has come.
    ///
    /// Must not sleep.
    fn expired(&self);
}

/// Something to be done at a time.
///
/// # Invariants
///
/// `inner` is a `bindings::timer_list` that its constructor has initialised; it stays where it
/// is until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Timer<T: TimerOperations> {
    #[pin]
    inner: Opaque<bindings::timer_list>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: TimerOperations + Send> Send for Timer<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: TimerOperations + Send + Sync> Sync for Timer<T> {}

impl<T: TimerOperations> Timer<T> {
    /// Make one that does not run.
    ///
    /// # Safety
    ///
    /// The caller must promise that it is dropped before the module of its callback is
    /// unloaded, and has no `flags` but those of TIMER_INIT_FLAGS: C takes others as the number
    /// of a CPU.
    pub unsafe fn new(flags: u32, data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::timer_list| {
            // SAFETY: `slot` is storage for a `struct timer_list` that does not move; the caller
            // promises that it is dropped before the module of its callback is unloaded, and has
            // no `flags` but those of TIMER_INIT_FLAGS: C takes others as the number of a CPU.
            unsafe { bindings::timer_setup(slot, Some(Self::expired_callback), flags) }
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

    /// Returns a raw pointer to the `bindings::timer_list`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::timer_list {
        self.inner.get()
    }

    /// Have it expire at that time.
    ///
    /// Returns 0 when it did not run before, 1 when it did.
    ///
    /// Never sleeps.
    #[inline]
    pub fn modify(&self, expires: crate::time::Jiffies) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct timer_list`.
        unsafe { bindings::mod_timer(self.as_raw(), expires) }
    }

    /// Do not have it expire.
    ///
    /// Returns 0 when it did not run, 1 when it did.
    ///
    /// Never sleeps.
    #[inline]
    pub fn delete(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct timer_list`.
        unsafe { bindings::timer_delete(self.as_raw()) }
    }

    /// Ask whether it will expire.
    ///
    /// Returns 0 when it will not, 1 when it will.
    ///
    /// Never sleeps.
    #[inline]
    pub fn is_pending(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct timer_list`.
        unsafe { bindings::timer_pending(self.as_raw()) }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `expired`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn expired_callback(arg0: *mut bindings::timer_list) {
        // SAFETY: C calls back with the `struct timer_list` that the constructor was given, and
        // not after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(arg0) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as TimerOperations>::expired(data)
    }

    /// The object around a `bindings::timer_list`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::timer_list) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: TimerOperations> PinnedDrop for Timer<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `timer_shutdown_sync` returns only when none of its callbacks runs
        // or will run, so nothing can reach it after.
        let _ = unsafe { bindings::timer_shutdown_sync(self.inner.get()) };
    }
}
