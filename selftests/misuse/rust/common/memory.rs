// SPDX-License-Identifier: GPL-2.0

// What the drivers here have in common that have device memory and the runtime's page table.

include!("device.rs");

#[allow(unused_imports)]
use kernel::hmm::{
    devmem::{
        DeviceMemory,
        MemoryOperations,
        MemoryType, //
    },
    page::Block,
    table::{
        self,
        Mapped,
        Right,
        Rights,
        Tlb, //
    }, //
};

/// A device without a TLB.
pub struct NoTlb;

#[vtable]
impl Tlb for NoTlb {
    fn flush(&mut self, _span: Span) {}
}

/// The runtime's page table.
pub type PageTable = table::Table<NoTlb>;
