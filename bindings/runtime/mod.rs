// SPDX-License-Identifier: GPL-2.0

//! Heterogeneous memory management: a device's page tables in step with a process's.
//!
//! [`mirror`] is written by `bindings/generator` from the contracts in
//! [`include/linux/hmm_mirror.h`](srctree/include/linux/hmm_mirror.h).

pub mod mirror;

#[cfg(CONFIG_KUNIT = "y")]
mod tests;

pub use mirror::{
    Access,
    Event,
    Invalidation,
    Mirror,
    MirrorRange,
    PfnFlags,
    Span, //
};
