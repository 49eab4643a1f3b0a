// SPDX-License-Identifier: GPL-2.0

//! Helpers of the tests of device memory: a device, and a process's pages.

use crate::{
    bindings,
    error::to_result,
    hmm::{
        mirror::Span,
        page::Block, //
    },
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Mutex, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};

pub(super) const PAGES: usize = 4;

/// A device that is a buffer, and that can break.
#[pin_data]
pub(super) struct Buffer {
    #[pin]
    ram: Mutex<VVec<u8>>,
    /// How many pages were copied.
    pub(super) copies: Atomic<usize>,
    pub(super) broken: Atomic<bool>,
}

impl Buffer {
    pub(super) fn new(size: usize) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            ram <- new_mutex!(VVec::from_elem(0, size, GFP_KERNEL)?),
            copies: Atomic::new(0),
            broken: Atomic::new(false),
        })
    }

    /// Copies to the buffer, at `to`; or if that is none, from the buffer, at `from`.
    pub(super) fn copy(
        &self,
        to: Option<usize>,
        from: usize,
        mut dst: Block<'_>,
        src: &Block<'_>,
    ) -> Result {
        if self.broken.load(Relaxed) {
            return Err(EIO);
        }
        self.copies.fetch_add(dst.pages(), Relaxed);
        let mut ram = self.ram.lock();
        for index in 0..dst.pages() {
            let at = to.unwrap_or(from) + index * PAGE_SIZE;
            let ram = ram.get_mut(at..at + PAGE_SIZE).ok_or(EINVAL)?;
            match to {
                Some(_) => src.page(index, |from| from.read(0, ram)),
                None => dst.page_mut(index, |to| to.write(0, ram)),
            }
            .ok_or(EIO)??;
        }
        Ok(())
    }

    pub(super) fn clear(&self, at: usize, page: Block<'_>) -> Result {
        let mut ram = self.ram.lock();
        let all = ram.get_mut(at..at + page.pages() * PAGE_SIZE);
        all.ok_or(EINVAL)?.fill(0);
        Ok(())
    }
}

/// Pages of the test's own process in which nothing is yet.
pub(super) fn mapped() -> Result<Span> {
    mapped_pages(PAGES)
}

/// So many of them.
pub(super) fn mapped_pages(pages: usize) -> Result<Span> {
    const READ_WRITE: usize = 3;
    const PRIVATE_ANONYMOUS: usize = 0x22;
    if current!().mm().is_none() {
        // SAFETY: A test runs in a thread of its own, and this one has no memory yet.
        to_result(unsafe { bindings::kunit_attach_mm() })?;
    }
    let size = pages * PAGE_SIZE;
    let file = core::ptr::null_mut();
    // SAFETY: No file is mapped, and no fixed address is requested, so no existing mapping changes.
    let start = unsafe { bindings::vm_mmap(file, 0, size, READ_WRITE, PRIVATE_ANONYMOUS, 0) };
    let start: usize = start;
    if start % PAGE_SIZE != 0 {
        return Err(ENOMEM);
    }
    Ok(Span::new(start, start + size))
}

/// Removes what `mapped()` has mapped.
pub(super) fn unmapped(span: Span) -> Result {
    // SAFETY: The pages are the test's own, and nothing refers to them.
    to_result(unsafe { bindings::vm_munmap(span.start(), PAGES * PAGE_SIZE) })
}

fn address(span: Span, page: usize) -> UserPtr {
    UserPtr::from_addr(span.start() + page * PAGE_SIZE)
}

/// The same, each page with its number, from 1 on.
pub(super) fn numbered() -> Result<Span> {
    let span = mapped()?;
    for page in 0..PAGES {
        UserSlice::new(address(span, page), 1)
            .writer()
            .write(&(page as u8 + 1))?;
    }
    Ok(span)
}

/// The values that `numbered()` writes.
pub(super) const NUMBERS: [u8; PAGES] = [1, 2, 3, 4];

/// Reads the first byte of each page, as the process does.
pub(super) fn numbers(span: Span) -> Result<[u8; PAGES]> {
    let mut numbers = [0xff; PAGES];
    for (page, number) in numbers.iter_mut().enumerate() {
        *number = read_number(span, page)?;
    }
    Ok(numbers)
}

/// Reads the first byte of one page, as the process does.
pub(super) fn read_number(span: Span, page: usize) -> Result<u8> {
    UserSlice::new(address(span, page), 1).reader().read()
}
