// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `space.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/space.h`](srctree/include/space.h)

use crate::{
    bindings,
    container_of,
    error::{
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// The kernel's `wave`.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Wave(pub(crate) bindings::wave);

impl Wave {
    /// The member `volume`.
    #[inline]
    pub fn volume(&self) -> u32 {
        self.0.volume
    }
}

/// The kernel's `radio`.
///
/// # Invariants
///
/// `inner` is a `bindings::radio` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Radio {
    #[pin]
    inner: Opaque<bindings::radio>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Radio {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Radio {}

impl Radio {
    /// Makes one with `bindings::radio_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::radio| {
            // SAFETY: `slot` is storage for a `struct radio` that does not move.
            unsafe { bindings::radio_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::radio`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::radio {
        self.inner.get()
    }

    /// The member `rom`.
    #[inline]
    pub fn rom(&self) -> &[u8] {
        // SAFETY: By the type's invariants `self` is a valid `struct radio`, and by the contract
        // (`constant`) nobody writes to the member, or to what it points to, while it exists.
        let first = unsafe { (*self.as_raw()).rom }.cast::<u8>();
        // SAFETY: By the type's invariants `self` is a valid `struct radio`, and by the contract
        // (`constant`) nobody writes to the member, or to what it points to, while it exists.
        let length = unsafe { (*self.as_raw()).size };
        if first.is_null() {
            return &[];
        }
        // SAFETY: By the type's invariants `self` is a valid `struct radio`, and by the contract
        // (`constant`) nobody writes to the member, or to what it points to, while it exists;
        // `rom` has `size` elements (`slice`), and is not NULL here.
        unsafe { core::slice::from_raw_parts(first, length as usize) }
    }

    /// The member `size`.
    #[inline]
    pub fn size(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct radio`, and by the contract
        // (`constant`) nobody writes to the member, or to what it points to, while it exists.
        unsafe { (*self.as_raw()).size }
    }

    /// Calls `bindings::radio_owner`.
    #[inline]
    pub fn owner(&self, at: *const c_void) {
        // SAFETY: By the type's invariants `self` is a valid `struct radio`.
        unsafe { bindings::radio_owner(self.as_raw(), at.cast_mut().cast()) }
    }

    /// Calls `bindings::radio_send`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::radio_send`.
    #[inline]
    pub fn send(&self, bytes: &[u8]) -> Result<u32> {
        // SAFETY: By the type's invariants `self` is a valid `struct radio`; `bytes` is passed
        // with its own length, and an element has one layout in Rust and C.
        let value =
            unsafe { bindings::radio_send(self.as_raw(), bytes.as_ptr().cast(), bytes.len()) };
        to_result(value)?;
        Ok(value as u32)
    }

    /// Calls `bindings::radio_moved`.
    ///
    /// # Safety
    ///
    /// The caller must promise that the memory at `start` is the radio's alone.
    #[inline]
    pub unsafe fn moved(&self, start: crate::io::PhysAddr) {
        // SAFETY: By the type's invariants `self` is a valid `struct radio`; the caller promises
        // that the memory at `start` is the radio's alone.
        unsafe { bindings::radio_moved(self.as_raw(), start) }
    }
}

/// The callbacks of a [`Tuner`], which its user implements.
///
/// The implementing type is the data that the [`Tuner`] holds.
#[vtable]
pub trait TunerOperations: Sized + Send + Sync + 'static {
    /// Called by C as `tune`.
    fn tune(&self, to: u32) -> Result;

    /// Called by C as `named`.
    fn named(&self, _name: &CStr) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The kernel's `tuner`.
///
/// # Invariants
///
/// `inner` is a `bindings::tuner` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Tuner<T: TunerOperations> {
    #[pin]
    inner: Opaque<bindings::tuner>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: TunerOperations + Send> Send for Tuner<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: TunerOperations + Send + Sync> Sync for Tuner<T> {}

impl<T: TunerOperations> Tuner<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::tuner_ops = bindings::tuner_ops {
        tune: Some(Self::tune_callback),
        named: if T::HAS_NAMED {
            Some(Self::named_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::tuner_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::tuner| {
            // SAFETY: `slot` is storage for a `struct tuner`, in which the `given` fields are set
            // and the others are zero.
            unsafe {
                slot.write_bytes(0, 1);
                (&raw mut (*slot).ops).write(&Self::OPERATIONS);
            }
            // SAFETY: `slot` is a `struct tuner` that does not move, with the fields set that are
            // `given`.
            unsafe { bindings::tuner_init(slot) }
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

    /// Returns a raw pointer to the `bindings::tuner`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::tuner {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `tune`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn tune_callback(tuner: *mut bindings::tuner, to: u32) -> c_int {
        // SAFETY: C calls back with the `struct tuner` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(tuner) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        match <T as TunerOperations>::tune(data, to) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `named`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn named_callback(tuner: *mut bindings::tuner, name: *const c_char) {
        // SAFETY: C calls back with the `struct tuner` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(tuner) };
        // SAFETY: By the contract (`borrows`, `nonnull`) C passes a string as `name`, valid for
        // the call.
        let name = unsafe { CStr::from_char_ptr(name) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as TunerOperations>::named(data, name)
    }

    /// The object around a `bindings::tuner`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::tuner) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: TunerOperations> PinnedDrop for Tuner<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `tuner_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::tuner_exit(self.inner.get()) };
    }
}
