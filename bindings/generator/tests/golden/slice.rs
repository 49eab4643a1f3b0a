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

/// A value of `bindings::lane`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// `LANE_FAST`.
    Fast = bindings::lane_LANE_FAST,
    /// `LANE_SLOW`.
    Slow = bindings::lane_LANE_SLOW,
}

/// A combination of the bits of `bindings::event`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events(pub(crate) u32);

impl Events {
    /// `EVENT_READ`.
    pub const READ: Self = Self(bindings::event_EVENT_READ);

    /// `EVENT_WRITE`.
    pub const WRITE: Self = Self(bindings::event_EVENT_WRITE);

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

impl core::ops::BitOr for Events {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitAnd for Events {
    type Output = Self;
    #[inline]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// An integer described by `ticket_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticket(pub(crate) usize);

impl Ticket {
    /// The integer.
    #[inline]
    pub const fn into_raw(self) -> usize {
        self.0
    }
}

/// A part of what is in a pipe.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Range(pub(crate) bindings::range);

impl Range {
    /// Makes one of its members.
    #[inline]
    pub const fn new(first: usize, last: usize) -> Self {
        Self(bindings::range { first, last })
    }

    /// Where it begins.
    #[inline]
    pub fn first(&self) -> usize {
        self.0.first
    }

    /// Where it ends.
    #[inline]
    pub fn last(&self) -> usize {
        self.0.last
    }
}

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
    /// Makes one with `bindings::pipe_init`.
    pub fn new<'a>(name: &'static CStr, note: &'a CStr) -> impl PinInit<Self> + 'a {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::pipe| {
            // SAFETY: `slot` is storage for a `struct pipe` that does not move; `name` is freed
            // with its module only, when C does not use the object any more (`keeps`); `note` is
            // a reference and so valid for the call.
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

    /// Calls `bindings::pipe_label`.
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

    /// Calls `bindings::pipe_write`.
    #[inline]
    pub fn write(&self, bytes: &[u8]) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `bytes` is passed
        // with its own length.
        unsafe { bindings::pipe_write(self.as_raw(), bytes.as_ptr(), bytes.len()) }
    }

    /// Calls `bindings::pipe_read`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::pipe_read`.
    #[inline]
    pub fn read(&self, values: &mut [u32]) -> Result {
        let nr = values.len().try_into()?;
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `values` is passed
        // with its own length.
        to_result(unsafe { bindings::pipe_read(self.as_raw(), values.as_mut_ptr(), nr) })
    }

    /// Calls `bindings::pipe_discard`.
    #[inline]
    pub fn discard(&self, ranges: &[Range]) {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `ranges` is passed
        // with its own length, and an element has one layout in Rust and C.
        unsafe { bindings::pipe_discard(self.as_raw(), ranges.as_ptr().cast(), ranges.len()) }
    }

    /// Calls `bindings::pipe_ranges`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::pipe_ranges`.
    #[inline]
    pub fn ranges(&self, ranges: &mut [Range]) -> Result {
        let nr = ranges.len().try_into()?;
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `ranges` is passed
        // with its own length, and an element has one layout in Rust and C.
        to_result(unsafe { bindings::pipe_ranges(self.as_raw(), ranges.as_mut_ptr().cast(), nr) })
    }

    /// Calls `bindings::pipe_await`.
    #[inline]
    pub fn await_(&self, events: &[Events]) {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `events` is passed
        // with its own length, and an element has one layout in Rust and C.
        unsafe { bindings::pipe_await(self.as_raw(), events.as_ptr().cast(), events.len()) }
    }

    /// Calls `bindings::pipe_tickets`.
    #[inline]
    pub fn tickets(&self, tickets: &mut [Ticket]) {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `tickets` is passed
        // with its own length, and an element has one layout in Rust and C.
        unsafe { bindings::pipe_tickets(self.as_raw(), tickets.as_mut_ptr().cast(), tickets.len()) }
    }

    /// Calls `bindings::pipe_order`.
    #[inline]
    pub fn order(&self, lanes: &[Lane]) {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `lanes` is passed
        // with its own length, and an element has one layout in Rust and C.
        unsafe { bindings::pipe_order(self.as_raw(), lanes.as_ptr().cast(), lanes.len()) }
    }

    /// Calls `bindings::pipe_fill`.
    #[inline]
    pub fn fill(&self, bytes: &mut [u8]) {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `bytes` is passed
        // with its own length, and an element has one layout in Rust and C.
        unsafe { bindings::pipe_fill(self.as_raw(), bytes.as_mut_ptr().cast(), bytes.len()) }
    }

    /// Calls `bindings::pipe_mark`.
    #[inline]
    pub fn mark(&self, marks: &[u32]) {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `marks` is passed
        // with its own length, and an element has one layout in Rust and C.
        unsafe { bindings::pipe_mark(self.as_raw(), marks.as_ptr().cast(), marks.len()) }
    }

    /// Calls `bindings::pipe_parts`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::pipe_parts`.
    #[inline]
    pub fn parts(&self, parts: &mut [Range]) -> Result {
        let nr = parts.len().try_into()?;
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `parts` is passed
        // with its own length, and an element has one layout in Rust and C.
        to_result(unsafe { bindings::pipe_parts(self.as_raw(), parts.as_mut_ptr().cast(), nr) })
    }

    /// Calls `bindings::pipe_lanes_of`.
    #[inline]
    pub fn lanes_of(&self, lanes: &[Lane]) {
        // SAFETY: By the type's invariants `self` is a valid `struct pipe`; `lanes` is passed
        // with its own length, and an element has one layout in Rust and C.
        unsafe { bindings::pipe_lanes_of(self.as_raw(), lanes.as_ptr().cast(), lanes.len()) }
    }
}
