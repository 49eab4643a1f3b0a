// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/seqlock.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/seqlock.h`](srctree/include/linux/seqlock.h)

use crate::{
    bindings,
    prelude::*,
    types::Opaque, //
};

/// How often something has changed.
///
/// # Invariants
///
/// `inner` is a `bindings::seqcount` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct SeqCount {
    #[pin]
    inner: Opaque<bindings::seqcount>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for SeqCount {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for SeqCount {}

impl SeqCount {
    /// Make one for something that has not changed yet.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::seqcount| {
            // SAFETY: `slot` is storage for a `struct seqcount` that does not move.
            unsafe { bindings::seqcount_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::seqcount`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::seqcount {
        self.inner.get()
    }

    /// Make current readers start again.
    ///
    /// Never sleeps.
    #[inline]
    pub fn invalidate(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct seqcount`.
        unsafe { bindings::write_seqcount_invalidate(self.as_raw()) }
    }

    /// Begin to read data that may change.
    ///
    /// `body` is repeated until the data has not changed while it ran; the result of the last
    /// run is returned.
    pub fn read<R>(&self, mut body: impl FnMut(&Self) -> R) -> R {
        loop {
            // SAFETY: By the type's invariants `self` is a valid `struct seqcount`.
            let sequence = unsafe { bindings::read_seqcount_begin(self.as_raw()) };
            let result = body(self);
            // SAFETY: By the type's invariants `self` is valid; `sequence` is what
            // `read_seqcount_begin` returned for it.
            let changed = unsafe { bindings::read_seqcount_retry(self.as_raw(), sequence) };
            if changed == 0 {
                return result;
            }
        }
    }
}
