// SPDX-License-Identifier: GPL-2.0

//! Heterogeneous memory management: a device's page tables in step with a process's.
//!
//! [`mirror`] is written by `bindings/generator` from the contracts in
//! [`include/linux/hmm_mirror.h`](srctree/include/linux/hmm_mirror.h), [`compat_2019`] from those in
//! [`include/linux/hmm_compat_2019.h`](srctree/include/linux/hmm_compat_2019.h).

#[cfg(CONFIG_HMM_COMPAT_2019)]
pub mod compat_2019;
pub mod mirror;

#[cfg(all(CONFIG_KUNIT = "y", CONFIG_HMM_COMPAT_2019))]
mod compat_2019_tests;
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
