// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `flags.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/flags.h`](srctree/include/flags.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// How a file is opened.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode(pub(crate) u32);

impl Mode {
    /// It can be read.
    pub const READ: Self = Self(bindings::file_mode_MODE_READ);

    /// It can be written.
    pub const WRITE: Self = Self(bindings::file_mode_MODE_WRITE);

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

impl core::ops::BitOr for Mode {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitAnd for Mode {
    type Output = Self;
    #[inline]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The kernel's `file`.
///
/// # Invariants
///
/// `inner` is a `bindings::file` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct File {
    #[pin]
    inner: Opaque<bindings::file>,
    _not_send: NotThreadSafe,
}

impl File {
    /// Makes one with `bindings::file_open`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::file_open`.
    pub fn new(mode: Mode) -> impl PinInit<Self, Error> {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::file| {
            // SAFETY: `slot` is storage for a `struct file` that does not move.
            to_result(unsafe { bindings::file_open(slot, mode.0) })
        });
        try_pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::file`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::file {
        self.inner.get()
    }

    /// Calls `bindings::file_mode`.
    #[inline]
    pub fn mode(&self) -> Mode {
        // SAFETY: By the type's invariants `self` is a valid `struct file`.
        let value = unsafe { bindings::file_mode(self.as_raw()) };
        Mode(value)
    }
}

#[pinned_drop]
impl PinnedDrop for File {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `file_close`).
        unsafe { bindings::file_close(self.inner.get()) };
    }
}
