use kernel::{
    hmm::{
        mirror::Operations,
        Access,
        Invalidation,
        Mirror,
        MirrorRange,
        Span, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc,
    time::msecs_to_jiffies, //
};

#[derive(Default)]
struct Table {
    pages: usize,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        self.pages = 0;
        true
    }
}

/// The device has faulted: its table gets what the process has, which cannot change meanwhile.
fn fault(mirror: &Mirror<Table>, span: Span) -> Result {
    mirror.populate(span, Access::Write, |pages, table| {
        for run in pages.runs() {
            table.pages += run.span().pages();
        }
        Ok(())
    })
}

/// The same, for a device that waits 10 ms at most.
fn fault_soon(mirror: &Mirror<Table>, span: Span) -> Result {
    let soon = msecs_to_jiffies(10);
    mirror.populate_with(span, Access::Write, soon, |pages, table| {
        let mut table = table.as_pin();
        table.pages += pages.runs().map(|run| run.span().pages()).sum::<usize>();
        Ok(())
    })
}

let owner = core::ptr::null();
# // SAFETY: A test runs in a thread of its own, which has no memory yet.
# unsafe { kernel::bindings::kunit_attach_mm() };
let current = current!();
let mm = current.mm().ok_or(EINVAL)?;
let mirror = Arc::pin_init(Mirror::new(mm, owner, Table::default()), GFP_KERNEL)?;
let everything = MirrorRange::new(mirror.clone(), Span::ALL);
let _everything = KBox::pin_init(everything, GFP_KERNEL)?;

// The first page of an address space is nobody's.
assert!(fault(&mirror, Span::new(0, PAGE_SIZE)) == Err(EFAULT));
assert!(fault_soon(&mirror, Span::new(0, PAGE_SIZE)) == Err(EFAULT));
assert_eq!(mirror.with_lock(|table| table.pages)?, 0);
# Ok::<(), Error>(())
