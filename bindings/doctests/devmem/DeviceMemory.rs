use kernel::{
    device,
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            MemoryType,
        },
        page::Block,
        Span, //
    },
    io::PhysAddr,
    mm::MmWithUser,
    prelude::*,
    time::msecs_to_jiffies, //
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

/// The device has been found, with memory at addresses of its own.
fn found(memory: &DeviceMemory<Device>, dev: &device::Device, start: PhysAddr, size: usize) -> Result {
    memory.set_device(dev)?;
    memory.account(size)?;
    // SAFETY: The memory at `start` is the device's, and only this driver uses it.
    unsafe { memory.add_at(start, size, core::ptr::null()) }
}

/// The device is about to lose its power: its pages go to system memory, and no others come, until it has power again.
fn suspend(memory: &DeviceMemory<Device>) -> Result {
    match memory.evict() {
        0 => Ok(()),
        _ => {
            memory.resume();
            Err(EBUSY)
        }
    }
}

/// The device reports a bad page.
fn bad(memory: &DeviceMemory<Device>, offset: usize) -> Result<usize> {
    memory.retire(core::ptr::null(), offset)?;
    Ok(memory.retired())
}

let memory = DeviceMemory::new(MemoryType::PRIVATE, 16, c"example", Device);
let memory = KBox::pin_init(memory, GFP_KERNEL)?;
// A chunk has to be as large as a huge page.
assert!(memory.add(1, core::ptr::null()) == Err(EINVAL));
assert_eq!((memory.size(), memory.available()), (0, 0));
assert!(suspend(&memory).is_ok());
memory.resume();
assert!(bad(&memory, 0) == Err(ENOENT));
# // SAFETY: A test runs in a thread of its own, which has no memory yet.
# unsafe { kernel::bindings::kunit_attach_mm() };
let current = current!();
let mm = current.mm().ok_or(EINVAL)?;
assert!(take(&memory, mm, Span::new(0, 0)).is_err());
assert!(memory.migrate_to_ram(mm, Span::new(0, 0)).is_err());
// The users of a page have a second to release it.
assert!(memory.remove(msecs_to_jiffies(1000)).is_ok());
# let _ = found;
# Ok::<(), Error>(())
