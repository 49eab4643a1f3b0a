// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `object.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/object.h`](srctree/include/object.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};

/// A ring of slots.
///
/// Producers and consumers may be on different CPUs.
///
/// # Invariants
///
/// `inner` is a `bindings::ring` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Ring {
    #[pin]
    inner: Opaque<bindings::ring>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Ring {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Ring {}

impl Ring {
    /// Make a ring.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL`, `ENOMEM`.
    pub fn new(slots: u32) -> impl PinInit<Self, Error> {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::ring| {
            // SAFETY: `slot` is storage for a `struct ring` that does not move.
            to_result(unsafe { bindings::ring_init(slot, slots) })
        });
        try_pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::ring`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::ring {
        self.inner.get()
    }

    /// The size of a ring.
    ///
    /// Returns how many slots it has.
    ///
    /// Never sleeps.
    #[inline]
    pub fn slots(&self) -> u32 {
        // SAFETY: By the type's invariants `self` is a valid `struct ring`.
        unsafe { bindings::ring_slots(self.as_raw()) }
    }
}

#[pinned_drop]
impl PinnedDrop for Ring {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `ring_exit`).
        unsafe { bindings::ring_exit(self.inner.get()) };
    }
}
