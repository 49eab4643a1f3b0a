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
    sync::Arc, //
};

struct Table;

#[vtable]
impl Operations for Table {
    fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        true
    }
}

# // SAFETY: A test runs in a thread of its own, which has no memory yet.
# unsafe { kernel::bindings::kunit_attach_mm() };
let current = current!();
let mm = current.mm().ok_or(EINVAL)?;
let mirror = Mirror::new(mm, core::ptr::null(), Table);
let mirror = Arc::pin_init(mirror, GFP_KERNEL)?;

// Two buffers of the process, each a range of its own.
let buffer = MirrorRange::new(mirror.clone(), Span::new(16 * PAGE_SIZE, 32 * PAGE_SIZE));
let buffer = KBox::pin_init(buffer, GFP_KERNEL)?;
let other = MirrorRange::new(mirror.clone(), Span::new(32 * PAGE_SIZE, 48 * PAGE_SIZE));
let _other = KBox::pin_init(other, GFP_KERNEL)?;

// Ranges do not overlap.
let overlaps = MirrorRange::new(mirror.clone(), Span::new(24 * PAGE_SIZE, 40 * PAGE_SIZE));
assert!(KBox::pin_init(overlaps, GFP_KERNEL).is_err());
// Dropping a range does not wait, and the mirror stays.
drop(buffer);
# Ok::<(), Error>(())
