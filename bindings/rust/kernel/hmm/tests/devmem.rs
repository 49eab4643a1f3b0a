// SPDX-License-Identifier: GPL-2.0

//! Device memory as a driver uses it, in a running kernel.

use super::memory::*;
use crate::{
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            MemoryType,
            Migration, //
        },
        mirror::Span,
        page::Block, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sizes::SZ_4M,
    sync::atomic::Relaxed, //
};

#[vtable]
impl MemoryOperations for Buffer {
    fn copy(memory: &DeviceMemory<Self>, dst: Block<'_>, src: Block<'_>) -> Result {
        let (to, from) = (memory.place(&dst), memory.place(&src));
        let to = to.here().then(|| to.offset());
        memory.data().copy(to, from.offset(), dst, src)
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        memory.data().clear(memory.place(&page).offset(), page)
    }
}

/// With one chunk.
fn device() -> Result<Pin<KBox<DeviceMemory<Buffer>>>> {
    let data = Buffer::new(SZ_4M)?;
    let memory = DeviceMemory::new(MemoryType::PRIVATE, 1, c"hmm_rust_devmem", data);
    let memory = KBox::pin_init(memory, GFP_KERNEL)?;
    memory.add(0, SZ_4M, core::ptr::null())?;
    Ok(memory)
}

#[macros::kunit_tests(hmm_rust_devmem)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_there_and_come_home() -> Result {
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

    #[test]
    fn a_migration_goes_step_by_step() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = memory.available();
        {
            let collected = Migration::collect(&memory, mm, span)?;
            assert_eq!(collected.span().start(), span.start());
            assert_eq!(memory.data().copies.load(Relaxed), 0);
            let copied = collected.copy();
            assert_eq!(memory.data().copies.load(Relaxed), PAGES);
            let committed = copied.commit();
            assert_eq!(committed.moved(), PAGES);
        }
        assert_eq!(memory.available(), free - PAGES * PAGE_SIZE);
        // Touching them brings them home.
        assert_eq!(numbers(span)?, NUMBERS);
        assert_eq!(memory.available(), free);
        Ok(())
    }

    #[test]
    fn what_is_dropped_half_way_is_undone() -> Result {
        let memory = device()?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = memory.available();
        drop(Migration::collect(&memory, mm, span)?);
        assert_eq!(memory.available(), free);
        assert_eq!(numbers(span)?, NUMBERS);
        drop(Migration::collect(&memory, mm, span)?.copy());
        assert_eq!(memory.data().copies.load(Relaxed), PAGES);
        assert_eq!(memory.available(), free);
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
        let moved = Migration::collect(&memory, mm, span)?
            .copy()
            .commit()
            .moved();
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
        assert!(Migration::collect(&memory, mm, reversed).is_err());
        // Nobody maps anything there.
        let hole = Span::new(PAGE_SIZE, 2 * PAGE_SIZE);
        assert!(Migration::collect(&memory, mm, hole).is_err());
        // The lock of the address space was given back: nothing would come here otherwise.
        assert_eq!(memory.migrate(mm, span)?, PAGES);
        Ok(())
    }
}
