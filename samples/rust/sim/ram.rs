// SPDX-License-Identifier: GPL-2.0

//! The memory on the device's board.

use core::ffi::c_void;
use kernel::{
    bindings,
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations, //
        },
        page::Bytes, //
    },
    io::PhysAddr,
    prelude::*, //
};

/// Memory of the kernel's in place of memory that the CPU cannot reach. Several users may access it
/// at once.
pub(crate) struct Ram(VVec<u8>);

// SAFETY: The bytes are accessed as `Bytes` only, which any number of threads may do at the same
// time.
unsafe impl Sync for Ram {}

impl Ram {
    /// Allocates `size` bytes of zeros.
    pub(crate) fn new(size: usize) -> Result<Self> {
        let flags = GFP_KERNEL | __GFP_NOWARN | __GFP_ZERO;

        Ok(Self(VVec::with_capacity(size, flags)?))
    }

    /// Shows `len` bytes at offset `at`. Fails with `EINVAL` if they are not all inside.
    pub(crate) fn with<R>(
        &self,
        at: usize,
        len: usize,
        f: impl FnOnce(&mut Bytes<'_>) -> R,
    ) -> Result<R> {
        let end = at.checked_add(len).ok_or(EINVAL)?;

        if end > self.0.capacity() {
            return Err(EINVAL);
        }
        // SAFETY: `at` is within the allocation, as was just checked.
        let first = unsafe { self.0.as_ptr().add(at) };
        // SAFETY: `len` bytes from there are in the allocation, which lives as long as `self`, and
        // were set to zero when it was made. No reference to them exists: the vector has no
        // elements.
        let mut bytes = unsafe { Bytes::from_raw(first.cast_mut(), len) };

        Ok(f(&mut bytes))
    }
}

/// Physical addresses that the kernel lets nothing else have.
///
/// # Invariants
///
/// The `size` bytes from `start` on were requested of the kernel, and are released when this is
/// dropped.
pub(crate) struct Reserved {
    start: PhysAddr,
    size: usize,
}

impl Reserved {
    /// Requests `size` bytes from `start` on. Firmware reports where a real device's memory is.
    ///
    /// # Errors
    ///
    /// Fails with `EBUSY` if something else has a part of them, as system memory, a driver, or
    /// the CPU's interrupt controller.
    pub(crate) fn new(name: &'static CStr, start: PhysAddr, size: usize) -> Result<Self> {
        let all = &raw mut bindings::iomem_resource;
        let len = size as bindings::resource_size_t;
        // SAFETY: All physical addresses are in this resource, and the name is never freed.
        let region = unsafe { bindings::__request_region(all, start, len, name.as_char_ptr(), 0) };

        if region.is_null() {
            return Err(EBUSY);
        }
        // INVARIANT: They were just requested.
        Ok(Self { start, size })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let all = &raw mut bindings::iomem_resource;
        let len = self.size as bindings::resource_size_t;
        // SAFETY: By the type's invariants they were requested, of this resource.
        unsafe { bindings::__release_region(all, self.start, len) };
    }
}

/// A driver's data that has the addresses of its coherent memory.
pub(crate) trait HasReserved {
    /// These addresses.
    fn reserved(&self) -> Option<&Reserved>;
}

/// Adds the first `size` bytes of what the driver has reserved to its coherent memory.
///
/// # Errors
///
/// Fails with `ENODEV` if it has reserved nothing, with `EINVAL` if that is smaller, and as
/// [`DeviceMemory::add_at`].
pub(crate) fn add_coherent<T: MemoryOperations + HasReserved>(
    memory: &DeviceMemory<T>,
    size: usize,
    data: *const c_void,
) -> Result {
    let reserved = memory.data().reserved().ok_or(ENODEV)?;

    if size > reserved.size {
        return Err(EINVAL);
    }
    // SAFETY: Nothing else has these addresses as long as there is `reserved`. The data that it was
    // borrowed from is only ever shared until it is dropped, which is after the memory was removed.
    unsafe { memory.add_at(reserved.start, size, data) }
}
