// SPDX-License-Identifier: GPL-2.0

//! Device memory as it was in 2017, in a running kernel.

use super::memory::*;
use crate::{
    bindings,
    hmm::{
        compat_2017::{
            DeviceMemory,
            PageOperations, //
        },
        mirror::Span,
        page::Block, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sizes::SZ_2M,
    sync::atomic::Relaxed, //
};

#[vtable]
impl PageOperations for Buffer {
    fn copy(memory: &DeviceMemory<Self>, dst: Block<'_>, src: Block<'_>) -> Result {
        let (to, from) = (memory.place(&dst), memory.place(&src));
        let to = to.here().then(|| to.offset());
        memory.data().copy(to, from.offset(), dst, src)
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        memory.data().clear(memory.place(&page).offset(), page)
    }
}

/// Each test has a name of its own: one that fails leaves its device behind.
fn device(name: &'static CStr) -> Result<Pin<KBox<DeviceMemory<Buffer>>>> {
    // Pages are handed out from the beginning; what is plugged in may be more.
    let memory = DeviceMemory::new(SZ_2M, name, Buffer::new(SZ_2M)?);
    KBox::pin_init(memory, GFP_KERNEL)
}

/// A page of the test's own process that is held, as for I/O.
struct Held(*mut bindings::page);

impl Held {
    fn new(addr: usize) -> Result<Self> {
        let mut page = core::ptr::null_mut();
        // SAFETY: There is room for the one page that is asked for.
        let held = unsafe { bindings::pin_user_pages_fast(addr, 1, 0, &mut page) };
        (held == 1).then_some(Self(page)).ok_or(EFAULT)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: It is held, by this.
        unsafe { bindings::unpin_user_page(self.0) };
    }
}

#[macros::kunit_tests(hmm_rust_compat_2017)]
mod tests {
    use super::*;

    fn migrate(memory: &DeviceMemory<Buffer>, span: Span) -> Result<usize> {
        let current = current!();
        memory.migrate(current.mm().ok_or(EINVAL)?, span.start(), span.end())
    }

    #[test]
    fn pages_go_there_and_come_home_when_touched() -> Result {
        let memory = device(c"hmm_rust_2017_touched")?;
        let span = numbered()?;
        assert_eq!(migrate(&memory, span)?, PAGES);
        assert_eq!(memory.used(), PAGES);
        assert_eq!(memory.data().copies.load(Relaxed), PAGES);
        assert_eq!(numbers(span)?, NUMBERS);
        assert_eq!(memory.used(), 0);
        assert_eq!(memory.data().copies.load(Relaxed), 2 * PAGES);
        Ok(())
    }

    #[test]
    fn where_nothing_was_there_are_zeros() -> Result {
        let memory = device(c"hmm_rust_2017_zeros")?;
        // What the device's memory has been used for.
        let before = numbered()?;
        assert_eq!(migrate(&memory, before)?, PAGES);
        assert_eq!(numbers(before)?, NUMBERS);
        let span = mapped()?;
        assert_eq!(migrate(&memory, span)?, PAGES);
        assert_eq!(memory.used(), PAGES);
        assert_eq!(numbers(span)?, [0; PAGES]);
        Ok(())
    }

    #[test]
    fn its_end_brings_pages_home() -> Result {
        let memory = device(c"hmm_rust_2017_end")?;
        let span = numbered()?;
        assert_eq!(migrate(&memory, span)?, PAGES);
        drop(memory);
        assert_eq!(numbers(span)?, NUMBERS);
        // There can be another.
        assert_eq!(device(c"hmm_rust_2017_end")?.used(), 0);
        Ok(())
    }

    #[test]
    fn what_cannot_be_copied_there_stays() -> Result {
        let memory = device(c"hmm_rust_2017_stays")?;
        let span = numbered()?;
        memory.data().broken.store(true, Relaxed);
        assert_eq!(migrate(&memory, span)?, 0);
        assert_eq!(memory.used(), 0);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    #[test]
    fn what_is_held_stays() -> Result {
        let memory = device(c"hmm_rust_2017_held")?;
        let span = numbered()?;
        let held = Held::new(span.start())?;
        assert_eq!(migrate(&memory, span)?, PAGES - 1);
        assert_eq!(memory.used(), PAGES - 1);
        drop(held);
        let first = Span::new(span.start(), span.start() + PAGE_SIZE);
        assert_eq!(migrate(&memory, first)?, 1);
        assert_eq!(memory.used(), PAGES);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    #[test]
    fn what_cannot_be_copied_home_is_lost() -> Result {
        let memory = device(c"hmm_rust_2017_lost")?;
        let span = numbered()?;
        assert_eq!(migrate(&memory, span)?, PAGES);
        memory.data().broken.store(true, Relaxed);
        assert!(numbers(span) == Err(EFAULT));
        // That one page only; for good.
        assert_eq!(memory.used(), PAGES - 1);
        memory.data().broken.store(false, Relaxed);
        assert!(numbers(span) == Err(EFAULT));
        assert_eq!(memory.used(), PAGES - 1);
        Ok(())
    }

    #[test]
    fn what_cannot_be_is_refused() -> Result {
        let memory = device(c"hmm_rust_2017_refused")?;
        let span = numbered()?;
        assert!(migrate(&memory, Span::new(span.end(), span.start())) == Err(EINVAL));
        assert!(migrate(&memory, Span::new(span.start() + 1, span.end())) == Err(EINVAL));
        // Nothing is mapped at the first page.
        assert!(migrate(&memory, Span::new(0, PAGE_SIZE)) == Err(EINVAL));
        assert_eq!(memory.used(), 0);
        Ok(())
    }
}
