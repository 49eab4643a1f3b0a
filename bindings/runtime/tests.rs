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

/// Stands for a device's page table.
struct Table {
    mapped: usize,
    invalidations: usize,
}

impl Table {
    fn new() -> Self {
        Table {
            mapped: 0,
            invalidations: 0,
        }
    }
}

#[vtable]
impl Operations for Table {
    fn invalidate(&mut self, _inv: &Invalidation) -> bool {
        self.mapped = 0;
        self.invalidations += 1;
        true
    }
}

/// Maps private memory into the test's own address space.
fn map(pages: usize) -> Result<Span> {
    const PROT_READ_WRITE: usize = 0x3;
    const MAP_PRIVATE_ANONYMOUS: usize = 0x22;
    // SAFETY: This runs in a KUnit test, whose context the mapping belongs to.
    let start = unsafe {
        bindings::kunit_vm_mmap(
            bindings::kunit_get_current_test(),
            core::ptr::null_mut(),
            0,
            pages * PAGE_SIZE,
            PROT_READ_WRITE,
            MAP_PRIVATE_ANONYMOUS,
            0,
        )
    };
    if start == 0 {
        return Err(ENOMEM);
    }
    Ok(Span::new(start, start + pages * PAGE_SIZE))
}

fn unmap(span: Span) {
    // SAFETY: The test's address space is the current one, and nothing refers to this memory.
    unsafe { bindings::vm_munmap(span.start(), span.end() - span.start()) };
}

fn mirror() -> Result<Arc<Mirror<Table>>> {
    // SAFETY: This runs in a KUnit test, on the thread that is to have the address space.
    crate::error::to_result(unsafe { bindings::kunit_attach_mm() })?;
    // Under UML bindgen's view of `struct task_struct` is not C's, so C is asked for the address space.
    // SAFETY: The current task is valid, and has an address space as of the call above.
    let mm = unsafe { bindings::get_task_mm(bindings::get_current()) };
    let mm = NonNull::new(mm.cast::<MmWithUser>()).ok_or(ESRCH)?;
    // SAFETY: `get_task_mm` has counted a user of the address space.
    let mm = unsafe { ARef::from_raw(mm) };
    Arc::pin_init(
        Mirror::new(&mm, core::ptr::null(), Table::new()),
        GFP_KERNEL,
    )
}

fn populate(mirror: &Mirror<Table>, span: Span, access: Access) -> Result {
    mirror.populate(span, access, |pages, table| {
        for run in pages.runs() {
            if run.flags().contains(PfnFlags::WRITE) {
                table.mapped += run.span().pages();
            }
        }
        Ok(())
    })
}

#[macros::kunit_tests(hmm_rust_mirror)]
mod tests {
    use super::*;

    #[test]
    fn what_is_populated_is_invalidated() -> Result {
        let span = map(4)?;
        let mirror = mirror()?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        populate(&mirror, span, Access::Snapshot)?;
        assert_eq!(mirror.lock().mapped, 0);
        populate(&mirror, span, Access::Write)?;
        assert_eq!(mirror.lock().mapped, 4);
        unmap(span);
        assert_eq!(mirror.lock().mapped, 0);
        assert!(mirror.lock().invalidations > 0);
        drop(range);
        Ok(())
    }

    #[test]
    fn errors_leave_the_section() -> Result {
        let span = map(2)?;
        let mirror = mirror()?;
        let _range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        let failed = mirror.populate(span, Access::Write, |_, _| Err(EIO));
        assert!(failed == Err(EIO));
        // The update lock was left with the section.
        mirror.lock().mapped = 7;
        unmap(span);
        assert!(populate(&mirror, span, Access::Write).is_err());
        Ok(())
    }

    #[test]
    fn a_range_keeps_its_mirror() -> Result {
        let span = map(1)?;
        let mirror = mirror()?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        drop(mirror);
        drop(range);
        Ok(())
    }

    #[test]
    fn a_span_that_is_empty_is_refused() -> Result {
        let mirror = mirror()?;
        let empty = Span::new(PAGE_SIZE, PAGE_SIZE);
        let range = KBox::pin_init(MirrorRange::new(mirror, empty), GFP_KERNEL);
        assert!(range.is_err());
        Ok(())
    }
}
