// SPDX-License-Identifier: GPL-2.0

//! Heterogeneous memory management: a device's page tables in step with a process's.
//!
//! Begin with [`mirror`], which every driver needs. [`devmem`] is for devices with memory of their
//! own, [`attributes`] for advice of programs. These three are written by `bindings/generator` from
//! the contracts in the C headers that they name. [`page`] is about the content of pages, [`batch`]
//! about copying many of them.

#[allow(clippy::needless_update, clippy::unnecessary_cast)]
pub mod attributes;
#[cfg(CONFIG_HMM_DEVMEM)]
pub mod batch;
// Integer types and members of tables of callbacks differ between kernel versions, so some casts
// and `..` are redundant.
#[allow(clippy::needless_update, clippy::unnecessary_cast)]
#[cfg(CONFIG_HMM_DEVMEM)]
pub mod devmem;
#[allow(clippy::needless_update, clippy::unnecessary_cast)]
pub mod mirror;
pub mod page;

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
    page::PAGE_MASK,
    types::Opaque, //
};

// bindgen drops the alignment of an empty structure, so that the members after it have another
// offset than in C. The kernel has one, `struct sched_statistics` without CONFIG_SCHEDSTATS; `mm`,
// which `current!().mm()` reads, follows it in `struct task_struct`.
const _: () = assert!(
    core::mem::offset_of!(bindings::task_struct, mm) == bindings::TASK_MM_OFFSET,
    "bindgen's task_struct is not C's; is --opaque-type sched_statistics in rust/bindgen_parameters?"
);

/// The order of what the CPU maps by one entry of a page middle directory.
pub const PMD_ORDER: u32 = bindings::HMM_PMD_ORDER;
/// The order of what the CPU maps by one entry of a page upper directory.
pub const PUD_ORDER: u32 = bindings::HMM_PUD_ORDER;

impl attributes::Attribute {
    /// The location that is system memory.
    pub const SYSTEM: i32 = bindings::HMM_LOCATION_SYSTEM;
    /// No location: none is preferred.
    pub const NOWHERE: i32 = bindings::HMM_LOCATION_NONE;
}

impl Span {
    /// Every user address; what a driver covers that mirrors a whole process.
    pub const ALL: Self = Self::new(0, usize::MAX & PAGE_MASK);
}

/// A [`DeviceMemory`](devmem::DeviceMemory) of any driver; see
/// [`DeviceMemory::any`](devmem::DeviceMemory::any).
///
/// # Invariants
///
/// A value of this type is a live `struct hmm_devmem`, reached by reference only.
#[repr(transparent)]
pub struct AnyMemory(Opaque<bindings::hmm_devmem>);

// SAFETY: Nothing can be done with it but to name it to C, from any thread.
unsafe impl Send for AnyMemory {}

// SAFETY: As above.
unsafe impl Sync for AnyMemory {}

impl AnyMemory {
    fn as_raw(&self) -> *mut bindings::hmm_devmem {
        self.0.get()
    }
}

#[cfg(CONFIG_HMM_DEVMEM)]
impl<T: devmem::MemoryOperations> devmem::DeviceMemory<T> {
    /// The memory without its driver's type, for [`Mirror::populate_in`].
    pub fn any(&self) -> &AnyMemory {
        // SAFETY: The memory is there for as long as `self`, and the layouts are the same by
        // `repr(transparent)`.
        unsafe { &*self.as_raw().cast() }
    }
}

/// Waits until every [`Mirror`] and [`MirrorRange`] that was dropped before the call has ended.
///
/// Dropping them never waits, and may be done anywhere: what is left, such as the last invalidation
/// of a range, is done by a work item. A driver calls this where its device must not be used any
/// more, before it is unbound for instance. Of [`DeviceMemory`](devmem::DeviceMemory) that is what
/// [`remove`](devmem::DeviceMemory::remove) is for. A module needs neither at its own end: the
/// kernel waits for all of that.
///
/// It waits for callbacks. In one, in a section or under an update lock it would wait for its
/// caller; lockdep reports that.
///
/// # Examples
///
/// ```
/// kernel::hmm::synchronize();
/// ```
pub fn synchronize() {
    // SAFETY: It may be called from every task that may sleep.
    unsafe { bindings::hmm_mirror_synchronize() };
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
