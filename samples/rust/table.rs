// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: the device's page table.
//!
//! A real device has page tables of its own format, in memory that it walks by itself. This one is
//! simulated, and so is its page table: [`crate::sim::table`], which is filled inside sections and
//! emptied by invalidations. The driver provides only the flush of the device's TLB, and notes what
//! is to be mapped again.

#![forbid(unsafe_code)]

use crate::sim::table::{
    self,
    Tlb, //
};
use kernel::{
    hmm::{
        attributes::Attributes,
        Span, //
    },
    sync::Arc, //
};

/// The device's page table, for one process.
pub(crate) type DmTable = table::Table<DmTlb>;

/// The device's TLB: there is none, as the device walks its table for each access.
pub(crate) struct DmTlb {
    /// What the process has advised about its memory.
    pub(crate) attributes: Arc<Attributes>,
}

impl Tlb for DmTlb {
    fn flush(&mut self, _span: Span) {
        // A driver for a real device flushes its TLB here, and waits until that is done.
    }

    fn lost(&mut self, span: Span) {
        self.attributes.invalidate(span);
    }
}
