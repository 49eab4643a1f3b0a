// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `given.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/given.h`](srctree/include/given.h)

use crate::{
    bindings,
    container_of,
    error::to_result,
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// The callbacks of a [`Pump`], which its user implements.
///
/// The implementing type is the data that the [`Pump`] holds.
#[vtable]
pub trait PumpOperations: Sized + Send + Sync + 'static {
    /// Called by C as `start`.
    fn start(&self) -> Result;
}

/// Something that moves water.
///
/// # Invariants
///
/// `inner` is a `bindings::pump` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Pump<T: PumpOperations> {
    #[pin]
    inner: Opaque<bindings::pump>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: PumpOperations + Send> Send for Pump<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: PumpOperations + Send + Sync> Sync for Pump<T> {}

impl<T: PumpOperations> Pump<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::pump_ops = bindings::pump_ops {
        start: Some(Self::start_callback),
        ..pin_init::zeroed()
    };
    /// Begin to pump.
    ///
    /// `name`: What it is called.
    ///
    /// `speed`: How fast it may turn.
    ///
    /// `patience`: How long it may take to start.
    ///
    /// `registers`: Where it is controlled.
    ///
    /// # Safety
    ///
    /// The caller must promise that the registers are the pump's alone.
    ///
    /// # Errors
    ///
    /// The errors include `EINVAL`.
    pub unsafe fn new<E>(
        name: &'static CStr,
        speed: u32,
        patience: crate::time::Jiffies,
        registers: crate::io::PhysAddr,
        data: impl PinInit<T, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::pump| {
            // SAFETY: `slot` is storage for a `struct pump`, in which the `given` fields are set
            // and the others are zero.
            unsafe {
                slot.write_bytes(0, 1);
                (&raw mut (*slot).ops).write(&Self::OPERATIONS);
                (&raw mut (*slot).name).write(name.as_char_ptr());
                (&raw mut (*slot).type_).write(speed);
                (&raw mut (*slot).patience).write(patience);
                (&raw mut (*slot).registers).write(registers);
            }
            // SAFETY: `slot` is a `struct pump` that does not move, with the fields set that are
            // `given`; the caller promises that the registers are the pump's alone.
            to_result(unsafe { bindings::pump_init(slot) })
        });
        try_pin_init!(Self {
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

    /// Returns a raw pointer to the `bindings::pump`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::pump {
        self.inner.get()
    }

    /// Wait until it turns.
    #[inline]
    pub fn wait(&self, timeout: crate::time::Jiffies) {
        // SAFETY: By the type's invariants `self` is a valid `struct pump`.
        unsafe { bindings::pump_wait(self.as_raw(), timeout) }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `start`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn start_callback(pump: *mut bindings::pump) -> c_int {
        // SAFETY: C calls back with the `struct pump` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(pump) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        match <T as PumpOperations>::start(data) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// The object around a `bindings::pump`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::pump) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: PumpOperations> PinnedDrop for Pump<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `pump_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::pump_exit(self.inner.get()) };
    }
}
