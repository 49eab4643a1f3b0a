// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `prose.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/prose.h`](srctree/include/prose.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// Water with fish.
///
/// It stays where it is, and is drained when it is dropped.
///
/// # Invariants
///
/// `inner` is a `bindings::pond` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Pond {
    #[pin]
    inner: Opaque<bindings::pond>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Pond {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Pond {}

impl Pond {
    /// Makes one with `bindings::pond_fill`.
    ///
    /// # Errors
    ///
    /// The errors include `ENOMEM`.
    pub fn new() -> impl PinInit<Self, Error> {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::pond| {
            // SAFETY: `slot` is storage for a `struct pond` that does not move.
            to_result(unsafe { bindings::pond_fill(slot) })
        });
        try_pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::pond`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::pond {
        self.inner.get()
    }

    /// How deep it is.
    #[inline]
    pub fn depth(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct pond`.
        unsafe { bindings::pond_depth(self.as_raw()) }
    }

    /// Stirs the water, as [`Pond::depth`] does not.
    ///
    /// Everything that swims notices.
    ///
    /// May sleep.
    #[inline]
    pub fn stir(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct pond`.
        unsafe { bindings::pond_stir(self.as_raw()) }
    }

    /// Count the fish.
    ///
    /// # Errors
    ///
    /// The errors include `EAGAIN`, `EIO`.
    #[inline]
    pub fn fish(&self) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct pond`.
        to_result(unsafe { bindings::pond_fish(self.as_raw()) })
    }
}

#[pinned_drop]
impl PinnedDrop for Pond {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `pond_drain`).
        unsafe { bindings::pond_drain(self.inner.get()) };
    }
}
