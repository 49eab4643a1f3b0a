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

use crate::bindings;

// An empty structure that is aligned: bindgen drops the alignment, and what follows is elsewhere than in C. The kernel has
// one, `struct sched_statistics` without CONFIG_SCHEDSTATS, and after it stands what `current!().mm()` reads.
const _: () = assert!(
    core::mem::offset_of!(bindings::task_struct, mm) == bindings::TASK_MM_OFFSET,
    "bindgen's task_struct is not C's; is --opaque-type sched_statistics in rust/bindgen_parameters?"
);
