// SPDX-License-Identifier: GPL-2.0

//! Mirrors and memory as a driver uses them, in a running kernel.

#[cfg(CONFIG_HMM_DEVMEM)]
mod devmem;
mod dma;
#[cfg(CONFIG_HMM_DEVMEM)]
mod memory;

use crate::{
    bindings,
    hmm::{
        mirror::{
            Access,
            Invalidation,
            Mirror,
            MirrorRange,
            Operations,
            PfnFlags,
            Span, //
        },
        page::Ram,
        table, //
    },
    mm::MmWithUser,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        aref::ARef,
        Arc,
        Completion, //
    },
    workqueue, //
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

/// Holds its own mirror, until that is released.
struct Cycle {
    mirror: Option<Arc<Mirror<Cycle>>>,
    dropped: Arc<Completion>,
}

#[vtable]
impl Operations for Cycle {
    fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        true
    }

    fn release(mirror: &Mirror<Self>) {
        let last = mirror.lock().mirror.take();

        // Dropped here, it would wait for this callback.
        let _ = workqueue::system().try_spawn(GFP_KERNEL, move || drop(last));
    }
}

impl Drop for Cycle {
    fn drop(&mut self) {
        self.dropped.complete_all();
    }
}

/// Has nothing to flush.
struct NoTlb;

#[vtable]
impl table::Tlb for NoTlb {
    fn flush(&mut self, _span: Span) {}
}

#[macros::kunit_tests(hmm_rust_mirror)]
mod mirrors {
    use super::*;

    #[test]
    fn the_last_reference_goes_in_a_work_item() -> Result {
        let mm = address_space()?;
        let dropped = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
        let data = Cycle {
            mirror: None,
            dropped: dropped.clone(),
        };
        let mirror = Arc::pin_init(Mirror::new(&mm, core::ptr::null(), data), GFP_KERNEL)?;
        mirror.lock().mirror = Some(mirror.clone());
        drop(mirror);
        drop(mm);
        dropped.wait_for_completion();
        Ok(())
    }

    #[test]
    fn a_span_that_is_empty_has_nothing() -> Result {
        let mm = address_space()?;
        let data = table::Table::new(NoTlb);
        let mirror = Arc::pin_init(Mirror::new(&mm, core::ptr::null(), data), GFP_KERNEL)?;
        assert!(!mirror.lock().is_exclusive(Span::new(0, 0)));
        assert!(!mirror.lock().is_exclusive(Span::new(PAGE_SIZE, 0)));
        assert_eq!(Span::new(PAGE_SIZE, 0).pages(), 0);
        assert!(!Span::new(PAGE_SIZE, 0).is_user());
        Ok(())
    }

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

#[macros::kunit_tests(hmm_rust_ram)]
mod ram {
    use super::*;

    /// Three pages in which each word is its own place.
    fn filled() -> Result<Ram> {
        let ram = Ram::new(3 * PAGE_SIZE)?;
        ram.with(0, 3 * PAGE_SIZE, |bytes| {
            (0..3 * PAGE_SIZE)
                .step_by(4)
                .try_for_each(|at| bytes.store(at, at as u32))
        })??;
        Ok(ram)
    }

    fn copy(ram: &Ram, to: usize, from: usize, len: usize) -> Result {
        ram.with(from, len, |from| ram.with(to, len, |to| to.copy_from(from)))??
    }

    /// Whether the words of `len` bytes at `at` are those that were at `was`.
    fn shows(ram: &Ram, at: usize, was: usize, len: usize) -> Result<bool> {
        ram.with(at, len, |bytes| {
            (0..len)
                .step_by(4)
                .all(|i| bytes.load(i) == Ok((was + i) as u32))
        })
    }

    #[test]
    fn a_page_is_copied_and_nothing_else() -> Result {
        let ram = filled()?;
        copy(&ram, PAGE_SIZE, 0, PAGE_SIZE)?;
        assert!(shows(&ram, 0, 0, PAGE_SIZE)?);
        assert!(shows(&ram, PAGE_SIZE, 0, PAGE_SIZE)?);
        assert!(shows(&ram, 2 * PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE)?);
        Ok(())
    }

    #[test]
    fn what_overlaps_is_copied_as_it_was() -> Result {
        let ram = filled()?;
        copy(&ram, 8, 0, PAGE_SIZE)?;
        assert!(shows(&ram, 8, 0, PAGE_SIZE)?);
        let ram = filled()?;
        copy(&ram, 0, 8, PAGE_SIZE)?;
        assert!(shows(&ram, 0, 8, PAGE_SIZE)?);
        Ok(())
    }

    #[test]
    fn what_has_no_room_is_not_shown() -> Result {
        let ram = filled()?;
        let mut seen = KVec::with_capacity(8, GFP_KERNEL)?;
        ram.with(0, 64, |bytes| bytes.append(4, 8, &mut seen))??;
        assert_eq!(seen[..4], 4u32.to_ne_bytes());
        assert_eq!(seen[4..], 8u32.to_ne_bytes());
        let full = seen.capacity();
        assert!(ram.with(0, 64, |bytes| bytes.append(0, full, &mut seen))? == Err(ENOMEM));
        assert!(ram.with(0, 4, |bytes| bytes.append(0, 8, &mut seen))? == Err(EINVAL));
        assert_eq!(seen.len(), 8);
        Ok(())
    }
}
