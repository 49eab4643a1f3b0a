use kernel::{
    hmm::{
        mirror::Operations,
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

/// A device that knows of how many pages it has to itself.
#[derive(Default)]
struct Table {
    alone: usize,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        self.alone = 0;
        true
    }
}

/// The device is going to use an atomic operation: the page is taken from the CPU, until the CPU touches it.
fn atomic_fault(mirror: &Mirror<Table>, addr: usize) -> Result {
    mirror.exclusive(Span::new(addr, addr + PAGE_SIZE), |pages, table| {
        table.alone += pages.runs().count();
        Ok(())
    })
}

/// The same, for a device that waits 10 ms at most.
fn atomic_fault_soon(mirror: &Mirror<Table>, addr: usize) -> Result {
    let (span, soon) = (Span::new(addr, addr + PAGE_SIZE), msecs_to_jiffies(10));
    mirror.exclusive_with(span, soon, |pages, table| {
        table.as_pin().alone += pages.runs().count();
        Ok(())
    })
}

# // SAFETY: A test runs in a thread of its own, which has no memory yet.
# unsafe { kernel::bindings::kunit_attach_mm() };
let current = current!();
let mm = current.mm().ok_or(EINVAL)?;
let nobody = core::ptr::null();
let mirror = Arc::pin_init(Mirror::new(mm, nobody, Table::default()), GFP_KERNEL)?;
let everything = MirrorRange::new(mirror.clone(), Span::ALL);
let _everything = KBox::pin_init(everything, GFP_KERNEL)?;

// It has to be somebody who takes it: the mirror needs an owner.
assert!(atomic_fault(&mirror, PAGE_SIZE) == Err(EINVAL));
assert!(atomic_fault_soon(&mirror, PAGE_SIZE) == Err(EINVAL));
assert_eq!(mirror.with_lock(|table| table.alone)?, 0);
# Ok::<(), Error>(())
