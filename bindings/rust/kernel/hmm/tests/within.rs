// SPDX-License-Identifier: GPL-2.0

//! Calls that a driver makes in its callbacks, inside a section, and under the update lock.

use super::{
    dma::Device,
    *, //
};
use crate::{
    hmm::{
        self,
        mirror::DmaMap, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// What data has that was not freed.
const THERE: u64 = 0x7461_6e64_656d;

/// Does something in each of its callbacks.
struct Within {
    mirror: Option<Arc<Mirror<Within>>>,
    range: Option<Pin<KBox<MirrorRange<Within>>>>,
    map: Option<Pin<KBox<DmaMap<Within>>>>,
    /// `release` drops the range and the map, and `invalidate` does not.
    at_release: bool,
    /// The result of a section in `invalidate`.
    nested: Result,
    /// The result of taking the update lock there.
    locked: Result,
    /// [`THERE`].
    there: u64,
    /// Set when the data is dropped.
    dropped: Arc<Atomic<i32>>,
}

impl Within {
    fn new() -> Result<Self> {
        Ok(Self {
            mirror: None,
            range: None,
            map: None,
            at_release: false,
            nested: Ok(()),
            locked: Ok(()),
            there: THERE,
            dropped: Arc::new(Atomic::new(0), GFP_KERNEL)?,
        })
    }

    fn mirror(self, mm: &MmWithUser) -> Result<Arc<Mirror<Self>>> {
        Arc::pin_init(Mirror::new(mm, core::ptr::null(), self), GFP_KERNEL)
    }
}

#[vtable]
impl Operations for Within {
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        if let Some(me) = self.mirror.clone() {
            self.nested = me.populate(inv.span(), Access::Snapshot, |_, _| Ok(()));
            self.locked = me.with_lock(|_| ());
        }
        if !self.at_release {
            let range = self.range.take();
            drop(range);
            let map = self.map.take();
            drop(map);
        }
        // The data is there still, although nothing refers to the mirror any more.
        assert_eq!(self.there, THERE);
        true
    }

    fn release(mirror: &Mirror<Self>) {
        // What the closure returns is dropped when the lock was left.
        let last =
            mirror.with_lock(|data| (data.range.take(), data.map.take(), data.mirror.take()));
        assert!(last.is_ok());
        drop(last);
        // The callback's own reference is valid until the callback returns.
        assert!(mirror.with_lock(|data| data.mirror.is_none()) == Ok(true));
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        assert_eq!(self.there, THERE);
        self.dropped.store(1, Release);
    }
}

/// Whether data is dropped within 20 seconds.
fn ends(dropped: &Atomic<i32>) -> bool {
    (0..2000).any(|_| {
        let ended = dropped.load(Acquire) == 1;
        if !ended {
            fsleep(Delta::from_millis(10));
        }
        ended
    })
}

/// Whether a callback can drop a range and a map, and whether all of it ends then.
fn callback_drops_a_map(at_release: bool) -> Result {
    let device = Device::new()?;
    let mm = address_space()?;
    let mut data = Within::new()?;
    data.at_release = at_release;
    let dropped = data.dropped.clone();
    let mirror = data.mirror(&mm)?;
    let range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
    let map = DmaMap::new(mirror.clone(), device.get(), SPAN);
    let map = KBox::pin_init(map, GFP_KERNEL)?;
    mirror.with_lock(|data| {
        data.range = Some(range);
        data.map = Some(map);
    })?;
    drop(mirror);
    drop(mm);
    assert!(ends(&dropped));
    Ok(())
}

fn open(mirror: &Mirror<Table>) -> Result {
    mirror.populate(SPAN, Access::Snapshot, |_, _| Ok(()))
}

#[macros::kunit_tests(hmm_rust_within)]
mod tests {
    use super::*;

    #[test]
    fn release_may_drop_the_last_reference() -> Result {
        let mm = address_space()?;
        let data = Within::new()?;
        let dropped = data.dropped.clone();
        let mirror = data.mirror(&mm)?;
        mirror.with_lock(|data| data.mirror = Some(mirror.clone()))?;
        drop(mirror);
        drop(mm);
        assert!(ends(&dropped));
        Ok(())
    }

    #[test]
    fn invalidate_may_drop_its_range_and_its_mirror() -> Result {
        let mm = address_space()?;
        let data = Within::new()?;
        let dropped = data.dropped.clone();
        let mirror = data.mirror(&mm)?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        mirror.with_lock(|data| data.range = Some(range))?;
        // The range keeps it.
        drop(mirror);
        drop(mm);
        assert!(ends(&dropped));
        Ok(())
    }

    #[test]
    fn invalidate_may_drop_its_map() -> Result {
        callback_drops_a_map(false)
    }

    /// The end of the range waits until `release` has returned.
    #[test]
    fn release_may_drop_a_range_and_a_map() -> Result {
        callback_drops_a_map(true)
    }

    #[test]
    fn a_range_dropped_by_a_callback_is_gone() -> Result {
        let mm = address_space()?;
        let mirror = Within::new()?.mirror(&mm)?;
        let whole = Span::new(SPAN.start(), SPAN.start() + PAGE_SIZE);
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), whole), GFP_KERNEL)?;
        mirror.populate(whole, Access::Snapshot, |_, data| {
            // Dropped inside a section, it is ended by a work item.
            data.range = None;
            Ok(())
        })?;
        mirror.with_lock(|data| data.range = Some(range))?;
        mirror.populate(whole, Access::Snapshot, |_, data| {
            data.range = None;
            Ok(())
        })?;
        let gone = mirror.populate(whole, Access::Snapshot, |_, _| Ok(()));
        assert!(gone == Err(ENOENT));
        drop(mirror);
        Ok(())
    }

    #[test]
    fn a_range_dropped_in_a_section_is_invalidated() -> Result {
        let mm = address_space()?;
        let (one, other) = (super::super::mirror(&mm)?, super::super::mirror(&mm)?);
        let _one = KBox::pin_init(MirrorRange::new(one.clone(), SPAN), GFP_KERNEL)?;
        let range = KBox::pin_init(MirrorRange::new(other.clone(), SPAN), GFP_KERNEL)?;
        snapshot(&other)?;
        let mut range = Some(range);
        one.populate(SPAN, Access::Snapshot, |_, _| {
            range = None;
            Ok(())
        })?;
        assert!(open(&other) == Err(ENOENT));
        hmm::synchronize();
        assert_eq!(other.with_lock(|table| table.seen)?, 0);
        assert!(other.with_lock(|table| table.invalidations)? > 0);
        Ok(())
    }

    #[test]
    fn no_section_and_no_lock_in_the_mirrors_own_callback() -> Result {
        let mm = address_space()?;
        let mirror = Within::new()?.mirror(&mm)?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        mirror.with_lock(|data| data.mirror = Some(mirror.clone()))?;
        drop(range);
        hmm::synchronize();
        let (nested, locked) = mirror.with_lock(|data| (data.nested, data.locked))?;
        assert!(nested == Err(error_of(bindings::EDEADLK)));
        assert!(locked == Err(error_of(bindings::EDEADLK)));
        let last = mirror.with_lock(|data| data.mirror.take())?;
        drop(last);
        Ok(())
    }

    #[test]
    fn no_section_in_a_section_of_the_mirror() -> Result {
        let mm = address_space()?;
        let one = super::super::mirror(&mm)?;
        let _one = KBox::pin_init(MirrorRange::new(one.clone(), SPAN), GFP_KERNEL)?;
        let mut seen = 0;
        one.populate(SPAN, Access::Snapshot, |_, _| {
            assert!(open(&one) == Err(error_of(bindings::EDEADLK)));
            assert!(
                one.populate(SPAN, Access::Write, |_, _| Ok(()))
                    == Err(error_of(bindings::EDEADLK))
            );
            seen += 1;
            Ok(())
        })?;
        assert_eq!(seen, 1);
        open(&one)
    }

    #[test]
    fn no_section_under_the_mirrors_update_lock() -> Result {
        let mm = address_space()?;
        let one = super::super::mirror(&mm)?;
        let _one = KBox::pin_init(MirrorRange::new(one.clone(), SPAN), GFP_KERNEL)?;
        let inside = one.with_lock(|_| open(&one))?;
        assert!(inside == Err(error_of(bindings::EDEADLK)));
        open(&one)
    }

    /// A thread does not wait for itself, and has the data once.
    #[test]
    fn the_update_lock_is_taken_once() -> Result {
        let mm = address_space()?;
        let (one, other) = (super::super::mirror(&mm)?, super::super::mirror(&mm)?);
        let _one = KBox::pin_init(MirrorRange::new(one.clone(), SPAN), GFP_KERNEL)?;
        let deadlock = Err(error_of(bindings::EDEADLK));
        let (mut ran, mut seen) = (false, 0);
        let inside = one.with_lock(|_| one.with_lock(|_| ran = true))?;
        assert!(inside == deadlock);
        one.populate(SPAN, Access::Snapshot, |_, _| {
            assert!(one.with_lock(|_| ran = true) == deadlock);
            seen += 1;
            Ok(())
        })?;
        assert_eq!((ran, seen), (false, 1));
        // Another mirror has another, and it is left when the closure returns, with an error too.
        let failed: Result<Result> = other.with_lock(|_| Err(EIO));
        assert!(failed == Ok(Err(EIO)));
        other.with_lock(|_| ran = true)?;
        assert!(ran);
        open(&one)
    }

    #[test]
    fn no_range_is_added_under_the_update_lock() -> Result {
        let mm = address_space()?;
        let one = super::super::mirror(&mm)?;
        let range =
            one.with_lock(|_| KBox::pin_init(MirrorRange::new(one.clone(), SPAN), GFP_ATOMIC))?;
        assert!(range.err() == Some(error_of(bindings::EDEADLK)));
        let _one = KBox::pin_init(MirrorRange::new(one.clone(), SPAN), GFP_KERNEL)?;
        let mut seen = None;
        one.populate(SPAN, Access::Snapshot, |_, _| {
            // A range that was dropped in here would be waited for.
            seen = KBox::pin_init(MirrorRange::new(one.clone(), SPAN), GFP_ATOMIC).err();
            Ok(())
        })?;
        assert!(seen == Some(error_of(bindings::EDEADLK)));
        Ok(())
    }

    #[test]
    fn a_range_dropped_under_the_update_lock_makes_room() -> Result {
        let mm = address_space()?;
        let mirror = Within::new()?.mirror(&mm)?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        mirror.with_lock(|held| {
            held.range = Some(range);
            held.range = None;
        })?;
        // It waits for the work item, if that is not done yet.
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        mirror.populate(SPAN, Access::Snapshot, |_, _| Ok(()))
    }

    #[test]
    fn a_mirror_dropped_in_a_section_of_another_ends_later() -> Result {
        let mm = address_space()?;
        let data = Within::new()?;
        let dropped = data.dropped.clone();
        let mut last = Some(data.mirror(&mm)?);
        let one = super::super::mirror(&mm)?;
        let _one = KBox::pin_init(MirrorRange::new(one.clone(), SPAN), GFP_KERNEL)?;
        one.populate(SPAN, Access::Snapshot, |_, _| {
            last = None;
            Ok(())
        })?;
        assert!(ends(&dropped));
        Ok(())
    }
}
