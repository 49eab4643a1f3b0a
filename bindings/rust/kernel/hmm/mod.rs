// SPDX-License-Identifier: GPL-2.0

//! Heterogeneous memory management: a device's page tables in step with a process's.
//!
//! [`mirror`] and [`devmem`] are written by `bindings/generator` from the contracts in the C headers that they name. The other modules are what a driver needs besides and the `kernel` crate does not have.

// Of which integer a constant is, and which fields a table has, is for C to say.
#[allow(clippy::needless_update, clippy::unnecessary_cast)]
#[cfg(CONFIG_HMM_DEVMEM)]
pub mod devmem;
#[allow(clippy::needless_update, clippy::unnecessary_cast)]
pub mod mirror;
pub mod node;
pub mod page;
pub mod table;

#[cfg(CONFIG_KUNIT = "y")]
mod tests;

pub use mirror::{
    Access,
    Event,
    Invalidation,
    Mirror,
    MirrorRange,
    PfnFlags,
    Run,
    Span, //
};

use crate::{
    bindings,
    error::{
        to_result,
        Result, //
    },
    page::PAGE_MASK, //
};

// An empty structure that is aligned: bindgen drops the alignment, and what follows is elsewhere than in C. The kernel has
// one, `struct sched_statistics` without CONFIG_SCHEDSTATS, and after it stands what `current!().mm()` reads.
const _: () = assert!(
    core::mem::offset_of!(bindings::task_struct, mm) == bindings::TASK_MM_OFFSET,
    "bindgen's task_struct is not C's; is --opaque-type sched_statistics in rust/bindgen_parameters?"
);

/// The order of what the CPU maps by one entry of a page middle directory.
pub const PMD_ORDER: u32 = bindings::PMD_SHIFT - bindings::PAGE_SHIFT;
/// The order of what the CPU maps by one entry of a page upper directory.
pub const PUD_ORDER: u32 = bindings::PUD_SHIFT - bindings::PAGE_SHIFT;

impl Span {
    /// Every user address; what a driver covers that mirrors a whole process.
    pub const ALL: Self = Self::new(0, usize::MAX & PAGE_MASK);
}

/// Lets other tasks run, if one waits for the CPU.
///
/// Every loop that can take long calls it, where no lock is held.
///
/// # Errors
///
/// Fails with `EINTR` when the current process is being killed.
///
/// # Examples
///
/// ```
/// use kernel::hmm::cond_resched_killable;
///
/// for _ in 0..3 {
///     cond_resched_killable()?;
/// }
/// # Ok::<(), Error>(())
/// ```
pub fn cond_resched_killable() -> Result {
    // SAFETY: It may be called from every task that may sleep.
    to_result(unsafe { bindings::hmm_cond_resched_killable() })
}
