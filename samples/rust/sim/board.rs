// SPDX-License-Identifier: GPL-2.0

//! The devices that the kernel knows, and the bus between them.

use core::ptr::NonNull;
use kernel::{
    bindings,
    device::{
        Bound,
        Device, //
    },
    dma::DmaAddress,
    error::to_result,
    hmm::{
        self,
        devmem::PeerAccess, //
    },
    prelude::*,
    sizes::SZ_128M,
    sync::Arc, //
};

/// The kernel's `struct device`.
fn raw(dev: &Device) -> *mut bindings::device {
    core::ptr::from_ref(dev).cast_mut().cast()
}

/// A device of the kernel's that no hardware is behind.
///
/// # Invariants
///
/// It was created, and is destroyed when this is dropped.
struct Faux(NonNull<bindings::faux_device>);

// SAFETY: A `struct device` may be used, and destroyed, in any thread.
unsafe impl Send for Faux {}

// SAFETY: As above; a shared reference gives nothing but the `Device`, which any number of threads
// may use.
unsafe impl Sync for Faux {}

impl Faux {
    fn new(name: &CStr, parent: Option<&Device>) -> Result<Self> {
        let parent = parent.map_or(core::ptr::null_mut(), raw);
        // SAFETY: The name is copied, and the device holds a reference to its parent.
        let faux =
            unsafe { bindings::faux_device_create(name.as_char_ptr(), parent, core::ptr::null()) };

        // INVARIANT: It was just created.
        Ok(Self(NonNull::new(faux).ok_or(ENODEV)?))
    }

    fn device(&self) -> &Device<Bound> {
        // SAFETY: By the type's invariants it exists, and it is bound as long as it does.
        unsafe { Device::from_raw(&raw mut (*self.0.as_ptr()).dev) }
    }
}

impl Drop for Faux {
    fn drop(&mut self) {
        // SAFETY: By the type's invariants it exists, and it is not used any more.
        unsafe { bindings::faux_device_destroy(self.0.as_ptr()) };
    }
}

/// How much of the bus a chunk of memory has, in bytes.
pub(crate) const BUS_WINDOW: usize = SZ_128M;

/// The bus by which each board accesses the memory of the others. Its addresses are the driver's,
/// which looks them up for each access.
pub(crate) struct Bus(Faux);

impl Bus {
    /// Creates the bus `name`.
    ///
    /// # Errors
    ///
    /// Fails with `ENODEV` if it cannot be created.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        Ok(Self(Faux::new(name, None)?))
    }

    /// Whether a device is on the bus.
    fn has(&self, dev: &Device) -> bool {
        // SAFETY: There is a reference to the device, whose parent does not change.
        let parent = unsafe { (*raw(dev)).parent };

        core::ptr::eq(parent, raw(self.0.device()))
    }

    /// Gives a device the address of a page on the bus. Returns false for a device that is not
    /// there: it gets none. The chunks follow each other on the bus, behind room for one, so that
    /// no page has the address 0.
    pub(crate) fn give(&self, access: &PeerAccess) -> bool {
        let page = access.position();

        if !self.has(access.device()) || !page.found() || page.offset() >= BUS_WINDOW {
            return false;
        }
        let address = (page.chunk() + 1) * BUS_WINDOW + page.offset();

        // SAFETY: The address is that of the page alone, as no chunk is larger than its window.
        // The device is one of the boards, and has the address for as long as its table has the
        // entry, which is until the mirror's invalidation.
        unsafe { access.set_address(address as DmaAddress) };
        true
    }

    /// The number of the chunk at an address on the bus, and the offset in it.
    pub(crate) fn find(address: DmaAddress) -> Option<(usize, usize)> {
        let address = usize::try_from(address).ok()?;

        Some(((address / BUS_WINDOW).checked_sub(1)?, address % BUS_WINDOW))
    }
}

/// A device on the bus, in place of the one that a bus would give to the driver's `probe`.
pub(crate) struct Board {
    board: Faux,
    /// A device is destroyed before its parent.
    _bus: Arc<Bus>,
}

impl Drop for Board {
    fn drop(&mut self) {
        // The ends of maps are deferred, and the DMA API knows the device until then.
        hmm::synchronize();
    }
}

impl Board {
    /// Creates the device `name`. It reaches all memory.
    ///
    /// # Errors
    ///
    /// Fails with `ENODEV` if it cannot be created, and with `EIO` in a kernel without DMA.
    pub(crate) fn new(name: &CStr, bus: Arc<Bus>) -> Result<Self> {
        let board = Faux::new(name, Some(bus.0.device()))?;
        let dev = raw(board.device());

        // It shares memory with the CPU's caches, which is not the default on arm64.
        const COHERENT: u32 = bindings::struct_device_flags_DEV_FLAG_DMA_COHERENT;

        // SAFETY: The device exists, and nothing has used it for DMA yet.
        to_result(unsafe {
            (*dev).flags[0] |= 1 << COHERENT;
            (*dev).dma_mask = &raw mut (*dev).coherent_dma_mask;
            bindings::dma_set_mask_and_coherent(dev, u64::MAX)
        })?;
        Ok(Self { board, _bus: bus })
    }

    /// The device.
    pub(crate) fn device(&self) -> &Device<Bound> {
        self.board.device()
    }
}
