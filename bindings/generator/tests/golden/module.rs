// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `module.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/module.h`](srctree/include/module.h)

use crate::{
    bindings,
    error::to_result,
    other::Area,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// The kernel's `field`.
///
/// # Invariants
///
/// A value of this type is a live `bindings::field`, reached by reference only.
#[repr(transparent)]
pub struct Field(Opaque<bindings::field>, NotThreadSafe);

impl Field {
    /// Returns a raw pointer to the `bindings::field`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::field {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::field` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::field) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Calls `bindings::field_plough`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::field_plough`.
    #[inline]
    pub fn plough(&self, area: Area) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct field`.
        to_result(unsafe { bindings::field_plough(self.as_raw(), area.0) })
    }
}
