// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `field.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/field.h`](srctree/include/field.h)

use crate::{
    bindings,
    container_of,
    error::{
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// A combination of the bits of `bindings::pump_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State(pub(crate) u32);

impl State {
    /// `PUMP_HOT`.
    pub const HOT: Self = Self(bindings::pump_state_PUMP_HOT);

    /// `PUMP_DRY`.
    pub const DRY: Self = Self(bindings::pump_state_PUMP_DRY);

    /// No bit.
    pub const NONE: Self = Self(0);

    /// Whether all bits of `other` are set in `self`.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The integer.
    #[inline]
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}

impl core::ops::BitOr for State {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitAnd for State {
    type Output = Self;
    #[inline]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The kernel's `reading`.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Reading(pub(crate) bindings::reading);

impl Reading {
    /// The member `litres`.
    #[inline]
    pub fn litres(&self) -> u32 {
        self.0.litres
    }

    /// The member `state`.
    #[inline]
    pub fn state(&self) -> State {
        State(self.0.state)
    }
}

/// The callbacks of a [`Pump`], which its user implements.
///
/// The implementing type is the data that the [`Pump`] holds.
#[vtable]
pub trait Operations: Sized + Send + Sync + 'static {
    /// Called by C as `start`.
    ///
    /// May sleep.
    fn start(&self, speed: u32) -> Result;

    /// Called by C as `stop`.
    fn stop(&self) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The kernel's `pump`.
///
/// # Invariants
///
/// `inner` is a `bindings::pump` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Pump<T: Operations> {
    #[pin]
    inner: Opaque<bindings::pump>,
    #[pin]
    data: UnsafeCell<T>,
    _not_send: NotThreadSafe,
}

impl<T: Operations> Pump<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::pump_ops = bindings::pump_ops {
        start: Some(Self::start_callback),
        stop: if T::HAS_STOP {
            Some(Self::stop_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::pump_init`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::pump_init`.
    pub fn new<E>(data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::pump| {
            // SAFETY: `slot` is storage for a `struct pump` that does not move.
            to_result(unsafe { bindings::pump_init(slot, &Self::OPERATIONS) })
        });
        try_pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
            _not_send: NotThreadSafe,
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

    /// Calls `bindings::pump_read`.
    #[inline]
    pub fn read(&self) -> Reading {
        // SAFETY: By the type's invariants `self` is a valid `struct pump`.
        let value = unsafe { bindings::pump_read(self.as_raw()) };
        Reading(value)
    }

    /// Calls `bindings::pump_expect`.
    #[inline]
    pub fn expect(&self, state: State) {
        // SAFETY: By the type's invariants `self` is a valid `struct pump`.
        unsafe { bindings::pump_expect(self.as_raw(), state.0) }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `start`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn start_callback(pump: *mut bindings::pump, speed: u32) -> c_int {
        // SAFETY: C calls back with the `struct pump` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(pump) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        match <T as Operations>::start(data, speed) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `stop`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn stop_callback(pump: *mut bindings::pump) {
        // SAFETY: C calls back with the `struct pump` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(pump) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Operations>::stop(data)
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
impl<T: Operations> PinnedDrop for Pump<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `pump_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::pump_exit(self.inner.get()) };
    }
}
