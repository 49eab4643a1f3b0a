// SPDX-License-Identifier: GPL-2.0

//! Device memory as a driver uses it, in a running kernel.

use crate::{
    bindings,
    error::to_result,
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            MemoryType,
            MigrateFlags,
            Migration, //
        },
        mirror::Span,
        page::{
            Block,
            Ram, //
        }, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sizes::SZ_4M,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};

const PAGES: usize = 4;

/// A device that is a buffer, with one chunk.
struct Buffer {
    ram: Ram,
    copies: Atomic<usize>,
    broken: bool,
}

#[vtable]
impl MemoryOperations for Buffer {
    fn copy(memory: &DeviceMemory<Self>, mut dst: Block<'_>, src: Block<'_>) -> Result {
        let this = memory.data();
        if this.broken {
            return Err(EIO);
        }
        this.copies.fetch_add(dst.pages(), Relaxed);
        for index in 0..dst.pages() {
            let at = index * PAGE_SIZE;
            match (memory.place(&dst), memory.place(&src)) {
                (there, _) if there.here() => {
                    this.ram.with(there.offset() + at, PAGE_SIZE, |to| {
                        src.page(index, |from| to.copy_from(from)).ok_or(EIO)?
                    })??
                }
                (_, here) => this.ram.with(here.offset() + at, PAGE_SIZE, |from| {
                    dst.page_mut(index, |to| to.copy_from(from)).ok_or(EIO)?
                })??,
            }
        }
        Ok(())
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        let size = page.pages() * PAGE_SIZE;
        let at = memory.place(&page).offset();
        memory.data().ram.with(at, size, |bytes| bytes.clear())
    }
}

fn device(broken: bool) -> Result<Pin<KBox<DeviceMemory<Buffer>>>> {
    let data = Buffer {
        ram: Ram::new(SZ_4M)?,
        copies: Atomic::new(0),
        broken,
    };
    let memory = DeviceMemory::new(MemoryType::PRIVATE, 1, c"hmm_rust_devmem", data);
    let memory = KBox::pin_init(memory, GFP_KERNEL)?;
    memory.add(0, SZ_4M, core::ptr::null())?;
    Ok(memory)
}

/// Pages of the test's own process, each with its number in every byte.
fn numbered() -> Result<Span> {
    const READ_WRITE: usize = 3;
    const PRIVATE_ANONYMOUS: usize = 0x22;
    if current!().mm().is_none() {
        // SAFETY: A test runs in a thread of its own, and this one has no memory yet.
        to_result(unsafe { bindings::kunit_attach_mm() })?;
    }
    let size = PAGES * PAGE_SIZE;
    let file = core::ptr::null_mut();
    // SAFETY: No file is mapped, and nothing at an address that is asked for.
    let start = unsafe { bindings::vm_mmap(file, 0, size, READ_WRITE, PRIVATE_ANONYMOUS, 0) };
    let start: usize = start;
    if start % PAGE_SIZE != 0 {
        return Err(ENOMEM);
    }
    for page in 0..PAGES {
        let at = UserPtr::from_addr(start + page * PAGE_SIZE);
        let bytes = [page as u8 + 1; 8];
        UserSlice::new(at, bytes.len())
            .writer()
            .write_slice(&bytes)?;
    }
    Ok(Span::new(start, start + size))
}

/// Whether the process finds what it wrote.
fn is_numbered(span: Span) -> Result<bool> {
    for page in 0..PAGES {
        let at = UserPtr::from_addr(span.start() + page * PAGE_SIZE);
        let mut bytes = [0; 8];
        UserSlice::new(at, bytes.len())
            .reader()
            .read_slice(&mut bytes)?;
        if bytes != [page as u8 + 1; 8] {
            return Ok(false);
        }
    }
    Ok(true)
}

#[macros::kunit_tests(hmm_rust_devmem)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_there_and_come_home() -> Result {
        let memory = device(false)?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = memory.available();
        assert_eq!(memory.migrate(mm, span, MigrateFlags::NONE)?, PAGES);
        assert_eq!(memory.available(), free - PAGES * PAGE_SIZE);
        assert_eq!(memory.migrate_home(mm, span, MigrateFlags::NONE)?, PAGES);
        assert_eq!(memory.available(), free);
        assert!(is_numbered(span)?);
        Ok(())
    }

    #[test]
    fn a_migration_goes_step_by_step() -> Result {
        let memory = device(false)?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = memory.available();
        {
            let collected = Migration::collect(&memory, mm, span, MigrateFlags::NONE)?;
            assert_eq!(collected.span().start(), span.start());
            assert_eq!(memory.data().copies.load(Relaxed), 0);
            let copied = collected.copy();
            assert_eq!(memory.data().copies.load(Relaxed), PAGES);
            let committed = copied.commit();
            assert_eq!(committed.moved(), PAGES);
        }
        assert_eq!(memory.available(), free - PAGES * PAGE_SIZE);
        // Touching them brings them home.
        assert!(is_numbered(span)?);
        assert_eq!(memory.available(), free);
        Ok(())
    }

    #[test]
    fn what_is_dropped_half_way_is_undone() -> Result {
        let memory = device(false)?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let free = memory.available();
        drop(Migration::collect(&memory, mm, span, MigrateFlags::NONE)?);
        assert_eq!(memory.available(), free);
        assert!(is_numbered(span)?);
        drop(Migration::collect(&memory, mm, span, MigrateFlags::NONE)?.copy());
        assert_eq!(memory.data().copies.load(Relaxed), PAGES);
        assert_eq!(memory.available(), free);
        assert!(is_numbered(span)?);
        Ok(())
    }

    #[test]
    fn what_cannot_be_copied_stays() -> Result {
        let memory = device(true)?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let moved = Migration::collect(&memory, mm, span, MigrateFlags::NONE)?
            .copy()
            .commit()
            .moved();
        assert_eq!(moved, 0);
        assert!(is_numbered(span)?);
        Ok(())
    }

    #[test]
    fn a_span_that_is_not_one_is_refused() -> Result {
        let memory = device(false)?;
        let span = numbered()?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let reversed = Span::new(span.end(), span.start());
        assert!(Migration::collect(&memory, mm, reversed, MigrateFlags::NONE).is_err());
        // Nobody maps anything there.
        let hole = Span::new(PAGE_SIZE, 2 * PAGE_SIZE);
        assert!(Migration::collect(&memory, mm, hole, MigrateFlags::NONE).is_err());
        // The lock of the address space was given back: nothing would come here otherwise.
        assert_eq!(memory.migrate(mm, span, MigrateFlags::NONE)?, PAGES);
        Ok(())
    }
}
