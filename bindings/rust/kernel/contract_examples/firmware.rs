// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/firmware.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/firmware.h`](srctree/include/linux/firmware.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*, //
};
use core::ptr::NonNull;

/// A file that a device needs.
///
/// # Invariants
///
/// `ptr` points to a `bindings::firmware` that belongs to this value.
pub struct Firmware {
    ptr: NonNull<bindings::firmware>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Firmware {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Firmware {}

impl Firmware {
    /// Load a file.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::request_firmware`.
    #[inline]
    pub fn new(
        name: &CStr,
        device: &crate::device::Device<crate::device::Bound>,
    ) -> Result<Firmware> {
        let mut fw = core::ptr::null::<bindings::firmware>();
        // SAFETY: `fw` is storage for the result; `name` is a reference and so valid for the
        // call; `device` is a reference and so valid for the call.
        to_result(unsafe {
            bindings::request_firmware(&raw mut fw, name.as_char_ptr(), device.as_raw())
        })?;
        let ptr = NonNull::new(fw.cast_mut()).ok_or(ENOMEM)?;
        Ok(Firmware { ptr })
    }

    /// Returns a raw pointer to the `bindings::firmware`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::firmware {
        self.ptr.as_ptr()
    }

    /// How many bytes it has.
    #[inline]
    pub fn size(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct firmware`, and by the
        // contract (`constant`) nobody writes to the member, or to what it points to, while it
        // exists.
        unsafe { (*self.as_raw()).size }
    }

    /// Its bytes.
    #[inline]
    pub fn data(&self) -> &[u8] {
        // SAFETY: By the type's invariants `self` is a valid `struct firmware`, and by the
        // contract (`constant`) nobody writes to the member, or to what it points to, while it
        // exists.
        let first = unsafe { (*self.as_raw()).data }.cast::<u8>();
        // SAFETY: By the type's invariants `self` is a valid `struct firmware`, and by the
        // contract (`constant`) nobody writes to the member, or to what it points to, while it
        // exists.
        let length = unsafe { (*self.as_raw()).size };
        if first.is_null() {
            return &[];
        }
        // SAFETY: By the type's invariants `self` is a valid `struct firmware`, and by the
        // contract (`constant`) nobody writes to the member, or to what it points to, while it
        // exists; `data` has `size` elements (`slice`), and is not NULL here.
        unsafe { core::slice::from_raw_parts(first, length as usize) }
    }
}

impl Drop for Firmware {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `release_firmware`).
        unsafe { bindings::release_firmware(self.ptr.as_ptr()) };
    }
}
