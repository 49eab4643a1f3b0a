// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `address.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/address.h`](srctree/include/address.h)

use crate::{
    bindings,
    container_of,
    error::to_result,
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// What a device sees of memory.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Window(pub(crate) bindings::window);

impl Window {
    /// Makes one of its members.
    #[inline]
    pub const fn new(from: crate::dma::DmaAddress, to: crate::io::PhysAddr) -> Self {
        Self(bindings::window { from, to })
    }

    /// Where it begins for the device.
    #[inline]
    pub fn from(&self) -> crate::dma::DmaAddress {
        self.0.from
    }

    /// Where it begins in memory.
    #[inline]
    pub fn to(&self) -> crate::io::PhysAddr {
        self.0.to
    }
}

/// The kernel's `mapping`.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Mapping(pub(crate) bindings::mapping);

impl Mapping {
    /// The member `at`.
    #[inline]
    pub fn at(&self) -> crate::dma::DmaAddress {
        self.0.at
    }

    /// Calls `bindings::mapping_sync`.
    #[inline]
    pub fn sync(self) {
        // SAFETY: The only argument is a value that has no pointers.
        unsafe { bindings::mapping_sync(&raw const self.0) }
    }
}

/// The callbacks of a [`Engine`], which its user implements.
///
/// The implementing type is the data that the [`Engine`] holds.
#[vtable]
pub trait EngineOperations: Sized + Send + Sync + 'static {
    /// Called by C as `idle`.
    fn idle(&self);
}

/// Copies memory.
///
/// # Invariants
///
/// `inner` is a `bindings::engine` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Engine<T: EngineOperations> {
    #[pin]
    inner: Opaque<bindings::engine>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: EngineOperations + Send> Send for Engine<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: EngineOperations + Send + Sync> Sync for Engine<T> {}

impl<T: EngineOperations> Engine<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::engine_ops = bindings::engine_ops {
        idle: Some(Self::idle_callback),
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::engine_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::engine| {
            // SAFETY: `slot` is storage for a `struct engine` that does not move.
            unsafe { bindings::engine_init(slot, &Self::OPERATIONS) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// The data.
    #[inline]
    pub fn data(&self) -> &T {
        // SAFETY: The data is only ever shared.
        unsafe { &*self.data.get() }
    }

    /// Returns a raw pointer to the `bindings::engine`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::engine {
        self.inner.get()
    }

    /// Calls `bindings::engine_write`.
    ///
    /// # Safety
    ///
    /// The caller must promise that the device may write to `to`.
    #[inline]
    pub unsafe fn write(&self, to: crate::dma::DmaAddress) {
        // SAFETY: By the type's invariants `self` is a valid `struct engine`; the caller promises
        // that the device may write to `to`.
        unsafe { bindings::engine_write(self.as_raw(), to) }
    }

    /// Calls `bindings::engine_unmap`.
    #[inline]
    pub fn unmap(&self, mapping: Mapping) {
        // SAFETY: By the type's invariants `self` is a valid `struct engine`.
        unsafe { bindings::engine_unmap(self.as_raw(), mapping.0) }
    }

    /// Calls `bindings::engine_position`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::engine_position`.
    #[inline]
    pub fn position(&self) -> Result<crate::dma::DmaAddress> {
        let mut at: crate::dma::DmaAddress = pin_init::zeroed();
        // SAFETY: By the type's invariants `self` is a valid `struct engine`; `at` is storage for
        // the result.
        let value = unsafe { bindings::engine_position(self.as_raw(), &raw mut at) };
        to_result(value)?;
        Ok(at)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `idle`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn idle_callback(engine: *mut bindings::engine) {
        // SAFETY: C calls back with the `struct engine` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(engine) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as EngineOperations>::idle(data)
    }

    /// The object around a `bindings::engine`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::engine) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: EngineOperations> PinnedDrop for Engine<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `engine_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::engine_exit(self.inner.get()) };
    }
}
