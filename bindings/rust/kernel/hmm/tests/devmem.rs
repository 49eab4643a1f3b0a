// SPDX-License-Identifier: GPL-2.0

//! Device memory as a driver uses it, in a running kernel.

use super::{
    dma::Device,
    error_of,
    memory::*, //
};
use crate::{
    bindings,
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            MemoryType,
            Migration,
            Peer, //
        },
        mirror::{
            Access,
            Invalidation,
            Mirror,
            MirrorRange,
            Operations,
            Span, //
        },
        page::Block, //
    },
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sizes::SZ_4M,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Completion,
        Mutex, //
    }, //
};

#[vtable]
impl MemoryOperations for Buffer {
    fn copy(memory: &DeviceMemory<Self>, dst: Block<'_>, src: &Block<'_>) -> Result {
        let (to, from) = (memory.position(&dst), memory.position(src));
        let to = to.found().then(|| to.offset());
        memory.data().copy(to, from.offset(), dst, src)
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        memory.data().clear(memory.position(&page).offset(), page)
    }
}

/// A device that could copy from others of its driver, but only notes where the pages are.
#[pin_data]
struct Linked {
    #[pin]
    buffer: Buffer,
    /// How many pages of others it was to copy, and the offset of the last.
    peers: Atomic<usize>,
    at: Atomic<usize>,
    /// Whether any of them had bytes for the CPU.
    shown: Atomic<bool>,
}

#[vtable]
impl MemoryOperations for Linked {
    fn copy(memory: &DeviceMemory<Self>, dst: Block<'_>, src: &Block<'_>) -> Result {
        let (data, peer) = (memory.data(), memory.peer_position(src));
        if peer.found() {
            data.peers.fetch_add(1, Relaxed);
            data.at.store(peer.offset(), Relaxed);
            if src.page(0, |_| ()).is_some() {
                data.shown.store(true, Relaxed);
            }
            return Err(EIO);
        }
        let (to, from) = (memory.position(&dst), memory.position(src));
        let to = to.found().then(|| to.offset());
        data.buffer.copy(to, from.offset(), dst, src)
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        let offset = memory.position(&page).offset();
        memory.data().buffer.clear(offset, page)
    }

    fn can_copy_from(_memory: &DeviceMemory<Self>, peer: &Peer) -> bool {
        peer.same_driver()
    }
}

fn linked() -> Result<Pin<KBox<DeviceMemory<Linked>>>> {
    let data = try_pin_init!(Linked {
        buffer <- Buffer::new(SZ_4M),
        peers: Atomic::new(0),
        at: Atomic::new(0),
        shown: Atomic::new(false),
    }? Error);
    let memory = DeviceMemory::new(MemoryType::PRIVATE, 1, c"hmm_rust_linked", data);
    let memory = KBox::pin_init(memory, GFP_KERNEL)?;
    memory.add(SZ_4M, core::ptr::null())?;
    Ok(memory)
}

/// A device's page table with nothing in it.
struct NoTable;

#[vtable]
impl Operations for NoTable {
    fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        true
    }
}

/// With one chunk.
fn device() -> Result<Pin<KBox<DeviceMemory<Buffer>>>> {
    let data = Buffer::new(SZ_4M);
    let memory = DeviceMemory::new(MemoryType::PRIVATE, 1, c"hmm_rust_devmem", data);
    let memory = KBox::pin_init(memory, GFP_KERNEL)?;
    memory.add(SZ_4M, core::ptr::null())?;
    Ok(memory)
}

#[macros::kunit_tests(hmm_rust_devmem)]
mod tests {
    use super::*;

    #[test]
    fn pages_migrate_there_and_back() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = memory.available();
        assert_eq!(memory.migrate(mm, span)?, PAGES);
        assert_eq!(memory.available(), free - PAGES * PAGE_SIZE);
        assert_eq!(memory.migrate_to_ram(mm, span)?, PAGES);
        assert_eq!(memory.available(), free);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    /// The memory holds a reference to the device, which may go away first.
    #[test]
    fn a_memory_has_one_device() -> Result {
        let device = Device::new()?;
        let memory = DeviceMemory::new(
            MemoryType::PRIVATE,
            1,
            c"hmm_rust_devmem",
            Buffer::new(SZ_4M),
        );
        let memory = KBox::pin_init(memory, GFP_KERNEL)?;

        memory.set_device(device.get())?;
        assert!(memory.set_device(device.get()).is_err());
        drop(device);
        memory.add(SZ_4M, core::ptr::null())?;
        Ok(())
    }

    #[test]
    fn a_memory_is_accounted_before_it_is_added() -> Result {
        let memory = DeviceMemory::new(
            MemoryType::PRIVATE,
            1,
            c"hmm_rust_charged",
            Buffer::new(SZ_4M),
        );
        let memory = KBox::pin_init(memory, GFP_KERNEL)?;

        assert_eq!(memory.account(0), Err(EINVAL));
        memory.account(SZ_4M)?;
        memory.add(SZ_4M, core::ptr::null())?;
        assert_eq!(memory.account(SZ_4M), Err(EBUSY));
        Ok(())
    }

    #[test]
    fn a_peers_pages_are_named_and_not_shown() -> Result {
        let (first, second) = (linked()?, linked()?);
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = first.available();
        assert_eq!(first.migrate(mm, span)?, PAGES);
        // The copy fails, so they stay.
        assert_eq!(second.migrate(mm, span)?, 0);
        assert_eq!(first.available(), free - PAGES * PAGE_SIZE);
        assert_eq!(second.available(), free);
        assert_eq!(second.data().peers.load(Relaxed), PAGES);
        assert_eq!(second.data().at.load(Relaxed), (PAGES - 1) * PAGE_SIZE);
        assert!(!second.data().shown.load(Relaxed));
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    #[test]
    fn another_drivers_memory_is_no_peer() -> Result {
        let (first, second) = (device()?, linked()?);
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = first.available();
        assert_eq!(first.migrate(mm, span)?, PAGES);
        assert_eq!(second.migrate(mm, span)?, PAGES);
        assert_eq!(first.available(), free);
        assert_eq!(second.data().peers.load(Relaxed), 0);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    #[test]
    fn a_migration_goes_step_by_step() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = memory.available();
        let moved = Migration::collect(&memory, mm, span, |collected| {
            assert_eq!(collected.span().start(), span.start());
            assert_eq!(memory.data().copies.load(Relaxed), 0);
            let copied = collected.copy();
            assert_eq!(memory.data().copies.load(Relaxed), PAGES);
            copied.commit().moved()
        })?;
        assert_eq!(moved, PAGES);
        assert_eq!(memory.available(), free - PAGES * PAGE_SIZE);
        // A CPU access migrates them to system memory.
        assert_eq!(numbers(span)?, NUMBERS);
        assert_eq!(memory.available(), free);
        Ok(())
    }

    #[test]
    fn what_ends_half_way_is_undone() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = memory.available();
        Migration::collect(&memory, mm, span, |_| ())?;
        assert_eq!(memory.available(), free);
        assert_eq!(numbers(span)?, NUMBERS);
        Migration::collect(&memory, mm, span, |collected| {
            let _copied = collected.copy();
        })?;
        assert_eq!(memory.data().copies.load(Relaxed), PAGES);
        assert_eq!(memory.available(), free);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    /// Checks that no migration holds the address space: first what fails at once if one does, then what would wait for it.
    fn released(memory: &DeviceMemory<Buffer>, span: Span) -> Result {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let owner = memory.as_raw().cast_const().cast();
        // Takes the mmap lock for writing.
        let _mirror = Arc::pin_init(Mirror::new(mm, owner, NoTable), GFP_KERNEL)?;

        // So does this; the pages are locked no more, whichever memory they are in.
        unmapped(mapped()?)?;
        assert_eq!(numbers(span)?, NUMBERS);
        assert_eq!(memory.migrate(mm, span)?, PAGES);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    /// The end of the closure is the end of the migration, also if the value was leaked.
    #[test]
    #[allow(clippy::forget_non_drop)]
    fn a_migration_that_is_leaked_ends() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = memory.available();

        Migration::collect(&memory, mm, span, |collected| {
            core::mem::forget(collected);
        })?;
        released(&memory, span)?;
        Migration::collect(&memory, mm, span, |collected| {
            core::mem::forget(collected.copy());
        })?;
        released(&memory, span)?;
        Migration::collect(&memory, mm, span, |collected| {
            let committed = collected.copy().commit();
            assert_eq!(committed.moved(), PAGES);
            core::mem::forget(committed);
        })?;
        assert_eq!(memory.available(), free - PAGES * PAGE_SIZE);
        released(&memory, span)?;
        assert_eq!(memory.available(), free);
        // On the heap, for good.
        let kept = Migration::collect(&memory, mm, span, |collected| {
            KBox::new(collected, GFP_KERNEL).map(|kept| {
                let _: *mut _ = KBox::into_raw(kept);
            })
        })?;
        assert!(kept.is_ok());
        released(&memory, span)
    }

    /// An error of the closure is its result, and the migration ends first.
    #[test]
    fn a_closure_that_fails_ends_the_migration() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let copied = |fails: bool| {
            Migration::collect(&memory, mm, span, |collected| {
                let copied = collected.copy();
                if fails {
                    return Err(EIO);
                }
                Ok(copied.commit().moved())
            })
        };

        assert!(matches!(copied(true), Ok(Err(error)) if error == EIO));
        released(&memory, span)?;
        assert!(matches!(copied(false), Ok(Ok(PAGES))));
        released(&memory, span)
    }

    /// The CPU would wait for a page that this thread has collected; and so would this thread.
    #[test]
    fn what_would_wait_for_its_own_migration_is_refused() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let owner = memory.as_raw().cast_const().cast();
        let mirror = Arc::pin_init(Mirror::new(mm, owner, NoTable), GFP_KERNEL)?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        // More than a batch of sections.
        let absent = mapped_pages(200)?;
        let _absent = KBox::pin_init(MirrorRange::new(mirror.clone(), absent), GFP_KERNEL)?;
        let first = Span::new(span.start(), span.start() + PAGE_SIZE);
        let refused = error_of(bindings::EDEADLK);

        Migration::collect(&memory, mm, span, |_held| {
            let second = Migration::collect(&memory, mm, span, |_| ());
            assert!(second == Err(refused));
            assert!(memory.migrate(mm, span) == Err(refused));
            assert!(memory.migrate_to_ram(mm, span) == Err(refused));
            assert!(memory.retire(core::ptr::null(), 0) == Err(refused));
            assert!(mirror.populate(span, Access::Write, |_, _| Ok(())) == Err(refused));
            assert!(mirror.populate(first, Access::Present, |_, _| Ok(())) == Err(refused));
            assert!(mirror.exclusive(first, |_, _| Ok(())) == Err(refused));
            let within = mirror.populate_in(span, Access::Write, memory.any(), |_, _| Ok(()));
            assert!(within == Err(refused));
            let another = Arc::pin_init(Mirror::new(mm, owner, NoTable), GFP_KERNEL);
            assert!(another.err() == Some(refused));
            // These wait for nothing.
            mirror.populate(absent, Access::Present, |_, _| Ok(()))?;
            mirror.populate(span, Access::Snapshot, |_, _| Ok(()))
        })??;
        mirror.populate(span, Access::Write, |_, _| Ok(()))?;
        assert_eq!(memory.migrate(mm, span)?, PAGES);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    #[test]
    fn coherent_memory_has_an_address() -> Result {
        let memory = DeviceMemory::new(
            MemoryType::COHERENT,
            1,
            c"hmm_rust_coherent",
            Buffer::new(SZ_4M),
        );
        let memory = KBox::pin_init(memory, GFP_KERNEL)?;

        assert!(memory.add(SZ_4M, core::ptr::null()) == Err(EINVAL));
        Ok(())
    }

    /// Neither is a reason for a warning.
    #[test]
    fn sizes_that_cannot_be_are_refused() -> Result {
        let memory = device()?;
        let size = memory.size();

        for size in [0, 1, 1 << 60, 1 << 63, usize::MAX & !(SZ_4M - 1)] {
            assert!(memory.add(size, core::ptr::null()).is_err());
        }
        assert_eq!(memory.size(), size);
        Ok(())
    }

    #[test]
    fn a_section_shows_pages_where_they_went() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let owner = memory.as_raw().cast_const().cast();
        let mirror = Arc::pin_init(Mirror::new(mm, owner, NoTable), GFP_KERNEL)?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        let mut there = 0;
        mirror.populate_in(span, Access::Write, memory.any(), |pages, _| {
            there += pages
                .runs()
                .flat_map(|run| run.frames())
                .filter(|page| page.is_private() && page.is_of(owner))
                .count();
            Ok(())
        })?;
        assert_eq!(there, PAGES);
        let snapshot = mirror.populate_in(span, Access::Snapshot, memory.any(), |_, _| Ok(()));
        assert!(snapshot == Err(EINVAL));
        // Touching them migrates them back.
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    #[test]
    fn what_cannot_be_copied_stays() -> Result {
        let memory = device()?;
        memory.data().broken.store(true, Relaxed);
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let moved = Migration::collect(&memory, mm, span, |collected| {
            collected.copy().commit().moved()
        })?;
        assert_eq!(moved, 0);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    #[test]
    fn a_span_that_is_not_one_is_refused() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let reversed = Span::new(span.end(), span.start());
        let ran = |span| Migration::collect(&memory, mm, span, |_| ());
        assert!(ran(reversed).is_err());
        // Nobody maps anything there.
        let hole = Span::new(PAGE_SIZE, 2 * PAGE_SIZE);
        assert!(ran(hole).is_err());
        // The lock of the address space was given back: nothing would come here otherwise.
        assert_eq!(memory.migrate(mm, span)?, PAGES);
        Ok(())
    }
}

/// Does in each of its callbacks what could wait for the callback.
#[pin_data(PinnedDrop)]
struct Nested {
    /// The result of `add` in `release`, and in `copy` while the memory is removed.
    released: Atomic<i32>,
    copied: Atomic<i32>,
    /// Whether `release` is running.
    releasing: Atomic<bool>,
    /// Of the memory itself, until `copy` drops it.
    #[pin]
    me: Mutex<Option<Arc<DeviceMemory<Nested>>>>,
    dropped: Arc<Completion>,
}

fn errno(result: Result) -> i32 {
    result.err().map_or(0, Error::to_errno)
}

#[vtable]
impl MemoryOperations for Nested {
    /// Clears the page instead of a copy.
    fn copy(memory: &DeviceMemory<Self>, mut dst: Block<'_>, _src: &Block<'_>) -> Result {
        if memory.position(&dst).found() {
            return Ok(());
        }
        let last = memory.data().me.lock().take();
        if last.is_none() {
            let error = errno(memory.add(SZ_4M, core::ptr::null()));
            assert_eq!(error, error_of(bindings::EDEADLK).to_errno());
            assert_eq!(errno(memory.remove(0)), error);
            // The work item that ends the memory has no address space.
            let current = current!();
            if let Some(mm) = current.mm() {
                let span = Span::new(PAGE_SIZE, 2 * PAGE_SIZE);
                let moved = memory.migrate(mm, span).map(|_| ());
                assert_eq!(errno(moved), error);
                let moved = memory.migrate_to_ram(mm, span).map(|_| ());
                assert_eq!(errno(moved), error);
                let steps = Migration::collect(memory, mm, span, |_| ());
                assert_eq!(errno(steps), error);
            }
            assert!(memory.evict() > 0);
            memory.resume();
            memory.data().copied.store(error, Relaxed);
        }
        drop(last);
        // The memory is there still: the work item that ends it waits for the page.
        assert!(memory.data().me.lock().is_none());
        dst.page_mut(0, |page| page.clear()).ok_or(EIO)
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }

    fn grow(memory: &DeviceMemory<Self>) -> Result {
        memory.add(SZ_4M, core::ptr::null())?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        // `grow` is not called again.
        assert_eq!(memory.migrate(mm, mapped()?)?, 0);
        Ok(())
    }

    fn release(memory: &DeviceMemory<Self>, _data: *const c_void) {
        let error = errno(memory.add(SZ_4M, core::ptr::null()));
        assert_eq!(memory.evict(), 0);
        memory.resume();
        // It would call `release` again, and so on.
        if memory.data().releasing.xchg(true, Relaxed) {
            return;
        }
        let refused = error_of(bindings::EDEADLK).to_errno();
        assert_eq!(errno(memory.remove(0)), refused);
        memory.data().releasing.store(false, Relaxed);
        memory.data().released.store(error, Relaxed);
    }
}

#[pinned_drop]
impl PinnedDrop for Nested {
    fn drop(self: Pin<&mut Self>) {
        // The memory has ended, and so `release` could add none.
        assert_eq!(self.released.load(Relaxed), ENODEV.to_errno());
        self.dropped.complete_all();
    }
}

fn nested() -> Result<Arc<DeviceMemory<Nested>>> {
    let dropped = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
    let data = pin_init!(Nested {
        released: Atomic::new(1),
        copied: Atomic::new(1),
        releasing: Atomic::new(false),
        me <- new_mutex!(None),
        dropped,
    });
    let memory = DeviceMemory::new(MemoryType::PRIVATE, 1, c"hmm_rust_nested", data);
    Arc::pin_init(memory, GFP_KERNEL)
}

#[macros::kunit_tests(hmm_rust_devmem_within)]
mod within {
    use super::*;

    #[test]
    fn release_may_add() -> Result {
        let memory = nested()?;
        let dropped = memory.data().dropped.clone();
        memory.add(SZ_4M, core::ptr::null())?;
        memory.remove(0)?;
        assert_eq!(memory.data().released.load(Relaxed), 0);
        assert_eq!(memory.available(), SZ_4M);
        drop(memory);
        dropped.wait_for_completion();
        Ok(())
    }

    #[test]
    fn grow_may_migrate() -> Result {
        let memory = nested()?;
        let span = mapped()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        assert_eq!(memory.migrate(mm, span)?, 0);
        assert_eq!(memory.available(), SZ_4M);
        Ok(())
    }

    #[test]
    fn copy_is_refused_what_would_wait_for_it() -> Result {
        let memory = nested()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        memory.add(SZ_4M, core::ptr::null())?;
        assert_eq!(memory.migrate(mm, span)?, PAGES);
        memory.remove(100)?;
        assert_eq!(
            memory.data().copied.load(Relaxed),
            error_of(bindings::EDEADLK).to_errno()
        );
        Ok(())
    }

    #[test]
    fn copy_may_drop_the_last_reference() -> Result {
        let memory = nested()?;
        let dropped = memory.data().dropped.clone();
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        memory.add(SZ_4M, core::ptr::null())?;
        assert_eq!(memory.migrate(mm, span)?, PAGES);
        *memory.data().me.lock() = Some(memory.clone());
        drop(memory);
        // The fault of the first page drops the memory; the work item removes the others.
        read_number(span, 0)?;
        dropped.wait_for_completion();
        Ok(())
    }
}
