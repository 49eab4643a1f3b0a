// SPDX-License-Identifier: GPL-2.0

//! Pages, and what is in them.

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

/// Memory that others may be reading and writing at the same time: a process, another device.
///
/// # Invariants
///
/// The `len` bytes at `at` can be read and written for as long as `'a`, by C, which does not mind races.
pub struct Bytes<'a> {
    at: *mut u8,
    len: usize,
    _memory: PhantomData<&'a ()>,
}

impl Bytes<'_> {
    fn check(&self, at: usize, len: usize) -> Result<*mut u8> {
        let end = at.checked_add(len).ok_or(EINVAL)?;
        // In bounds, so it does not wrap.
        (end <= self.len)
            .then(|| self.at.wrapping_add(at))
            .ok_or(EINVAL)
    }

    /// Appends the `len` bytes at `at` to `to`; `EINVAL` when they are not all inside, `ENOMEM` when there is no room left.
    /// That room need not be cleared first (benchmark: driver-read).
    pub fn append<A: Allocator>(&self, at: usize, len: usize, to: &mut Vec<u8, A>) -> Result {
        let from = self.check(at, len)?;
        let room = to.spare_capacity_mut().get_mut(..len).ok_or(ENOMEM)?;
        // SAFETY: The bytes were checked to be inside, and there is room for as many.
        unsafe { bindings::memcpy(room.as_mut_ptr().cast(), from.cast(), len) };
        // SAFETY: They are within the capacity, and were written.
        unsafe { to.inc_len(len) };
        Ok(())
    }

    /// Copies `from` to `at`; `EINVAL` when that is not all inside.
    pub fn write(&mut self, at: usize, from: &[u8]) -> Result {
        let to = self.check(at, from.len())?;
        // SAFETY: The bytes were checked to be inside, and a slice is as long as it says.
        unsafe { bindings::memcpy(to.cast(), from.as_ptr().cast(), from.len()) };
        Ok(())
    }

    /// Reads the word at `at`; `EINVAL` when it is not inside, or not aligned.
    pub fn load(&self, at: usize) -> Result<u32> {
        let from = self.check(at, size_of::<u32>())?.cast::<u32>();
        from.is_aligned()
            // SAFETY: It is inside and aligned; the access is volatile, as `READ_ONCE()` is.
            .then(|| unsafe { from.read_volatile() })
            .ok_or(EINVAL)
    }

    /// Writes the word at `at`; `EINVAL` when it is not inside, or not aligned.
    pub fn store(&mut self, at: usize, value: u32) -> Result {
        let to = self.check(at, size_of::<u32>())?.cast::<u32>();
        to.is_aligned()
            // SAFETY: It is inside and aligned; the access is volatile, as `WRITE_ONCE()` is.
            .then(|| unsafe { to.write_volatile(value) })
            .ok_or(EINVAL)
    }

    /// Copies all of `from`, which must not be longer.
    #[inline]
    pub fn copy_from(&mut self, from: &Bytes<'_>) -> Result {
        let to = self.check(0, from.len)?;
        if from.len == PAGE_SIZE && (to.addr() | from.at.addr()) & !PAGE_MASK == 0 {
            // By words and not by bytes, as an architecture copies a page (benchmark: driver-home).
            // SAFETY: Both are a page, and so apart, or the same, which does not change then.
            unsafe { bindings::copy_page(to.cast(), from.at.cast()) };
        } else {
            // SAFETY: Both are that long; they may overlap.
            unsafe { bindings::memmove(to.cast(), from.at.cast(), from.len) };
        }
        Ok(())
    }

    /// Makes all of it zero.
    pub fn clear(&mut self) {
        // SAFETY: By the type's invariants it is that long.
        unsafe { bindings::memset(self.at.cast(), 0, self.len) };
    }
}

/// A block of ordinary memory that several may use at once; what a simulated device has for its own.
///
/// # Examples
///
/// ```
/// use kernel::{hmm::page::Ram, prelude::*};
///
/// let ram = Ram::new(64)?;
/// ram.with(32, 8, |bytes| bytes.store(4, 7))??;
/// assert_eq!(ram.with(36, 4, |bytes| bytes.load(0))??, 7);
/// let mut seen = KVec::with_capacity(8, GFP_KERNEL)?;
/// ram.with(32, 8, |bytes| bytes.append(4, 4, &mut seen))??;
/// assert_eq!(seen, 7u32.to_ne_bytes());
/// // It has no more than was asked for, and words are aligned.
/// assert!(ram.with(63, 2, |_| ()) == Err(EINVAL));
/// assert!(ram.with(0, 8, |bytes| bytes.load(1))? == Err(EINVAL));
/// # Ok::<(), Error>(())
/// ```
pub struct Ram(VVec<u8>);

// SAFETY: What is in it is reached as `Bytes` only, which any number of threads may have.
unsafe impl Sync for Ram {}

impl Ram {
    /// Allocates `size` bytes, with whatever is in them.
    pub fn new(size: usize) -> Result<Self> {
        Ok(Self(VVec::with_capacity(size, GFP_KERNEL | __GFP_NOWARN)?))
    }

    /// Shows `len` bytes at `at`; `EINVAL` when they are not all inside.
    pub fn with<R>(&self, at: usize, len: usize, f: impl FnOnce(&mut Bytes<'_>) -> R) -> Result<R> {
        let all = Bytes {
            // Allocated, and not looked at other than here.
            at: self.0.as_ptr().cast_mut(),
            len: self.0.capacity(),
            _memory: PhantomData,
        };
        // INVARIANT: Part of what is allocated for as long as `self` is.
        Ok(f(&mut Bytes {
            at: all.check(at, len)?,
            len,
            _memory: PhantomData,
        }))
    }
}

/// Neighbouring pages that may be read, and with `&mut` written, for as long as this exists.
///
/// # Invariants
///
/// `first` is the first of `1 << order` pages of one folio, none of which goes away during `'a`.
pub struct Block<'a> {
    first: *mut bindings::page,
    order: u32,
    _pages: PhantomData<&'a Frame>,
}

impl<'a> Block<'a> {
    /// # Safety
    ///
    /// The type's invariants must hold for `'a`; and if it is to be used mutably, that the pages may be written.
    pub(super) unsafe fn from_raw(first: *mut bindings::page, order: u32) -> Self {
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

    /// How many pages there are.
    pub fn pages(&self) -> usize {
        1 << self.order
    }

    /// The first page.
    pub fn frame(&self) -> &'a Frame {
        // SAFETY: By the type's invariants it is there for `'a`.
        unsafe { Frame::from_raw(self.first) }
    }

    /// Shows what is in a page; `None` if the CPU cannot reach it ([`Frame::is_reachable`]), or there are not so many.
    pub fn page<R>(&self, index: usize, f: impl FnOnce(&Bytes<'_>) -> R) -> Option<R> {
        self.mapped(index, |bytes| f(bytes))
    }

    /// The same, to be written.
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
        // INVARIANT: A page is that long, and mapped until below.
        let result = f(&mut Bytes {
            at: at.cast(),
            len: PAGE_SIZE,
            _memory: PhantomData,
        });
        // SAFETY: It was mapped above; closures are left in the reverse order.
        unsafe { bindings::kunmap_local(at) };
        Some(result)
    }
}

impl<'s> Run<'s> {
    /// The pages, one by one; none when nothing is mapped.
    pub fn frames(&self) -> impl Iterator<Item = &'s Frame> + 's {
        let (first, count) = (self.0.pfn, self.span().pages());
        let count = if self.flags().contains(super::PfnFlags::VALID) {
            count
        } else {
            0
        };
        // SAFETY: Inside the section the pages are there; all pfns that it reports have one.
        (first..first + count).map(|pfn| unsafe { Frame::from_raw(bindings::hmm_frame(pfn)) })
    }
}
