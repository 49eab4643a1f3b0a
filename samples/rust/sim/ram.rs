// SPDX-License-Identifier: GPL-2.0

//! The memory on the device's board.

use core::ffi::c_void;
use kernel::{
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

/// Adds the memory at `base` to coherent device memory.
///
/// Firmware reports where a real device's memory is. Here the parameters of the module do.
pub(crate) fn add_coherent<T: MemoryOperations>(
    memory: &DeviceMemory<T>,
    base: PhysAddr,
    size: usize,
    data: *const c_void,
) -> Result {
    // SAFETY: The module's parameters are documented to name memory that nothing else uses. Only
    // root can set them, and root can name any address to the kernel by other means, such as
    // `memmap=`.
    unsafe { memory.add_at(base, size, data) }
}
