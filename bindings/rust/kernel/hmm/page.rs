// SPDX-License-Identifier: GPL-2.0

//! Pages and their content.

use super::mirror::{
    Frame,
    Run, //
};
use crate::{
    alloc::Allocator,
    bindings,
    page::{
        PAGE_MASK,
        PAGE_SIZE, //
    },
    prelude::*, //
};
use core::{
    ffi::c_void,
    marker::PhantomData, //
};

/// Memory that others may read and write at the same time: a process, or another device.
///
/// No reference to the bytes is ever made. Each access is a call to a C function or a volatile
/// access, so a value that changes during the access is unspecified, but the access is not
/// undefined behaviour.
///
/// # Invariants
///
/// For `'a`, the `len` bytes at `at` are initialised and can be read and written by the CPU.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::page::Bytes,
///     prelude::*, //
/// };
///
/// let mut memory = [0u32; 2];
/// // SAFETY: The array is not used in another way while there are `bytes`.
/// let mut bytes = unsafe { Bytes::from_raw(memory.as_mut_ptr().cast(), 8) };
/// bytes.write(4, &[1, 2])?;
/// bytes.store(0, u32::MAX)?;
/// let mut read = [0; 3];
/// bytes.read(3, &mut read)?;
/// assert_eq!(read, [0xff, 1, 2]);
/// // Not beyond the end.
/// assert!(bytes.read(6, &mut read) == Err(EINVAL));
/// # Ok::<(), Error>(())
/// ```
pub struct Bytes<'a> {
    at: *mut u8,
    len: usize,
    _memory: PhantomData<&'a ()>,
}

impl<'a> Bytes<'a> {
    /// Makes the bytes accessible.
    ///
    /// # Safety
    ///
    /// For `'a`, the `len` bytes at `at` must be initialised, the CPU must be able to read and
    /// write them, and no Rust reference to them may exist.
    #[inline]
    pub unsafe fn from_raw(at: *mut u8, len: usize) -> Self {
        // INVARIANT: The caller promises it.
        Self {
            at,
            len,
            _memory: PhantomData,
        }
    }

    fn check(&self, at: usize, len: usize) -> Result<*mut u8> {
        let end = at.checked_add(len).ok_or(EINVAL)?;
        // In bounds, so it does not wrap.
        (end <= self.len)
            .then(|| self.at.wrapping_add(at))
            .ok_or(EINVAL)
    }

    /// Copies the bytes from offset `at` on to `to`.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if they are not all inside.
    pub fn read(&self, at: usize, to: &mut [u8]) -> Result {
        let from = self.check(at, to.len())?;
        // SAFETY: `from` has as many bytes as `to`, by the check and the type's invariants.
        unsafe { bindings::hmm_memcpy(to.as_mut_ptr().cast(), from.cast(), to.len()) };
        Ok(())
    }

    /// Appends `len` bytes from offset `at` on to `to`, whose spare capacity need not be cleared
    /// first (benchmark: driver-read).
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if they are not all inside, and with `ENOMEM` if `to` has less spare
    /// capacity.
    pub fn append<A: Allocator>(&self, at: usize, len: usize, to: &mut Vec<u8, A>) -> Result {
        let from = self.check(at, len)?;
        let room = to.spare_capacity_mut().get_mut(..len).ok_or(ENOMEM)?;
        // SAFETY: `from` has `len` bytes, by the check and the type's invariants, and `room` has as
        // many.
        unsafe { bindings::hmm_memcpy(room.as_mut_ptr().cast(), from.cast(), len) };
        // SAFETY: They are within the capacity, and were written.
        unsafe { to.inc_len(len) };
        Ok(())
    }

    /// Copies `from` to offset `at`.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if there is no room for all of it.
    pub fn write(&mut self, at: usize, from: &[u8]) -> Result {
        let to = self.check(at, from.len())?;
        // SAFETY: `to` has as many bytes as `from`, by the check and the type's invariants.
        unsafe { bindings::hmm_memcpy(to.cast(), from.as_ptr().cast(), from.len()) };
        Ok(())
    }

    /// Reads the 32-bit integer at offset `at`.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if it is not inside, or not aligned.
    pub fn load(&self, at: usize) -> Result<u32> {
        let from = self.check(at, size_of::<u32>())?.cast::<u32>();
        from.is_aligned()
            // SAFETY: It is inside and aligned; the access is volatile, as `READ_ONCE()` is.
            .then(|| unsafe { from.read_volatile() })
            .ok_or(EINVAL)
    }

    /// Writes the 32-bit integer at offset `at`.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if it is not inside, or not aligned.
    pub fn store(&mut self, at: usize, value: u32) -> Result {
        let to = self.check(at, size_of::<u32>())?.cast::<u32>();
        to.is_aligned()
            // SAFETY: It is inside and aligned; the access is volatile, as `WRITE_ONCE()` is.
            .then(|| unsafe { to.write_volatile(value) })
            .ok_or(EINVAL)
    }

    /// Copies all of `from` to the beginning. The two may overlap.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if `from` is longer.
    #[inline]
    pub fn copy_from(&mut self, from: &Bytes<'_>) -> Result {
        let to = self.check(0, from.len)?;
        if from.len == PAGE_SIZE && (to.addr() | from.at.addr()) & !PAGE_MASK == 0 {
            // Architectures have a faster copy for whole pages than memmove() (benchmark:
            // driver-to-ram). SAFETY: Both are a page. Two aligned pages are apart, or the same
            // one, which does not change then.
            unsafe { bindings::copy_page(to.cast(), from.at.cast()) };
        } else {
            // SAFETY: Both have `from.len` bytes, by the check and the type's invariants.
            unsafe { bindings::hmm_memmove(to.cast(), from.at.cast(), from.len) };
        }
        Ok(())
    }

    /// Sets all bytes to zero.
    pub fn clear(&mut self) {
        // SAFETY: By the type's invariants there are `len` bytes.
        unsafe { bindings::hmm_memset(self.at.cast(), 0, self.len) };
    }
}

/// Neighbouring pages whose content may be read, and through `&mut` written, for as long as this
/// exists.
///
/// # Invariants
///
/// `first` is the first of `1 << order` pages of one folio, none of which is freed during `'a`.
/// Where there is a `&mut` reference to a block, its pages may be written.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::page::Block,
///     prelude::*, //
/// };
///
/// /// Stores a number at the start of each page.
/// fn number(block: &mut Block<'_>) -> Result {
///     for index in 0..block.pages() {
///         let page = |page: &mut kernel::hmm::page::Bytes<'_>| page.store(0, index as u32);
///         block.page_mut(index, page).ok_or(EIO)??;
///     }
///     Ok(())
/// }
/// # let _ = number;
/// ```
pub struct Block<'a> {
    first: *mut bindings::page,
    order: u32,
    _pages: PhantomData<&'a Frame>,
}

impl<'a> Block<'a> {
    /// Makes a block of the pages from `first` on.
    ///
    /// # Safety
    ///
    /// The type's invariants must hold for `'a`. If the block is used mutably, it must be allowed
    /// to write the pages.
    #[inline]
    pub unsafe fn from_raw(first: *mut bindings::page, order: u32) -> Self {
        Self {
            first,
            order,
            _pages: PhantomData,
        }
    }

    #[cfg(CONFIG_HMM_DEVMEM)]
    pub(super) fn as_raw(&self) -> *mut bindings::page {
        self.first
    }

    /// Returns the number of pages.
    pub fn pages(&self) -> usize {
        1 << self.order
    }

    /// Returns the first page.
    pub fn frame(&self) -> &'a Frame {
        // SAFETY: By the type's invariants it is there for `'a`.
        unsafe { Frame::from_raw(self.first) }
    }

    /// Calls `f` with the content of the page `index`. Returns `None` if the block has no such
    /// page, or if the CPU cannot access it ([`Frame::is_reachable`]).
    pub fn page<R>(&self, index: usize, f: impl FnOnce(&Bytes<'_>) -> R) -> Option<R> {
        self.mapped(index, |bytes| f(bytes))
    }

    /// As [`Self::page`], for writing.
    pub fn page_mut<R>(&mut self, index: usize, f: impl FnOnce(&mut Bytes<'_>) -> R) -> Option<R> {
        self.mapped(index, f)
    }

    fn mapped<R>(&self, index: usize, f: impl FnOnce(&mut Bytes<'_>) -> R) -> Option<R> {
        if index >= self.pages() {
            return None;
        }
        // SAFETY: The pages of a folio are neighbours, and there are more than `index`.
        let page = unsafe { self.first.add(index) };
        // SAFETY: By the type's invariants it does not go away during `'a`.
        let frame = unsafe { Frame::from_raw(page) };
        if !frame.is_reachable() {
            return None;
        }
        // SAFETY: The CPU can reach the page.
        let at: *mut c_void = unsafe { bindings::kmap_local_page(page) };
        // SAFETY: The page is mapped until below, its content is initialised as it is accessed by C
        // and devices only, and no reference to it exists.
        let result = f(&mut unsafe { Bytes::from_raw(at.cast(), PAGE_SIZE) });
        // SAFETY: It was mapped above; closures are left in the reverse order.
        unsafe { bindings::kunmap_local(at) };
        Some(result)
    }
}

impl<'s> Run<'s> {
    /// Iterates over the pages. There are none if nothing is mapped.
    pub fn frames(&self) -> impl Iterator<Item = &'s Frame> + 's {
        let (first, count) = (self.0.pfn, self.span().pages());
        let count = if self.flags().contains(super::PfnFlags::VALID) {
            count
        } else {
            0
        };
        // SAFETY: Inside the section the pages are there; all pfns that it reports have one.
        (first..first + count)
            .map(|pfn| unsafe { Frame::from_raw(bindings::hmm_section_pfn_to_page(pfn)) })
    }
}
