// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `counted.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/counted.h`](srctree/include/counted.h)

use crate::{
    bindings,
    container_of,
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// A combination of the bits of `bindings::dial_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State(pub(crate) u32);

impl State {
    /// `DIAL_LIVE`.
    pub const LIVE: Self = Self(bindings::dial_state_DIAL_LIVE);

    /// `DIAL_WARM`.
    pub const WARM: Self = Self(bindings::dial_state_DIAL_WARM);

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

impl core::ops::BitOr for State {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitAnd for State {
    type Output = Self;
    #[inline]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// What a meter has seen.
#[repr(transparent)]
pub struct Log(pub(crate) bindings::log);

impl Log {
    /// The member `nr`.
    #[inline]
    pub fn nr(&self) -> u32 {
        self.0.nr
    }

    /// The member `nr_states`.
    #[inline]
    pub fn nr_states(&self) -> u32 {
        self.0.nr_states
    }

    /// The member `states`, with `nr_states` elements.
    #[inline]
    pub fn states(&self) -> &[State] {
        let first = self.0.states.cast::<State>();
        if first.is_null() {
            return &[];
        }
        // SAFETY: C passes a `struct log` with `nr_states` elements in `states` (`slice`), and
        // they live as long as it does, which cannot be copied. The pointer was not NULL.
        unsafe { core::slice::from_raw_parts(first, self.0.nr_states as usize) }
    }

    /// The member `times`, with `nr_states` elements.
    #[inline]
    pub fn times(&self) -> &[u64] {
        let first = self.0.times.cast::<u64>();
        if first.is_null() {
            return &[];
        }
        // SAFETY: C passes a `struct log` with `nr_states` elements in `times` (`slice`), and
        // they live as long as it does, which cannot be copied. The pointer was not NULL.
        unsafe { core::slice::from_raw_parts(first, self.0.nr_states as usize) }
    }

    /// In millivolts, the oldest first.
    #[inline]
    pub fn levels(&self) -> &[u16] {
        let first = core::ptr::with_exposed_provenance(self.0.levels.as_ptr().addr());
        // SAFETY: C passes a `struct log` with `nr` elements in `levels` (`__counted_by`), and
        // they live as long as it does, which cannot be copied. They follow the structure,
        // outside the memory that a reference to it covers.
        unsafe { core::slice::from_raw_parts(first, self.0.nr as usize) }
    }
}

/// The callbacks of a [`Meter`], which its user implements.
///
/// The implementing type is the data that the [`Meter`] holds.
#[vtable]
pub trait Operations: Sized + Send + Sync + 'static {
    /// Called by C as `report`.
    fn report(&self, log: &Log);
}

/// The kernel's `meter`.
///
/// # Invariants
///
/// `inner` is a `bindings::meter` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Meter<T: Operations> {
    #[pin]
    inner: Opaque<bindings::meter>,
    #[pin]
    data: UnsafeCell<T>,
    _not_send: NotThreadSafe,
}

impl<T: Operations> Meter<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::meter_ops = bindings::meter_ops {
        report: Some(Self::report_callback),
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::meter_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::meter| {
            // SAFETY: `slot` is storage for a `struct meter` that does not move.
            unsafe { bindings::meter_init(slot, &Self::OPERATIONS) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// The data.
    #[inline]
    pub fn data(&self) -> &T {
        // SAFETY: The data is only ever shared.
        unsafe { &*self.data.get() }
    }

    /// Returns a raw pointer to the `bindings::meter`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::meter {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `report`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn report_callback(meter: *mut bindings::meter, log: *const bindings::log) {
        // SAFETY: C calls back with the `struct meter` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(meter) };
        // SAFETY: By the contract (`nonnull`) C passes a valid `struct log` for the call, and the
        // layouts are the same by `repr(transparent)`.
        let log = unsafe { &*log.cast::<Log>() };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Operations>::report(data, log)
    }

    /// The object around a `bindings::meter`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::meter) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Operations> PinnedDrop for Meter<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `meter_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::meter_exit(self.inner.get()) };
    }
}
