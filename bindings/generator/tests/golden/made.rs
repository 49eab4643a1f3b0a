// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `made.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/made.h`](srctree/include/made.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    sync::Arc,
    types::Opaque, //
};
use core::ptr::NonNull;

/// What a device runs.
///
/// # Invariants
///
/// `ptr` points to a `bindings::image` that belongs to this value.
pub struct Image {
    ptr: NonNull<bindings::image>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Image {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Image {}

impl Image {
    /// Read an image.
    ///
    /// # Errors
    ///
    /// The errors include `ENOENT`.
    #[inline]
    pub fn new(name: &CStr) -> Result<Image> {
        let mut image = core::ptr::null::<bindings::image>();
        // SAFETY: `image` is storage for the result; `name` is a reference and so valid for the
        // call.
        to_result(unsafe { bindings::image_load(&raw mut image, name.as_char_ptr()) })?;
        let ptr = NonNull::new(image.cast_mut()).ok_or(ENOMEM)?;
        Ok(Image { ptr })
    }

    /// Returns a raw pointer to the `bindings::image`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::image {
        self.ptr.as_ptr()
    }

    /// How many bytes it has.
    #[inline]
    pub fn size(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct image`, and by the contract
        // (`constant`) nobody writes to the member, or to what it points to, while it exists.
        unsafe { (*self.as_raw()).size }
    }

    /// Its bytes.
    #[inline]
    pub fn data(&self) -> &[u8] {
        // SAFETY: By the type's invariants `self` is a valid `struct image`, and by the contract
        // (`constant`) nobody writes to the member, or to what it points to, while it exists.
        let first = unsafe { (*self.as_raw()).data }.cast::<u8>();
        // SAFETY: By the type's invariants `self` is a valid `struct image`, and by the contract
        // (`constant`) nobody writes to the member, or to what it points to, while it exists.
        let length = unsafe { (*self.as_raw()).size };
        if first.is_null() {
            return &[];
        }
        // SAFETY: By the type's invariants `self` is a valid `struct image`, and by the contract
        // (`constant`) nobody writes to the member, or to what it points to, while it exists;
        // `data` has `size` elements (`slice`), and is not NULL here.
        unsafe { core::slice::from_raw_parts(first, length as usize) }
    }
}

impl Drop for Image {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `image_free`).
        unsafe { bindings::image_free(self.ptr.as_ptr()) };
    }
}

/// The callbacks that are called.
///
/// # Invariants
///
/// `inner` is a `bindings::chain` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Chain {
    #[pin]
    inner: Opaque<bindings::chain>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Chain {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Chain {}

impl Chain {
    /// Makes one with `bindings::chain_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::chain| {
            // SAFETY: `slot` is storage for a `struct chain` that does not move.
            unsafe { bindings::chain_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::chain`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::chain {
        self.inner.get()
    }
}

#[pinned_drop]
impl PinnedDrop for Chain {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `chain_exit`).
        unsafe { bindings::chain_exit(self.inner.get()) };
    }
}

/// One of those.
///
/// # Invariants
///
/// `inner` is a `bindings::link` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Link {
    #[pin]
    inner: Opaque<bindings::link>,
    chain: Arc<Chain>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Link {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Link {}

impl Link {
    /// Makes one with `bindings::link_add`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::link_add`.
    pub fn new(chain: Arc<Chain>) -> impl PinInit<Self, Error> {
        let raw_chain = chain.as_raw();
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::link| {
            // SAFETY: `slot` is storage for a `struct link` that does not move; `chain` is kept
            // alive by the object (`keeps`).
            to_result(unsafe { bindings::link_add(raw_chain, slot) })
        });
        try_pin_init!(Self {
            chain,
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::link`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::link {
        self.inner.get()
    }

    /// Calls `bindings::link_position`.
    #[inline]
    pub fn position(&self) -> u32 {
        // SAFETY: By the type's invariants `self` is a valid `struct link`; `self.chain` is what
        // the constructor was given (`kept`).
        unsafe { bindings::link_position(self.as_raw(), self.chain.as_raw()) }
    }
}

#[pinned_drop]
impl PinnedDrop for Link {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `link_remove`); `self.chain` is what the
        // constructor was given (`kept`).
        unsafe { bindings::link_remove(self.chain.as_raw(), self.inner.get()) };
    }
}
