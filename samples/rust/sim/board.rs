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
    hmm::devmem::PeerAccess,
    prelude::*,
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

    /// Gives a device an address on the bus. Returns false for one that is not there: it gets
    /// none.
    pub(crate) fn give(&self, access: &PeerAccess, address: DmaAddress) -> bool {
        if !self.has(access.device()) {
            return false;
        }
        // SAFETY: The device is one of the boards. It has the address for as long as its table has
        // the entry, which is until the mirror's invalidation. Of a wrong one it accesses another
        // page of the boards, or the driver finds none.
        unsafe { access.set_address(address) };
        true
    }
}

/// A device on the bus, in place of the one that a bus would give to the driver's `probe`.
pub(crate) struct Board {
    board: Faux,
    /// A device is destroyed before its parent.
    _bus: Arc<Bus>,
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

        // SAFETY: The device exists, and nothing has used it for DMA yet.
        to_result(unsafe {
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
