// SPDX-License-Identifier: GPL-2.0

// What the drivers here have in common: a module, and a device whose page table counts its entries.

#[allow(unused_imports)]
use core::pin::Pin;
#[allow(unused_imports)]
use kernel::{
    hmm::mirror::{
        Access,
        Invalidation,
        Mirror,
        MirrorRange,
        Operations,
        PfnFlags,
        Run,
        Span,
        UpdateGuard, //
    },
    mm::{
        Mm,
        MmWithUser, //
    },
    prelude::*,
    sync::Arc, //
};

module! {
    type: Driver,
    name: "misuse",
    authors: ["Tandem"],
    description: "A driver that the compiler refuses",
    license: "GPL",
}

/// The module that each of them is.
pub struct Driver;

impl kernel::Module for Driver {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Driver)
    }
}

/// The device's page table.
#[derive(Default)]
pub struct Table {
    /// How many pages it maps.
    pub pages: usize,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        self.pages = 0;
        true
    }
}
