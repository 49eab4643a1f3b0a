// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `foreign.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/foreign.h`](srctree/include/foreign.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    sync::aref::ARef,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// The kernel's `survey`.
///
/// # Invariants
///
/// `inner` is a `bindings::survey` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Survey {
    #[pin]
    inner: Opaque<bindings::survey>,
    _not_send: NotThreadSafe,
}

impl Survey {
    /// Makes one with `bindings::survey_init`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::survey_init`.
    pub fn new<'a>(space: &'a crate::foreign::Space) -> impl PinInit<Self, Error> + 'a {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::survey| {
            // SAFETY: `slot` is storage for a `struct survey` that does not move; `space` is a
            // reference and so valid for the call.
            to_result(unsafe { bindings::survey_init(slot, space.as_raw()) })
        });
        try_pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::survey`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::survey {
        self.inner.get()
    }

    /// Calls `bindings::survey_of`.
    ///
    /// May sleep.
    #[inline]
    pub fn count(&self, space: Option<&crate::foreign::Space>) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct survey`; `space` is a
        // reference and so valid for the call.
        unsafe {
            bindings::survey_of(
                self.as_raw(),
                space.map_or(core::ptr::null_mut(), |object| object.as_raw()),
            )
        }
    }
}

/// The kernel's `lamp`.
///
/// # Invariants
///
/// `inner` is a `bindings::lamp` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Lamp {
    #[pin]
    inner: Opaque<bindings::lamp>,
    pit: ARef<crate::foreign::Pit>,
}

/// What the object keeps may be used on any thread, as it may.
const _: fn() = || {
    fn on_any_thread<T: Send + Sync>() {}
    on_any_thread::<ARef<crate::foreign::Pit>>();
};

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Lamp {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Lamp {}

impl Lamp {
    /// Makes one with `bindings::lamp_init`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::lamp_init`.
    pub fn new(pit: &crate::foreign::Open<'_>, oil: usize) -> impl PinInit<Self, Error> {
        let pit: ARef<crate::foreign::Pit> = pit.into();
        let raw_pit = pit.as_raw();
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::lamp| {
            // SAFETY: `slot` is storage for a `struct lamp` that does not move; `pit` is kept
            // alive by the object (`keeps`).
            to_result(unsafe { bindings::lamp_init(slot, raw_pit, oil) })
        });
        try_pin_init!(Self {
            pit,
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::lamp`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::lamp {
        self.inner.get()
    }
}

#[pinned_drop]
impl PinnedDrop for Lamp {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `lamp_exit`).
        unsafe { bindings::lamp_exit(self.inner.get()) };
    }
}
