// SPDX-License-Identifier: GPL-2.0

//! Mirrors and memory as a driver uses them, in a running kernel.

#[cfg(CONFIG_HMM_DEVMEM)]
mod devmem;
mod dma;
#[cfg(CONFIG_HMM_DEVMEM)]
mod memory;
#[cfg(all(CONFIG_HMM_DEVMEM, CONFIG_HAS_DMA))]
mod peers;
#[cfg(all(CONFIG_DEBUG_ATOMIC_SLEEP, CONFIG_HMM_DEVMEM))]
mod sleeping;
mod within;

use crate::{
    bindings,
    hmm::{
        self,
        mirror::{
            Access,
            Invalidation,
            Mirror,
            MirrorRange,
            Operations,
            PfnFlags,
            Span, //
        },
        page::Bytes, //
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

/// An error that not every kernel's `error::code` has a name for.
fn error_of(errno: u32) -> Error {
    Error::from_errno(-(errno as i32))
}

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
        // No lock is held here.
        let noted = mirror.with_lock(|table| table.released = true);
        assert!(noted.is_ok());
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
    fn a_reversed_span_has_no_pages() {
        assert_eq!(Span::new(PAGE_SIZE, 0).pages(), 0);
        assert!(!Span::new(PAGE_SIZE, 0).is_user());
    }

    #[test]
    fn a_section_shows_every_page() -> Result {
        let mm = address_space()?;
        let mirror = mirror(&mm)?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        snapshot(&mirror)?;
        assert_eq!(mirror.with_lock(|table| table.seen)?, 4);
        Ok(())
    }

    #[test]
    fn the_end_of_the_process_is_reported() -> Result {
        let mm = address_space()?;
        let mirror = mirror(&mm)?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        snapshot(&mirror)?;
        drop(mm);
        mirror.with_lock(|table| {
            assert_eq!(table.seen, 0);
            assert!(table.invalidations > 0);
            assert!(table.released);
        })?;
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
        mirror.with_lock(|table| table.seen = 7)
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
    fn an_owner_is_not_followed() -> Result {
        let mm = address_space()?;
        // Nothing is at this address.
        let owner = core::ptr::without_provenance(16);
        let mirror = Arc::pin_init(Mirror::new(&mm, owner, Table::default()), GFP_KERNEL)?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), SPAN), GFP_KERNEL)?;
        snapshot(&mirror)?;
        drop(range);
        hmm::synchronize();
        assert!(mirror.with_lock(|table| table.invalidations)? > 0);
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

#[macros::kunit_tests(hmm_rust_bytes)]
mod bytes {
    use super::*;

    /// Three pages in which each 32-bit integer is its own offset.
    struct Memory(VVec<u8>);

    impl Memory {
        fn new() -> Result<Self> {
            let mut memory = Self(VVec::from_elem(0, 3 * PAGE_SIZE, GFP_KERNEL)?);
            let mut bytes = memory.bytes(0, 3 * PAGE_SIZE);

            for at in (0..3 * PAGE_SIZE).step_by(4) {
                bytes.store(at, at as u32)?;
            }
            Ok(memory)
        }

        fn bytes(&mut self, at: usize, len: usize) -> Bytes<'_> {
            assert!(at + len <= self.0.len());
            // SAFETY: They are in the vector, which is borrowed for as long as they are used.
            unsafe { Bytes::from_raw(self.0.as_mut_ptr().add(at), len) }
        }

        fn copy(&mut self, to: usize, from: usize, len: usize) -> Result {
            let first = self.0.as_mut_ptr();

            assert!(to.max(from) + len <= self.0.len());
            // SAFETY: Both are in the vector, to which no reference is used meanwhile.
            let (mut to, from) = unsafe {
                (
                    Bytes::from_raw(first.add(to), len),
                    Bytes::from_raw(first.add(from), len),
                )
            };
            to.copy_from(&from)
        }

        /// Whether the integers of `len` bytes at `at` are those that were at `was`.
        fn shows(&mut self, at: usize, was: usize, len: usize) -> bool {
            let bytes = self.bytes(at, len);

            (0..len)
                .step_by(4)
                .all(|i| bytes.load(i) == Ok((was + i) as u32))
        }
    }

    #[test]
    fn a_page_is_copied_and_nothing_else() -> Result {
        let mut memory = Memory::new()?;
        memory.copy(PAGE_SIZE, 0, PAGE_SIZE)?;
        assert!(memory.shows(0, 0, PAGE_SIZE));
        assert!(memory.shows(PAGE_SIZE, 0, PAGE_SIZE));
        assert!(memory.shows(2 * PAGE_SIZE, 2 * PAGE_SIZE, PAGE_SIZE));
        Ok(())
    }

    #[test]
    fn overlapping_bytes_are_copied_as_they_were() -> Result {
        let mut memory = Memory::new()?;
        memory.copy(8, 0, PAGE_SIZE)?;
        assert!(memory.shows(8, 0, PAGE_SIZE));
        let mut memory = Memory::new()?;
        memory.copy(0, 8, PAGE_SIZE)?;
        assert!(memory.shows(0, 8, PAGE_SIZE));
        Ok(())
    }

    #[test]
    fn bytes_outside_are_refused() -> Result {
        let mut memory = Memory::new()?;
        let mut bytes = memory.bytes(0, 64);
        let mut seen = KVec::with_capacity(8, GFP_KERNEL)?;
        bytes.append(4, 8, &mut seen)?;
        assert_eq!(seen[..4], 4u32.to_ne_bytes());
        assert_eq!(seen[4..], 8u32.to_ne_bytes());
        let mut two = [0; 8];
        bytes.read(56, &mut two)?;
        assert_eq!(two[4..], 60u32.to_ne_bytes());
        assert!(bytes.append(0, seen.capacity(), &mut seen) == Err(ENOMEM));
        assert!(bytes.append(60, 8, &mut seen) == Err(EINVAL));
        assert!(bytes.read(60, &mut two) == Err(EINVAL));
        assert!(bytes.write(60, &two) == Err(EINVAL));
        assert!(bytes.write(usize::MAX, &two) == Err(EINVAL));
        assert!(bytes.load(61) == Err(EINVAL));
        assert!(bytes.load(2) == Err(EINVAL));
        assert!(bytes.store(64, 1) == Err(EINVAL));
        assert_eq!(seen.len(), 8);
        Ok(())
    }
}
