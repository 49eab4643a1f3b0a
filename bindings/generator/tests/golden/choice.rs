// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `choice.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/choice.h`](srctree/include/choice.h)

use crate::{
    bindings,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// What a lamp shows.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Stop.
    Red = bindings::lamp_color_LAMP_RED,
    /// Go.
    Green = bindings::lamp_color_LAMP_GREEN,
}

/// A value of `bindings::lamp_event`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event(pub(crate) bindings::lamp_event);

impl Event {
    /// `LAMP_BROKEN`.
    pub const BROKEN: Self = Self(bindings::lamp_event_LAMP_BROKEN);

    /// `LAMP_MENDED`.
    pub const MENDED: Self = Self(bindings::lamp_event_LAMP_MENDED);
}

/// The kernel's `lamp`.
///
/// # Invariants
///
/// `inner` is a `bindings::lamp` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Lamp {
    #[pin]
    inner: Opaque<bindings::lamp>,
    _not_send: NotThreadSafe,
}

impl Lamp {
    /// Makes one with `bindings::lamp_init`.
    pub fn new(color: Color) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::lamp| {
            // SAFETY: `slot` is storage for a `struct lamp` that does not move.
            unsafe { bindings::lamp_init(slot, color as bindings::lamp_color) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::lamp`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::lamp {
        self.inner.get()
    }

    /// Calls `bindings::lamp_show`.
    ///
    /// Never sleeps.
    #[inline]
    pub fn show(&self, color: Color) {
        // SAFETY: By the type's invariants `self` is a valid `struct lamp`.
        unsafe { bindings::lamp_show(self.as_raw(), color as bindings::lamp_color) }
    }

    /// Calls `bindings::lamp_event`.
    #[inline]
    pub fn last_event(&self) -> Event {
        // SAFETY: By the type's invariants `self` is a valid `struct lamp`.
        let value = unsafe { bindings::lamp_event(self.as_raw()) };
        Event(value)
    }
}
