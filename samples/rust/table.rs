// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: the device's page table.
//!
//! A real device has page tables of its own format, in memory that it walks by itself. This one is simulated, and so is
//! its page table: [`kernel::hmm::table`], which cannot be filled outside of a section and is emptied by invalidations.
//! What is left to the driver is what the device does when entries go.

use kernel::{
    hmm::{
        table::{
            self,
            Tlb, //
        },
        Span, //
    },
    prelude::*, //
};

/// The device's page table, for one process.
pub(crate) type DmTable = table::Table<DmTlb>;

/// What the device knows of the table by heart: nothing, as it looks up each address anew.
pub(crate) struct DmTlb;

#[vtable]
impl Tlb for DmTlb {
    fn flush(&mut self, _span: Span) {
        // Here a real device's TLB would be flushed, and waited for.
    }
}
