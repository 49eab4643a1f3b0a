use kernel::{
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            Peer, //
        },
        page::Block, //
    },
    prelude::*, //
};

/// A device that copies from others of its kind.
struct Device;

#[vtable]
impl MemoryOperations for Device {
    fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
        Err(EIO)
    }

    fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
        Err(EIO)
    }

    fn can_copy_from(_memory: &DeviceMemory<Self>, peer: &Peer) -> bool {
        peer.same_driver()
    }
}
# let _ = Device;
