// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `slice.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/slice.h`](srctree/include/slice.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// The kernel's `pipe`.
///
/// # Invariants
///
/// `inner` is a `bindings::pipe` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Pipe {
    #[pin]
    inner: Opaque<bindings::pipe>,
    _not_send: NotThreadSafe,
}

impl Pipe {
    /// Calls C's `pipe_init`.
    pub fn new<'a>(name: &'static CStr, note: &'a CStr) -> impl PinInit<Self> + 'a {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::pipe| {
            // SAFETY: `slot` is storage for a `struct pipe` that does not move; `name` is never
            // freed, so C may keep it (`keeps`); `note` is a reference and so valid for the call.
            unsafe { bindings::pipe_init(slot, name.as_char_ptr(), note.as_char_ptr()) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::pipe`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::pipe {
        self.inner.get()
    }

    /// Calls C's `pipe_label`.
    #[inline]
    pub fn label(&self, text: Option<&CStr>) {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `text` is a reference
        // and so valid for the call.
        unsafe {
            bindings::pipe_label(
                self.as_raw(),
                text.map_or(core::ptr::null(), |text| text.as_char_ptr()),
            )
        }
    }

    /// Calls C's `pipe_write`.
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `bytes` is passed
        // with its own length.
        unsafe { bindings::pipe_write(self.as_raw(), bytes.as_ptr(), bytes.len()) }
    }

    /// Calls C's `pipe_read`.
    ///
    /// # Errors
    ///
    /// Fails with the error that C reports.
    #[inline]
    pub fn read(&self, values: &mut [u32]) -> Result {
        let nr = values.len().try_into()?;
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `values` is passed
        // with its own length.
        to_result(unsafe { bindings::pipe_read(self.as_raw(), values.as_mut_ptr(), nr) })
    }
}
