// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `record.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/record.h`](srctree/include/record.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// A rectangle.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Area(pub(crate) bindings::area);

impl Area {
    /// Makes one of its members.
    #[inline]
    pub const fn new(width: u32, height: u32) -> Self {
        Self(bindings::area { width, height })
    }

    /// In millimetres.
    #[inline]
    pub fn width(&self) -> u32 {
        self.0.width
    }

    /// In millimetres.
    #[inline]
    pub fn height(&self) -> u32 {
        self.0.height
    }

    /// Calls `bindings::area_size`.
    #[inline]
    pub fn size(self) -> usize {
        // SAFETY: The only argument is a value that has no pointers.
        unsafe { bindings::area_size(&raw const self.0) }
    }
}

/// The kernel's `sheet`.
#[repr(transparent)]
pub struct Sheet(pub(crate) bindings::sheet);

impl Sheet {
    /// The member `area`.
    #[inline]
    pub fn area(&self) -> Area {
        Area(self.0.area)
    }

    /// The member `white`.
    #[inline]
    pub fn white(&self) -> bool {
        self.0.white
    }
}

/// The kernel's `press`.
///
/// # Invariants
///
/// `inner` is a `bindings::press` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Press {
    #[pin]
    inner: Opaque<bindings::press>,
    _not_send: NotThreadSafe,
}

impl Press {
    /// Makes one with `bindings::press_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::press| {
            // SAFETY: `slot` is storage for a `struct press` that does not move.
            unsafe { bindings::press_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::press`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::press {
        self.inner.get()
    }

    /// Calls `bindings::press_print`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::press_print`.
    #[inline]
    pub fn print(&self, where_: &Area, margin: Area) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct press`; `where` is a
        // reference and so valid for the call.
        to_result(unsafe { bindings::press_print(self.as_raw(), &where_.0, margin.0) })
    }
}
