// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/dmapool.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/dmapool.h`](srctree/include/linux/dmapool.h)

use crate::{
    bindings,
    prelude::*,
    sync::aref::ARef, //
};
use core::ptr::NonNull;

/// Blocks of one size that a device can reach.
///
/// # Invariants
///
/// `ptr` points to a `bindings::dma_pool` that belongs to this value.
pub struct DmaPool {
    ptr: NonNull<bindings::dma_pool>,
    #[allow(dead_code)]
    dev: ARef<crate::device::Device>,
}

/// What the object keeps may be used on any thread, as it may.
const _: fn() = || {
    fn on_any_thread<T: Send + Sync>() {}
    on_any_thread::<ARef<crate::device::Device>>();
};

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for DmaPool {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for DmaPool {}

impl DmaPool {
    /// Make a pool.
    ///
    /// Returns the pool, or none without memory or with values that cannot be.
    ///
    /// May sleep.
    ///
    /// # Safety
    ///
    /// The caller must promise that the pool is dropped before the device is unbound, whose
    /// addresses its blocks have.
    #[inline]
    pub unsafe fn new(
        name: &CStr,
        dev: &crate::device::Device<crate::device::Bound>,
        size: usize,
        align: usize,
        boundary: usize,
    ) -> Option<DmaPool> {
        let dev: ARef<crate::device::Device> = dev.into();
        let raw_dev = dev.as_raw();
        // SAFETY: `name` is a reference and so valid for the call; `dev` is kept alive by the
        // object (`keeps`); the caller promises that the pool is dropped before the device is
        // unbound, whose addresses its blocks have.
        let ptr = NonNull::new(unsafe {
            bindings::dma_pool_create(name.as_char_ptr(), raw_dev, size, align, boundary)
        })?;
        Some(DmaPool { ptr, dev })
    }

    /// Returns a raw pointer to the `bindings::dma_pool`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::dma_pool {
        self.ptr.as_ptr()
    }
}

impl Drop for DmaPool {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `dma_pool_destroy`).
        unsafe { bindings::dma_pool_destroy(self.ptr.as_ptr()) };
    }
}
