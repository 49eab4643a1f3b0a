// SPDX-License-Identifier: GPL-2.0

// What the drivers here have in common that move pages of a process.

include!("unreachable.rs");

#[allow(unused_imports)]
use kernel::hmm::devmem::{
    Collected,
    Committed,
    Copied,
    MigrateFlags,
    Migration, //
};
