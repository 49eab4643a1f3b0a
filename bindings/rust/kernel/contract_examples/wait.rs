// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/poll.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/poll.h`](srctree/include/linux/poll.h)

use crate::{
    bindings,
    prelude::*,
    types::Opaque, //
};

/// Tasks that wait for a condition.
///
/// # Invariants
///
/// `inner` is a `bindings::wait_queue_head` that its constructor has initialised; it stays
/// where it is until it is dropped.
#[pin_data]
pub struct WaitQueue {
    #[pin]
    inner: Opaque<bindings::wait_queue_head>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for WaitQueue {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for WaitQueue {}

impl WaitQueue {
    /// Make one that nobody waits in.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::wait_queue_head| {
            // SAFETY: `slot` is storage for a `struct wait_queue_head` that does not move.
            unsafe { bindings::init_waitqueue_head(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::wait_queue_head`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::wait_queue_head {
        self.inner.get()
    }

    /// Wake all, but of those who wait exclusively only one.
    ///
    /// Never sleeps.
    #[inline]
    pub fn wake_up(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct wait_queue_head`.
        unsafe { bindings::wake_up(self.as_raw()) }
    }

    /// Wake all.
    ///
    /// Never sleeps.
    #[inline]
    pub fn wake_up_all(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct wait_queue_head`.
        unsafe { bindings::wake_up_all(self.as_raw()) }
    }

    /// Ask whether somebody waits.
    ///
    /// Returns whether somebody does.
    ///
    /// Never sleeps.
    #[inline]
    pub fn has_sleeper(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct wait_queue_head`.
        unsafe { bindings::wq_has_sleeper(self.as_raw()) }
    }
}
