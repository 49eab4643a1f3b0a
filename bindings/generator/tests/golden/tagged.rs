// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `tagged.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/tagged.h`](srctree/include/tagged.h)

use crate::bindings;

/// The flags of an entry.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry(pub(crate) usize);

impl Entry {
    /// It can be used.
    pub const VALID: Self = Self(bindings::entry_bits_ENTRY_VALID);

    /// `ENTRY_DIRTY`.
    pub const DIRTY: Self = Self(bindings::entry_bits_ENTRY_DIRTY);

    /// Whether all flags of `other` are set in `self`.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The integer.
    #[inline]
    pub const fn into_raw(self) -> usize {
        self.0
    }

    /// The number in an entry.
    #[inline]
    pub fn number(self) -> usize {
        // SAFETY: The only argument is a value that has no pointers.
        unsafe { bindings::entry_number(self.0) }
    }
}

/// An integer described by `ticket_t`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticket(pub(crate) u32);

impl Ticket {
    /// The integer.
    #[inline]
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}
