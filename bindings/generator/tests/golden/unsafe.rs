// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `unsafe.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/unsafe.h`](srctree/include/unsafe.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// A combination of the bits of `bindings::valve_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValveState(pub(crate) u32);

impl ValveState {
    /// `VALVE_OPEN`.
    pub const OPEN: Self = Self(bindings::valve_state_VALVE_OPEN);

    /// `VALVE_STUCK`.
    pub const STUCK: Self = Self(bindings::valve_state_VALVE_STUCK);

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

impl core::ops::BitOr for ValveState {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitAnd for ValveState {
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
    /// Makes one of its members.
    #[inline]
    pub const fn new(bar: u32) -> Self {
        Self(bindings::reading { bar })
    }

    /// The member `bar`.
    #[inline]
    pub fn bar(&self) -> u32 {
        self.0.bar
    }
}

/// The kernel's `boiler`.
///
/// # Invariants
///
/// `inner` is a `bindings::boiler` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Boiler {
    #[pin]
    inner: Opaque<bindings::boiler>,
    _not_send: NotThreadSafe,
}

impl Boiler {
    /// Makes one with `bindings::boiler_init`.
    ///
    /// # Safety
    ///
    /// The caller must promise that nothing else uses the registers at `address`.
    pub unsafe fn new(address: usize) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::boiler| {
            // SAFETY: `slot` is storage for a `struct boiler` that does not move; the caller
            // promises that nothing else uses the registers at `address`.
            unsafe { bindings::boiler_init(slot, address) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::boiler`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::boiler {
        self.inner.get()
    }

    /// Write a register.
    ///
    /// # Safety
    ///
    /// The caller must promise that `address` is that of a register of this boiler.
    ///
    /// # Errors
    ///
    /// The errors include `EIO`.
    #[inline]
    pub unsafe fn poke(&self, address: usize) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct boiler`; the caller promises
        // that `address` is that of a register of this boiler.
        to_result(unsafe { bindings::boiler_poke(self.as_raw(), address) })
    }

    /// Calls `bindings::boiler_valve`.
    #[inline]
    pub fn valve(&self) -> ValveState {
        let mut state: u32 = pin_init::zeroed();
        // SAFETY: By the type's invariants `self` is a valid `struct boiler`; `state` is storage
        // for the result.
        unsafe { bindings::boiler_valve(self.as_raw(), &raw mut state) };
        ValveState(state)
    }

    /// Calls `bindings::boiler_measure`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::boiler_measure`.
    #[inline]
    pub fn measure(&self) -> Result<Reading> {
        let mut reading: bindings::reading = pin_init::zeroed();
        // SAFETY: By the type's invariants `self` is a valid `struct boiler`; `reading` is
        // storage for the result.
        let value = unsafe { bindings::boiler_measure(self.as_raw(), &raw mut reading) };
        to_result(value)?;
        Ok(Reading(reading))
    }

    /// Calls `bindings::boiler_count`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::boiler_count`.
    #[inline]
    pub fn count(&self) -> Result<u32> {
        let mut value_: u32 = pin_init::zeroed();
        // SAFETY: By the type's invariants `self` is a valid `struct boiler`; `value_` is storage
        // for the result.
        let value = unsafe { bindings::boiler_count(self.as_raw(), &raw mut value_) };
        to_result(value)?;
        Ok(value_)
    }

    /// Calls `bindings::boiler_both`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::boiler_both`.
    #[inline]
    pub fn both(&self) -> Result<(bool, usize)> {
        let mut lit: bool = pin_init::zeroed();
        let mut litres: usize = pin_init::zeroed();
        // SAFETY: By the type's invariants `self` is a valid `struct boiler`; `lit` is storage
        // for the result; `litres` is storage for the result.
        let value = unsafe { bindings::boiler_both(self.as_raw(), &raw mut lit, &raw mut litres) };
        to_result(value)?;
        Ok((lit, litres))
    }

    /// Calls `bindings::boiler_maker`.
    #[inline]
    pub fn maker(&self) -> &CStr {
        // SAFETY: By the type's invariants `self` is a valid `struct boiler`.
        let ptr = unsafe { bindings::boiler_maker(self.as_raw()) };
        // SAFETY: By the contract (`borrowed(boiler)`) it is valid as long as `self`.
        unsafe { CStr::from_char_ptr(ptr) }
    }

    /// Calls `bindings::boiler_owner`.
    #[inline]
    pub fn owner(&self) -> Option<&CStr> {
        // SAFETY: By the type's invariants `self` is a valid `struct boiler`.
        let ptr = unsafe { bindings::boiler_owner(self.as_raw()) };
        if ptr.is_null() {
            return None;
        }
        // SAFETY: By the contract (`borrowed(boiler)`) it is valid as long as `self`.
        Some(unsafe { CStr::from_char_ptr(ptr) })
    }
}

/// The kernel's `label`.
///
/// # Invariants
///
/// `inner` is a `bindings::label` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Label {
    #[pin]
    inner: Opaque<bindings::label>,
    _not_send: NotThreadSafe,
}

impl Label {
    /// Makes one with `bindings::label_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::label| {
            // SAFETY: `slot` is storage for a `struct label` that does not move.
            unsafe { bindings::label_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::label`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::label {
        self.inner.get()
    }

    /// Calls `bindings::label_text`.
    #[inline]
    pub fn text(&self) -> &CStr {
        // SAFETY: By the type's invariants `self` is a valid `struct label`.
        let ptr = unsafe { bindings::label_text(self.as_raw()) };
        // SAFETY: By the contract (`borrowed(label)`) it is valid as long as `self`.
        unsafe { CStr::from_char_ptr(ptr) }
    }

    /// Calls `bindings::label_size`.
    #[inline]
    pub fn size(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct label`.
        unsafe { bindings::label_size(self.as_raw()) }
    }
}

/// The kernel's `plaque`.
///
/// # Invariants
///
/// `inner` is a `bindings::plaque` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Plaque {
    #[pin]
    inner: Opaque<bindings::plaque>,
    _not_send: NotThreadSafe,
}

impl Plaque {
    /// Makes one with `bindings::plaque_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::plaque| {
            // SAFETY: `slot` is storage for a `struct plaque` that does not move.
            unsafe { bindings::plaque_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::plaque`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::plaque {
        self.inner.get()
    }

    /// Calls `bindings::plaque_melt`.
    #[inline]
    pub fn melt(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct plaque`.
        unsafe { bindings::plaque_melt(self.as_raw()) }
    }

    /// Calls `bindings::plaque_letter`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::plaque_letter`.
    #[inline]
    pub fn letter(&self) -> Result<u8> {
        let mut letter: u8 = pin_init::zeroed();
        // SAFETY: By the type's invariants `self` is a valid `struct plaque`; `letter` is storage
        // for the result.
        let value = unsafe { bindings::plaque_letter(self.as_raw(), &raw mut letter) };
        to_result(value)?;
        Ok(letter)
    }
}
