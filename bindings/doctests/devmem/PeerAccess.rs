use core::ffi::c_void;
use kernel::{
    device,
    dma::DmaAddress,
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            PeerAccess, //
        },
        page::Block, //
    },
    prelude::*,
    sync::aref::ARef, //
};

/// A device whose memory is in a BAR, which one other device can access, and the CPU for a
/// device that is software.
struct Device {
    bar: DmaAddress,
    mapped: *const c_void,
    other: ARef<device::Device>,
}

#[vtable]
impl MemoryOperations for Device {
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
        Err(EIO)
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }

    fn peer_dma_map(memory: &DeviceMemory<Self>, access: &PeerAccess) {
        let data = memory.data();

        if access.is_by_cpu() {
            let at = data.mapped.wrapping_byte_add(access.position().offset());

            // SAFETY: The BAR is mapped for the CPU as long as the device exists.
            unsafe { access.set_pointer(at) };
        } else if core::ptr::eq(access.device(), &*data.other) {
            let address = data.bar + access.position().offset() as DmaAddress;

            // SAFETY: The page is there in the BAR, which the other device can access.
            unsafe { access.set_address(address) };
        }
    }

    fn peer_dma_unmap(memory: &DeviceMemory<Self>, access: &PeerAccess) {
        assert!(access.is_by_cpu() || access.address() >= memory.data().bar);
    }
}
// SAFETY: The pointer is to memory that any thread may access.
unsafe impl Send for Device {}
// SAFETY: As above.
unsafe impl Sync for Device {}
# fn _new(bar: DmaAddress, mapped: *const c_void, other: ARef<device::Device>) -> Device {
#     Device { bar, mapped, other }
# }
