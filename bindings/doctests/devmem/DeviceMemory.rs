use kernel::{
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            MemoryType,
        },
        page::Block,
        Span, //
    },
    mm::MmWithUser,
    prelude::*, //
};

/// A device that cannot be reached.
struct Device;

#[vtable]
impl MemoryOperations for Device {
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
        Err(EIO)
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }
}

/// Whether all pages moved: pages that are busy stay.
fn take(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<bool> {
    Ok(memory.migrate(mm, span)? == span.pages())
}

let memory = DeviceMemory::new(MemoryType::PRIVATE, 16, c"example", Device);
let memory = KBox::pin_init(memory, GFP_KERNEL)?;
// A chunk has to be as large as a huge page.
assert!(memory.add(1, core::ptr::null()) == Err(EINVAL));
assert_eq!(memory.available(), 0);
# // SAFETY: A test runs in a thread of its own, which has no memory yet.
# unsafe { kernel::bindings::kunit_attach_mm() };
let current = current!();
let mm = current.mm().ok_or(EINVAL)?;
assert!(take(&memory, mm, Span::new(0, 0)).is_err());
# Ok::<(), Error>(())
