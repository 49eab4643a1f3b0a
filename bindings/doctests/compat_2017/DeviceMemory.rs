use kernel::{
    hmm::{
        compat_2017::{
            DeviceMemory,
            PageOperations, //
        },
        page::Block, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sizes::SZ_2M, //
};

/// A device that cannot be reached: what is to be moved there stays where it is.
struct Device;

#[vtable]
impl PageOperations for Device {
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: Block<'_>) -> Result {
        Err(EIO)
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }
}

let memory = DeviceMemory::new(SZ_2M, c"example", Device);
let memory = KBox::pin_init(memory, GFP_KERNEL)?;
# // SAFETY: A test runs in a thread of its own, which has no memory yet.
# unsafe { kernel::bindings::kunit_attach_mm() };
let current = current!();
let mm = current.mm().ok_or(EINVAL)?;
// At the first page of an address space nothing is mapped.
assert!(memory.migrate(mm, 0, PAGE_SIZE) == Err(EINVAL));
assert_eq!(memory.used(), 0);
# Ok::<(), Error>(())
