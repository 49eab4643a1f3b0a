// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: the device's page table.
//!
//! A real device has page tables of its own format, in memory that it walks by itself. This one is simulated, and so is
//! its page table: [`crate::sim::table`], which is filled inside sections and emptied by invalidations. What is left to the
//! driver is what the device does when it loses entries.

#![forbid(unsafe_code)]

use crate::sim::table::{
    self,
    Tlb, //
};
use kernel::hmm::Span;

/// The device's page table, for one process.
pub(crate) type DmTable = table::Table<DmTlb>;

/// What the device knows of the table in its TLB: nothing, as it looks up each address anew.
pub(crate) struct DmTlb;

impl Tlb for DmTlb {
    fn flush(&mut self, _span: Span) {
        // Here a real device's TLB would be flushed, and waited for.
    }
}
