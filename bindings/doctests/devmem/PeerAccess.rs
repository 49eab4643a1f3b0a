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

/// A device whose memory is in a BAR, which one other device can access.
struct Device {
    bar: DmaAddress,
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

        if core::ptr::eq(access.device(), &*data.other) {
            let address = data.bar + access.position().offset() as DmaAddress;

            // SAFETY: The page is there in the BAR, which the other device can access.
            unsafe { access.set_address(address) };
        }
    }

    fn peer_dma_unmap(memory: &DeviceMemory<Self>, access: &PeerAccess) {
        assert!(access.address() >= memory.data().bar);
    }
}
# fn _new(bar: DmaAddress, other: ARef<device::Device>) -> Device {
#     Device { bar, other }
# }
