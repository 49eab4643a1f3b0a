// SPDX-License-Identifier: GPL-2.0

//! Mirrors and ranges as they were in 2019, in a running kernel.

use crate::{
    bindings,
    error::to_result,
    hmm::compat_2019::{
        Mirror,
        Operations,
        Range,
        Update, //
    },
    mm::MmWithUser,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};
use core::ptr::NonNull;

const START: usize = 16 * PAGE_SIZE;
const END: usize = 20 * PAGE_SIZE;

/// Where nothing is mapped and nothing can be: see `hmm2019_range_begin()`.
const ERROR: u64 = 8;

/// Counts what it is told.
struct Device {
    syncs: Arc<Atomic<i32>>,
    releases: Arc<Atomic<i32>>,
    must_block: bool,
}

impl Device {
    fn new(must_block: bool) -> Result<Self> {
        Ok(Self {
            syncs: Arc::new(Atomic::new(0), GFP_KERNEL)?,
            releases: Arc::new(Atomic::new(0), GFP_KERNEL)?,
            must_block,
        })
    }
}

#[vtable]
impl Operations for Device {
    fn sync_cpu_device_pagetables(&self, update: &Update) -> Result {
        if self.must_block && update.flags() & bindings::MMU_NOTIFIER_RANGE_BLOCKABLE == 0 {
            return Err(EAGAIN);
        }
        if update.start() <= START && update.end() >= START + PAGE_SIZE {
            self.syncs.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    fn release(&self) {
        self.releases.fetch_add(1, Relaxed);
    }
}

/// An address space with nothing in it.
fn address_space() -> Result<ARef<MmWithUser>> {
    // SAFETY: Any thread that may sleep can make one.
    let mm = NonNull::new(unsafe { bindings::mm_alloc() }).ok_or(ENOMEM)?;
    // SAFETY: It was made with one user, which is ours.
    Ok(unsafe { ARef::from_raw(mm.cast()) })
}

/// The page at `START` goes.
fn invalidate(mm: &MmWithUser, flags: u32) -> Result {
    let mut range = bindings::mmu_notifier_range {
        mm: mm.as_raw(),
        start: START,
        end: START + PAGE_SIZE,
        flags,
        event: bindings::mmu_notifier_event_MMU_NOTIFY_CLEAR,
        ..pin_init::zeroed()
    };
    // SAFETY: The address space is there, and what has started without an error is ended.
    unsafe {
        to_result(bindings::__mmu_notifier_invalidate_range_start(&mut range))?;
        bindings::__mmu_notifier_invalidate_range_end(&mut range);
    }
    Ok(())
}

#[macros::kunit_tests(hmm_rust_compat_2019)]
mod tests {
    use super::*;

    #[test]
    fn an_invalidation_is_told_and_seen() -> Result {
        let mm = address_space()?;
        let device = Device::new(false)?;
        let syncs = device.syncs.clone();
        let mirror = Arc::pin_init(Mirror::new(&mm, device), GFP_KERNEL)?;
        let range = KBox::pin_init(Range::new(mirror, START, END), GFP_KERNEL)?;
        assert!(range.wait_until_valid(1000));
        assert!(range.is_valid());
        // It has come and gone when the driver asks.
        invalidate(&mm, bindings::MMU_NOTIFIER_RANGE_BLOCKABLE)?;
        assert_eq!(syncs.load(Relaxed), 1);
        assert!(!range.is_valid());
        assert!(range.wait_until_valid(1000));
        assert!(range.is_valid());
        Ok(())
    }

    #[test]
    fn who_would_block_says_so() -> Result {
        let mm = address_space()?;
        let mirror = Arc::pin_init(Mirror::new(&mm, Device::new(true)?), GFP_KERNEL)?;
        assert!(invalidate(&mm, 0) == Err(EAGAIN));
        assert!(invalidate(&mm, bindings::MMU_NOTIFIER_RANGE_BLOCKABLE).is_ok());
        drop(mirror);
        Ok(())
    }

    #[test]
    fn a_snapshot_has_an_entry_for_each_page() -> Result {
        let mm = address_space()?;
        let mirror = Arc::pin_init(Mirror::new(&mm, Device::new(false)?), GFP_KERNEL)?;
        let range = KBox::pin_init(Range::new(mirror, START, END), GFP_KERNEL)?;
        let mut entries = [77; 5];
        assert_eq!(range.snapshot(&mut entries)?, 4);
        assert_eq!(entries, [ERROR, ERROR, ERROR, ERROR, 77]);
        assert!(range.snapshot(&mut entries[..3]) == Err(ENOSPC));
        invalidate(&mm, bindings::MMU_NOTIFIER_RANGE_BLOCKABLE)?;
        assert!(range.snapshot(&mut entries) == Err(EBUSY));
        Ok(())
    }

    #[test]
    fn a_range_that_is_empty_is_refused() -> Result {
        let mm = address_space()?;
        let mirror = Arc::pin_init(Mirror::new(&mm, Device::new(false)?), GFP_KERNEL)?;
        assert!(KBox::pin_init(Range::new(mirror, END, START), GFP_KERNEL).is_err());
        Ok(())
    }

    #[test]
    fn the_end_of_the_process_is_told() -> Result {
        let mm = address_space()?;
        let device = Device::new(false)?;
        let releases = device.releases.clone();
        let mirror = Arc::pin_init(Mirror::new(&mm, device), GFP_KERNEL)?;
        drop(mm);
        assert_eq!(releases.load(Relaxed), 1);
        assert!(KBox::pin_init(Range::new(mirror, START, END), GFP_KERNEL).is_err());
        Ok(())
    }
}
