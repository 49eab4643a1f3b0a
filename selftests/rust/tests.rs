// SPDX-License-Identifier: GPL-2.0

//! Mirrors as a driver uses them, in a running kernel.

use crate::{
    bindings,
    hmm::mirror::{
        Access,
        Invalidation,
        Mirror,
        MirrorRange,
        Operations,
        PfnFlags,
        Span, //
    },
    mm::MmWithUser,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    }, //
};
use core::ptr::NonNull;

const SPAN: Span = Span::new(16 * PAGE_SIZE, 20 * PAGE_SIZE);

/// Stands for a device's page table.
#[derive(Default)]
struct Table {
    seen: usize,
    invalidations: usize,
    released: bool,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        self.seen = 0;
        self.invalidations += 1;
        true
    }

    fn release(mirror: &Mirror<Self>) {
        mirror.lock().released = true;
    }
}

/// An address space with nothing in it.
fn address_space() -> Result<ARef<MmWithUser>> {
    // SAFETY: Any thread that may sleep can make one.
    let mm = NonNull::new(unsafe { bindings::mm_alloc() }).ok_or(ENOMEM)?;
    // SAFETY: It was made with one user, which is ours.
    Ok(unsafe { ARef::from_raw(mm.cast()) })
}

fn mirror(mm: &MmWithUser) -> Result<Arc<Mirror<Table>>> {
    Arc::pin_init(
        Mirror::new(mm, core::ptr::null(), Table::default()),
        GFP_KERNEL,
    )
}

fn snapshot(mirror: &Mirror<Table>) -> Result {
    mirror.populate(SPAN, Access::Snapshot, |pages, table| {
        for run in pages.runs() {
            if !run.flags().contains(PfnFlags::VALID) {
                table.seen += run.span().pages();
            }
        }
        Ok(())
    })
}

#[macros::kunit_tests(hmm_rust_mirror)]
mod mirrors {
    use super::*;

    #[test]
    fn a_section_shows_every_page() -> Result {
        let mm = address_space()?;
        let mirror = mirror(&mm)?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        snapshot(&mirror)?;
        assert_eq!(mirror.lock().seen, 4);
        Ok(())
    }

    #[test]
    fn the_end_of_the_process_is_told() -> Result {
        let mm = address_space()?;
        let mirror = mirror(&mm)?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        snapshot(&mirror)?;
        drop(mm);
        {
            let table = mirror.lock();
            assert_eq!(table.seen, 0);
            assert!(table.invalidations > 0);
            assert!(table.released);
        }
        assert!(snapshot(&mirror) == Err(ESRCH));
        Ok(())
    }

    #[test]
    fn an_error_leaves_the_section() -> Result {
        let mm = address_space()?;
        let mirror = mirror(&mm)?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        let failed = mirror.populate(SPAN, Access::Snapshot, |_, _| Err(EIO));
        assert!(failed == Err(EIO));
        // The update lock was left with the section.
        mirror.lock().seen = 7;
        Ok(())
    }

    #[test]
    fn what_is_not_mapped_cannot_be_read() -> Result {
        let mm = address_space()?;
        let mirror = mirror(&mm)?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        let failed = mirror.populate(SPAN, Access::Read, |_, _| Ok(()));
        assert!(failed == Err(EFAULT));
        Ok(())
    }

    #[test]
    fn a_range_keeps_its_mirror() -> Result {
        let mm = address_space()?;
        let mirror = mirror(&mm)?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        drop(mirror);
        drop(range);
        Ok(())
    }

    #[test]
    fn a_span_that_is_empty_is_refused() -> Result {
        let mm = address_space()?;
        let mirror = mirror(&mm)?;
        let empty = Span::new(PAGE_SIZE, PAGE_SIZE);
        let range = KBox::pin_init(MirrorRange::new(mirror, empty), GFP_KERNEL);
        assert!(range.is_err());
        Ok(())
    }
}
