// SPDX-License-Identifier: GPL-2.0

//! Blocks that a driver copies at once, and when its device is done.

use super::page::Block;
use crate::{
    bindings,
    prelude::*, //
};
use core::ptr::NonNull;

/// Blocks of pages that are to be copied or cleared, see
/// [`MemoryOperations::copy_batch`](super::devmem::MemoryOperations::copy_batch).
///
/// Dropping it completes it: the pages of the blocks that were copied then migrate, and the others
/// stay. It can be sent to another thread and completed there, after `copy_batch` has returned. The
/// pages stay as they are until then: if it is never dropped, a migration that waits for it can
/// only be killed, an eviction waits for ever, and the pages are never freed.
///
/// # Invariants
///
/// `ptr` points to a `struct hmm_devmem_batch` of which nothing but this value makes use, and which
/// is not complete.
pub struct Batch {
    ptr: NonNull<bindings::hmm_devmem_batch>,
}

// SAFETY: C lets a batch be completed by any thread, and keeps its pages until then.
unsafe impl Send for Batch {}

impl Batch {
    /// Makes a batch of what C has passed to the driver.
    ///
    /// # Safety
    ///
    /// The type's invariants must hold for `ptr`.
    pub(super) unsafe fn from_raw(ptr: *mut bindings::hmm_devmem_batch) -> Self {
        // SAFETY: The caller promises that it points to a batch, so it is not NULL.
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        // INVARIANT: The caller promises it.
        let mut batch = Self { ptr };
        // What the driver does not copy must not count as copied.
        for block in batch.blocks_mut() {
            block.error = EIO.to_errno();
        }
        batch
    }

    fn blocks_mut(&mut self) -> &mut [bindings::hmm_devmem_block] {
        // SAFETY: By the type's invariants it points to a batch.
        let batch = unsafe { self.ptr.as_ref() };
        // SAFETY: C gives a batch an array of `nr` blocks, of which nothing else makes use before
        // the batch is complete.
        unsafe { core::slice::from_raw_parts_mut(batch.blocks, batch.nr as usize) }
    }

    /// Returns the number of pages of all blocks.
    pub fn pages(&self) -> usize {
        // SAFETY: By the type's invariants it points to a batch.
        let batch = unsafe { self.ptr.as_ref() };
        // SAFETY: As in `blocks_mut`.
        let blocks = unsafe { core::slice::from_raw_parts(batch.blocks, batch.nr as usize) };
        blocks.iter().map(|block| 1 << block.order).sum()
    }

    /// Calls `f` for each block with its destination and its source, or `None` if the destination
    /// is to be cleared. Where `f` fails, the block has not been copied, and its pages stay where
    /// they are.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::{
    ///     hmm::batch::Batch,
    ///     prelude::*, //
    /// };
    ///
    /// /// A device that clears pages only.
    /// fn clear_all(mut batch: Batch) {
    ///     batch.copy_each(|mut dst, src| match src {
    ///         Some(_) => Err(EINVAL),
    ///         None => dst.page_mut(0, |page| page.clear()).ok_or(EIO),
    ///     });
    /// }
    /// ```
    pub fn copy_each(&mut self, mut f: impl FnMut(Block<'_>, Option<&Block<'_>>) -> Result) {
        for block in self.blocks_mut() {
            // SAFETY: C keeps the pages of a block until the batch is complete, which is not before
            // `f` has returned, and nothing else makes use of those of the destination.
            let dst = unsafe { Block::from_raw(block.dst, block.order) };
            // SAFETY: As above. `f` gets a shared reference, and so does not write to it.
            let src =
                (!block.src.is_null()).then(|| unsafe { Block::from_raw(block.src, block.order) });
            block.error = match f(dst, src.as_ref()) {
                Ok(()) => 0,
                Err(error) => error.to_errno(),
            };
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: By the type's invariants it is not complete, and nothing makes use of it from
        // here on.
        unsafe { bindings::hmm_devmem_batch_complete(self.ptr.as_ptr(), 0) };
    }
}
