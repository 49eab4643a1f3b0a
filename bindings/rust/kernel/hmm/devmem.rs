// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/hmm_devmem.h`.
//!
//! A `struct hmm_devmem` is the memory of one device, private or coherent, in *chunks* that the
//! driver adds. The driver copies and clears pages (`hmm_devmem_ops.copy`, `hmm_devmem_ops.clear`).
//! Everything else is done here: folios of any order are allocated and freed; pages of a process
//! are migrated to device memory and to system memory, the latter also in a CPU fault on private
//! memory; and all pages are evicted before the memory is removed.
//!
//! Migration of a page either succeeds or leaves the page where it was. The latter happens if no
//! memory is free, if the copy fails, or if the page is in use.
//!
//! # Turns
//!
//! Devices whose drivers request the same pages take turns. A page that is in the memory of another
//! device migrates to the device that requests it, but not before `HMM_DEVMEM_SLICE_MS` after its
//! migration ended: by one copy if the driver has `hmm_devmem_ops.can_copy_from`, otherwise by way
//! of system memory. Each device has that time to map the page and to use it. The device that
//! requests it waits; the wait is killable, and its number of rounds is limited. In
//! `hmm_devmem_collect()` the first request for pages of a batch neither waits nor gets them, but
//! is recorded for the next.
//!
//! This is for pages of any `struct hmm_devmem` of any owner. Pages in the memory of other drivers
//! stay there. A CPU that accesses a page never waits for the device's time to end.
//!
//! # From device to device
//!
//! A driver whose device can read the memory of another one, of the same driver or not, implements
//! `hmm_devmem_ops.can_copy_from`. `copy` and `copy_batch` then get sources in that memory.
//! `hmm_devmem_of()` is the memory of a source, and `hmm_devmem_data()` with `hmm_devmem_offset()`
//! its position there, in the terms of the other driver; `hmm_devmem_peer_place()` is the same for
//! memory of the same driver. Only coherent memory has a CPU address or may be mapped for DMA by
//! its `struct page`.
//!
//! All mirrors, also those of the other device, are invalidated before the copy, even if both
//! memories have the same owner, and the other driver's callbacks are not called. So when an
//! invalidation callback has returned, everything that the device has written must be visible to
//! those that can copy from its memory. The source is locked, and cannot be freed or evicted, until
//! the migration ends or, if the waiting task was killed, until the batch is complete. If the copy
//! fails the page stays where it was.
//!
//! # Oversubscription
//!
//! When the memory is full and cannot grow, folios that the device does not use migrate to system
//! memory to make room. The driver reports use by `hmm_devmem_mark_accessed()`. A clock
//! approximates the least recent use: its hand goes round the memory; a folio that was accessed
//! since the hand was there last stays for another round, and one that has just arrived stays for
//! `HMM_DEVMEM_SLICE_MS`. A large folio of which a part was unmapped does not stay for having been
//! accessed, so that the unmapped part becomes free.
//!
//! A request for which too little is free moves the hand itself, before its pages are locked. For a
//! second from then on a work item keeps some pages free, so that the next device faults need not.
//! A request never takes pages that arrived after it began; if no other can migrate, its own pages
//! stay in system memory.
//!
//! # Copies in batches
//!
//! A driver whose device has a copy engine implements `hmm_devmem_ops.copy_batch`. It gets many
//! blocks at once, queues them, and returns; when the engine is done, in any context, it calls
//! `hmm_devmem_batch_complete()`. A request has several batches in flight: the pages of the next
//! are allocated while the engine copies. All of them have completed before any page is committed.
//! A block with an error, or of a batch with one, does not migrate and remains mapped, except that
//! a large folio on its way to system memory is copied page by page, by `copy`.
//!
//! The task that waits holds folio locks, and the mmap lock or that of a VMA, or
//! `hmm_devmem.chunks_lock`. So code that a batch needs to complete must not wait for any of these,
//! nor for memory reclaim: the rule of `struct dma_fence`. A driver marks it with
//! `hmm_devmem_completing_begin()` and `hmm_devmem_completing_end()`, and lockdep reports what
//! breaks the rule. A driver with fences completes a batch in a callback of its last fence.
//!
//! Batches complete in bounded time: a driver has timeouts for its engine, and completes a batch
//! with an error when the engine is reset. If one does not complete, a task that migrates, that
//! makes room for its request, or that handles a CPU fault can be killed: its pages remain where
//! they were, and the batch keeps references to source and destination until it completes.
//! `hmm_devmem_evict()`, `hmm_devmem_remove()` and `hmm_devmem_exit()` wait for it, and so does
//! room made in the background.
//!
//! # Locking
//!
//! No function here may be called under a mirror's update lock. Lock order, from the outside in:
//! `hmm_devmem.grow_lock`, `hmm_devmem.chunks_lock`, the mmap lock, folio locks, `hmm_devmem.lock`.
//! Room is made under `hmm_devmem.chunks_lock` alone, and no mmap lock. `copy`, `clear` and
//! `copy_batch` are called with folios locked, and except in an eviction under the mmap lock. They
//! must not fault on user memory.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/hmm_devmem.h`](srctree/include/linux/hmm_devmem.h)

use crate::{
    bindings,
    error::{
        from_err_ptr,
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
    hmm::mirror::Span,
    prelude::*,
    types::Opaque, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use pin_init::Wrapper;

/// A value of `enum memory_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryType(pub(crate) bindings::memory_type);

impl MemoryType {
    /// `MEMORY_DEVICE_PRIVATE`.
    pub const PRIVATE: Self = Self(bindings::memory_type_MEMORY_DEVICE_PRIVATE);

    /// `MEMORY_DEVICE_COHERENT`.
    pub const COHERENT: Self = Self(bindings::memory_type_MEMORY_DEVICE_COHERENT);

    /// `MEMORY_DEVICE_FS_DAX`.
    pub const FS_DAX: Self = Self(bindings::memory_type_MEMORY_DEVICE_FS_DAX);

    /// `MEMORY_DEVICE_GENERIC`.
    pub const GENERIC: Self = Self(bindings::memory_type_MEMORY_DEVICE_GENERIC);

    /// `MEMORY_DEVICE_PCI_P2PDMA`.
    pub const PCI_P2PDMA: Self = Self(bindings::memory_type_MEMORY_DEVICE_PCI_P2PDMA);
}

/// The memory of another device.
#[repr(transparent)]
pub struct Peer(pub(crate) bindings::hmm_devmem_peer);

impl Peer {
    /// It has the same `hmm_devmem.ops`.
    #[inline]
    pub fn same_driver(&self) -> bool {
        self.0.same_driver
    }
}

/// The position of a page in a device's memory.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Place(pub(crate) bindings::hmm_place);

impl Place {
    /// Makes a `struct hmm_place`.
    #[inline]
    pub const fn new(here: bool, chunk: usize, offset: usize) -> Self {
        Self(bindings::hmm_place {
            here,
            chunk,
            offset,
        })
    }

    /// Whether the page is of this memory; of `hmm_devmem_peer_place()`, of that of another
    /// device of the driver.
    #[inline]
    pub fn here(&self) -> bool {
        self.0.here
    }

    /// The number that was given to `hmm_devmem_add()` as data.
    #[inline]
    pub fn chunk(&self) -> usize {
        self.0.chunk
    }

    /// Offset from the start of the chunk, in bytes.
    #[inline]
    pub fn offset(&self) -> usize {
        self.0.offset
    }
}

/// Operations of the driver.
///
/// `copy`, `clear` and `copy_batch` run under the locks of the folios, and must not migrate
/// pages, which can wait for these very folios. Under the mmap lock, as in a page fault,
/// lockdep reports that. While they are called by `hmm_devmem_evict()`, by
/// `hmm_devmem_remove()` or to make room, `hmm_devmem_add()`, `hmm_devmem_remove()` and the
/// functions that migrate to or from the same memory return -`EDEADLK`, and the others do not
/// wait.
///
/// The implementing type is the data that the [`DeviceMemory`] holds.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         devmem::{
///             DeviceMemory,
///             MemoryOperations, //
///         },
///         page::Block, //
///     },
///     page::PAGE_SIZE,
///     prelude::*,
///     sync::Mutex, //
/// };
///
/// /// A device with one chunk of memory, which is a buffer of the kernel's here.
/// #[pin_data]
/// struct Chunk {
///     #[pin]
///     ram: Mutex<VVec<u8>>,
/// }
///
/// #[vtable]
/// impl MemoryOperations for Chunk {
///     fn copy(memory: &DeviceMemory<Self>, mut dst: Block<'_>, src: &Block<'_>) -> Result {
///         let (to, from) = (memory.place(&dst), memory.place(src));
///         let mut ram = memory.data().ram.lock();
///         let offset = if to.here() { to.offset() } else { from.offset() };
///         let size = dst.pages() * PAGE_SIZE;
///         let ram = ram.get_mut(offset..offset + size).ok_or(EIO)?;
///
///         for (index, ram) in ram.chunks_exact_mut(PAGE_SIZE).enumerate() {
///             if to.here() {
///                 src.page(index, |page| page.read(0, ram)).ok_or(EIO)??;
///             } else {
///                 dst.page_mut(index, |page| page.write(0, ram)).ok_or(EIO)??;
///             }
///         }
///         Ok(())
///     }
///
///     fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
///         let offset = memory.place(&page).offset();
///         let mut ram = memory.data().ram.lock();
///         let ram = ram.get_mut(offset..offset + page.pages() * PAGE_SIZE);
///
///         ram.ok_or(EIO)?.fill(0);
///         Ok(())
///     }
/// }
/// ```
#[vtable]
pub trait MemoryOperations: Sized + Send + Sync + 'static {
    /// Copy ``PAGE_SIZE << order`` bytes from `src` to `dst`, one of which is of this device
    /// memory. The other is of system memory, or `src` is of the memory of another device, if
    /// `can_copy_from` allows it. The copy is complete, and visible to the CPU and the device,
    /// on return. The pages are locked and mapped nowhere. Returns 0 or a negative errno; on an
    /// error the page does not migrate. May sleep.
    fn copy(
        devmem: &DeviceMemory<Self>,
        dst: super::page::Block<'_>,
        src: &super::page::Block<'_>,
    ) -> Result;
    /// Zero ``PAGE_SIZE << order`` bytes of device memory; otherwise as `copy`.
    fn clear(devmem: &DeviceMemory<Self>, page: super::page::Block<'_>) -> Result;

    /// Copy or clear all blocks of `batch`, and call `hmm_devmem_batch_complete()` once, before
    /// or after the return. In place of `copy` and `clear`, which remain for single blocks: the
    /// pages of a large block that failed, and what is copied if no batch can be allocated. The
    /// pages are as for `copy` until the batch is complete, but if the waiting task was killed
    /// the source may be mapped again. May sleep. Optional.
    fn copy_batch(_devmem: &DeviceMemory<Self>, _batch: super::batch::Batch) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Whether `copy` and `copy_batch` can copy from the memory of another device. Called for
    /// each page; a page table lock is held: must not sleep, nor take a lock under which memory
    /// is allocated. Without it they cannot. Optional.
    fn can_copy_from(_devmem: &DeviceMemory<Self>, _peer: &Peer) -> bool {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when less than one batch is free; the driver may add a chunk with
    /// `hmm_devmem_add()`. The return value is ignored. Calls are serialised, and no mmap lock
    /// is held; may sleep. If it migrates pages, it is not called again for these. Optional.
    fn grow(_devmem: &DeviceMemory<Self>) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A chunk was removed; the driver gets the data back that it gave to `hmm_devmem_add()`.
    /// It may add others. No lock is held; may sleep. Optional.
    fn release(_devmem: &DeviceMemory<Self>, _data: *const c_void) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The memory of a device.
///
/// # Invariants
///
/// `storage` points to a `struct hmm_devmem` that its constructor has initialised, and to the
/// data that goes with it. It is valid until the object has ended, which happens after it is
/// dropped.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         devmem::{
///             DeviceMemory,
///             MemoryOperations,
///             MemoryType,
///         },
///         page::Block,
///         Span, //
///     },
///     mm::MmWithUser,
///     prelude::*, //
/// };
///
/// /// A device that cannot be reached.
/// struct Device;
///
/// #[vtable]
/// impl MemoryOperations for Device {
///     fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: &Block<'_>) -> Result {
///         Err(EIO)
///     }
///
///     fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
///         Err(EIO)
///     }
/// }
///
/// /// Whether all pages moved: pages that are busy stay.
/// fn take(memory: &DeviceMemory<Device>, mm: &MmWithUser, span: Span) -> Result<bool> {
///     Ok(memory.migrate(mm, span)? == span.pages())
/// }
///
/// let memory = DeviceMemory::new(MemoryType::PRIVATE, 16, c"example", Device);
/// let memory = KBox::pin_init(memory, GFP_KERNEL)?;
/// // A chunk has to be as large as a huge page.
/// assert!(memory.add(1, core::ptr::null()) == Err(EINVAL));
/// assert_eq!(memory.available(), 0);
/// # // SAFETY: A test runs in a thread of its own, which has no memory yet.
/// # unsafe { kernel::bindings::kunit_attach_mm() };
/// let current = current!();
/// let mm = current.mm().ok_or(EINVAL)?;
/// assert!(take(&memory, mm, Span::new(0, 0)).is_err());
/// # Ok::<(), Error>(())
/// ```
pub struct DeviceMemory<T: MemoryOperations> {
    storage: NonNull<DeviceMemoryStorage<T>>,
}

/// The storage of a [`DeviceMemory`].
#[pin_data]
struct DeviceMemoryStorage<T: MemoryOperations> {
    #[pin]
    inner: Opaque<bindings::hmm_devmem>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: MemoryOperations + Send> Send for DeviceMemory<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: MemoryOperations + Send + Sync> Sync for DeviceMemory<T> {}

impl<T: MemoryOperations> DeviceMemory<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::hmm_devmem_ops = bindings::hmm_devmem_ops {
        copy: Some(Self::copy_callback),
        clear: Some(Self::clear_callback),
        copy_batch: if T::HAS_COPY_BATCH {
            Some(Self::copy_batch_callback)
        } else {
            None
        },
        can_copy_from: if T::HAS_CAN_COPY_FROM {
            Some(Self::can_copy_from_callback)
        } else {
            None
        },
        grow: if T::HAS_GROW {
            Some(Self::grow_callback)
        } else {
            None
        },
        release: if T::HAS_RELEASE {
            Some(Self::release_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Initialise device memory, without a chunk.
    ///
    /// Context: Process context.
    ///
    /// `kind`: `MEMORY_DEVICE_PRIVATE`, which the CPU cannot access, at unused physical
    /// addresses; or `MEMORY_DEVICE_COHERENT`, at addresses that the driver gives. Set by the
    /// driver.
    ///
    /// `fault_pages`: How many pages migrate to system memory in a CPU fault: the aligned group
    /// of so many around the faulting page. A power of two, at most the number of pages of a
    /// huge page, which 0 stands for. Set by the driver.
    ///
    /// `name`: The name in /proc/iomem. Set by the driver; `NULL` for that of `dev`.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if a member is missing or invalid; `ENOMEM`.
    pub fn new<E>(
        kind: MemoryType,
        fault_pages: usize,
        name: &'static CStr,
        data: impl PinInit<T, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::hmm_devmem| {
            // SAFETY: `slot` is storage for a `struct hmm_devmem`, in which the `given` fields
            // are set and the others are zero.
            unsafe {
                slot.write_bytes(0, 1);
                (&raw mut (*slot).type_).write(kind.0);
                (&raw mut (*slot).fault_pages).write(fault_pages);
                (&raw mut (*slot).name).write(name.as_char_ptr());
                (&raw mut (*slot).ops).write(&Self::OPERATIONS);
            }
            // SAFETY: `slot` is a `struct hmm_devmem` that does not move, with the fields set
            // that are `given`.
            to_result(unsafe { bindings::hmm_devmem_init(slot) })
        });
        let storage = try_pin_init!(DeviceMemoryStorage {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        });
        try_init!(Self {
            storage: Self::allocate(storage)?,
        }? Error)
    }

    /// The data.
    #[inline]
    pub fn data(&self) -> &T {
        // SAFETY: The data is only ever shared.
        unsafe { &*self.storage().data.get() }
    }

    /// Returns a raw pointer to the `struct hmm_devmem`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm_devmem {
        self.storage().inner.get()
    }

    /// Name the device that has the memory.
    ///
    /// For a driver that does not set `hmm_devmem.dev` before `hmm_devmem_init()`.
    ///
    /// Context: Process context; may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EBUSY` if `devmem` has a device or memory; `EDEADLK` in a callback that
    /// `hmm_devmem_evict()`, `hmm_devmem_remove()` or making room waits for.
    #[inline]
    pub fn set_device(&self, dev: &crate::device::Device) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `dev` is a
        // reference and so valid for the call.
        to_result(unsafe { bindings::hmm_devmem_set_device(self.as_raw(), dev.as_raw()) })
    }

    /// Add a chunk of device memory.
    ///
    /// Context: Process context; may sleep. No mmap lock is held.
    ///
    /// # Safety
    ///
    /// The caller must promise that nothing else uses these bytes until `release`, unless
    /// `start` is 0.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` for an invalid size or address; `EBUSY` if there is other memory at
    /// `start`; `EDEADLK` in a callback that `hmm_devmem_evict()`, `hmm_devmem_remove()` or
    /// making room waits for; `ENODEV` if the device memory is ending; `ENOMEM`; or an error of
    /// `memremap_pages()`. On an error `data` stays the caller's.
    #[inline]
    pub unsafe fn add_at(
        &self,
        start: crate::io::PhysAddr,
        size: usize,
        data: *const c_void,
    ) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; the caller
        // promises that nothing else uses these bytes until `release`, unless `start` is 0.
        to_result(unsafe { bindings::hmm_devmem_add(self.as_raw(), start, size, data.cast_mut()) })
    }

    /// Add a chunk of private device memory.
    ///
    /// The addresses are unused ones that the kernel chooses.
    ///
    /// Context: Process context; may sleep. No mmap lock is held.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` for coherent memory.
    #[inline]
    pub fn add(&self, size: usize, data: *const c_void) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        to_result(unsafe { bindings::hmm_devmem_add_private(self.as_raw(), size, data.cast_mut()) })
    }

    /// Remove all chunks.
    ///
    /// All pages migrate to system memory first, which the processes do not notice. Chunks can
    /// be added again.
    ///
    /// Context: Process context; may sleep. No mmap lock is held.
    ///
    /// # Errors
    ///
    /// Fails with `EBUSY` if a page could not migrate: its chunk, and those added after it,
    /// remain, and can be allocated from again; `EDEADLK` in a callback that this function,
    /// `hmm_devmem_evict()` or making room waits for.
    #[inline]
    pub fn remove(&self, timeout: crate::time::Jiffies) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        to_result(unsafe { bindings::hmm_devmem_remove(self.as_raw(), timeout) })
    }

    /// How much memory is free.
    ///
    /// Returns the free pages of all chunks, in bytes; 0 after `hmm_devmem_evict()`.
    ///
    /// Context: any.
    #[inline]
    pub fn available(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        unsafe { bindings::hmm_devmem_available(self.as_raw()) }
    }

    /// How much memory there is.
    ///
    /// Returns the size of all chunks, in bytes.
    ///
    /// Context: any.
    #[inline]
    pub fn size(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        unsafe { bindings::hmm_devmem_size(self.as_raw()) }
    }

    /// Report a bad page, which is not used any more.
    ///
    /// A free page is not allocated again. A page that is in use migrates to system memory with
    /// its folio, if it can be copied: `hmm_devmem_ops.copy` must fail for contents that are
    /// lost. A page that cannot be copied is poisoned: processes that map it get a SIGBUS
    /// (BUS_MCEERR_AR) when they access it, and devices an error. It is not allocated again
    /// when its last user has released it. The rest of its folio migrates.
    ///
    /// Context: Process context; may sleep. Neither the mmap lock nor a folio lock is held, and
    /// it is no callback of `devmem`.
    ///
    /// # Errors
    ///
    /// Fails with `ENOENT` if there is no such page; `EBUSY` if it is not allocated again, but
    /// is in use still, and could not be unmapped, as its folio is busy: the call can be
    /// repeated; `EDEADLK` in a callback that `hmm_devmem_evict()`, `hmm_devmem_remove()` or
    /// making room waits for; `ENOMEM`.
    #[inline]
    pub fn retire(&self, data: *const c_void, offset: usize) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        to_result(unsafe { bindings::hmm_devmem_retire(self.as_raw(), data.cast_mut(), offset) })
    }

    /// How much memory is not used any more.
    ///
    /// Returns the pages that were reported as bad, in bytes, without those that are still in
    /// use.
    ///
    /// Context: any.
    #[inline]
    pub fn retired(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        unsafe { bindings::hmm_devmem_retired(self.as_raw()) }
    }

    /// Report that the device has accessed a page.
    ///
    /// When the memory is full, pages whose folios were not reported migrate to system memory
    /// first. A driver reports the pages that its device's access counters or accessed bits
    /// name, or each page that it maps for its device. Without reports the pages that arrived
    /// first migrate first.
    ///
    /// Context: any; the caller holds a reference to `page`, or a lock that keeps it from being
    /// freed.
    #[inline]
    pub fn mark_accessed(&self, page: &super::page::Block<'_>) {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `page` is a
        // reference and so valid for the call.
        unsafe { bindings::hmm_devmem_mark_accessed(self.as_raw(), page.as_raw()) }
    }

    /// Migrate pages of a process to device memory.
    ///
    /// Holes in `span` get cleared device memory, huge pages if a page fault would have
    /// allocated one. Pages that are swapped out are faulted in first. Pages in another
    /// device's memory migrate when it is the turn of `devmem`, for which the caller waits.
    /// Pages that are busy, or for which no device memory is free, stay where they are; that is
    /// no error. Large folios stay large if as many free pages in a row can be found.
    ///
    /// Secondary MMUs are notified as by `migrate_vma_setup()`, with `hmm_devmem.owner`.
    ///
    /// Returns the number of pages that have migrated; -`EINVAL` if `span` is misaligned or
    /// empty, if a part of it is in no VMA, or in one that is not readable or whose pages
    /// cannot migrate; -`ESRCH` if the process has exited; -`EDEADLK` in a callback that
    /// `hmm_devmem_evict()`, `hmm_devmem_remove()` or making room waits for; -`EINTR` if the
    /// caller was killed; -`ENOMEM`. As with `read()`, an error after some pages have migrated
    /// is not returned, but their number; the next call returns the error.
    ///
    /// Context: Process context; may sleep. Takes the mmap lock.
    ///
    /// # Errors
    ///
    /// Fails with the error that the C function returns.
    #[inline]
    pub fn migrate(&self, mm: &crate::mm::MmWithUser, span: Span) -> Result<usize> {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `mm` is a
        // reference and so valid for the call.
        let value = unsafe { bindings::hmm_devmem_migrate(self.as_raw(), mm.as_raw(), span.0) };
        if value < 0 {
            return Err(Error::from_errno(value as c_int));
        }
        Ok(value as usize)
    }

    /// Migrate pages of a process to system memory.
    ///
    /// Pages that are busy, or for which no memory can be allocated, stay where they are; that
    /// is no error.
    ///
    /// Returns as `hmm_devmem_migrate()`.
    ///
    /// Context: Process context; may sleep. Takes the mmap lock.
    ///
    /// # Errors
    ///
    /// Fails with the error that the C function returns.
    #[inline]
    pub fn migrate_to_ram(&self, mm: &crate::mm::MmWithUser, span: Span) -> Result<usize> {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `mm` is a
        // reference and so valid for the call.
        let value =
            unsafe { bindings::hmm_devmem_migrate_to_ram(self.as_raw(), mm.as_raw(), span.0) };
        if value < 0 {
            return Err(Error::from_errno(value as c_int));
        }
        Ok(value as usize)
    }

    /// Migrate all pages to system memory.
    ///
    /// For suspend, or before a device is removed, with processes running. No page is allocated
    /// until `hmm_devmem_resume()`. One pass over the memory: pages that are pinned or busy
    /// stay. In a callback that this function, `hmm_devmem_remove()` or making room waits for,
    /// pages are only counted.
    ///
    /// Returns the number of pages that are still in use.
    ///
    /// Context: Process context; may sleep. No mmap lock is held.
    #[inline]
    pub fn evict(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        unsafe { bindings::hmm_devmem_evict(self.as_raw()) }
    }

    /// Allow allocation again.
    ///
    /// Does nothing in a callback that `hmm_devmem_evict()`, `hmm_devmem_remove()` or making
    /// room waits for: that goes on.
    ///
    /// Context: Process context; may sleep.
    #[inline]
    pub fn resume(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        unsafe { bindings::hmm_devmem_resume(self.as_raw()) }
    }

    /// The position of a page in a device's memory.
    ///
    /// For a driver that numbers its chunks, and gives the number to `hmm_devmem_add()` as
    /// data.
    ///
    /// Returns the chunk, and the offset in it; `hmm_place.here` is false if `page` is not of
    /// `devmem`.
    ///
    /// Context: any; the caller holds a reference to `page`, or a lock that keeps it from being
    /// freed.
    #[inline]
    pub fn place(&self, page: &super::page::Block<'_>) -> Place {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `page` is a
        // reference and so valid for the call.
        let value = unsafe { bindings::hmm_devmem_place(self.as_raw(), page.as_raw()) };
        Place(value)
    }

    /// The position of a page in another device's memory.
    ///
    /// As `hmm_devmem_place()`, for memory of the same driver: that has the same
    /// `hmm_devmem.ops`. It is for a driver that gives no number twice, for all of its devices.
    ///
    /// Returns the chunk, and the offset in it; `hmm_place.here` is false if `page` is of
    /// `devmem`, or not of memory of the same driver.
    ///
    /// Context: any; the caller holds a reference to `page`, or a lock that keeps it from being
    /// freed.
    #[inline]
    pub fn peer_place(&self, page: &super::page::Block<'_>) -> Place {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `page` is a
        // reference and so valid for the call.
        let value = unsafe { bindings::hmm_devmem_peer_place(self.as_raw(), page.as_raw()) };
        Place(value)
    }

    /// Allocates the storage of an object.
    fn allocate(
        init: impl PinInit<DeviceMemoryStorage<T>, Error>,
    ) -> Result<NonNull<DeviceMemoryStorage<T>>> {
        let storage = KBox::pin_init(init, GFP_KERNEL)?;
        // SAFETY: The storage does not move until it is freed.
        let storage = unsafe { Pin::into_inner_unchecked(storage) };
        Ok(NonNull::from(KBox::leak(storage)))
    }

    #[inline]
    fn storage(&self) -> &DeviceMemoryStorage<T> {
        // SAFETY: By the type's invariants the storage lives as long as the object.
        unsafe { self.storage.as_ref() }
    }

    /// Frees the storage of an object that has ended.
    ///
    /// # Safety
    ///
    /// C must call this once, with the `inner` of an object of this type that has ended.
    unsafe extern "C" fn free(ptr: *mut bindings::hmm_devmem) {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        let storage = unsafe { container_of!(inner, DeviceMemoryStorage<T>, inner) };
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        drop(unsafe { KBox::from_raw(storage) });
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `copy`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn copy_callback(
        devmem: *mut bindings::hmm_devmem,
        dst: *mut bindings::page,
        src: *mut bindings::page,
        order: u32,
    ) -> c_int {
        // SAFETY: C calls back with the `struct hmm_devmem` that the constructor was given, and
        // not after `hmm_devmem_exit_deferred` has called `free`.
        let object = unsafe { Self::around(devmem) };
        // SAFETY: By the contract (`block(dst, order)`) C passes the first of `1 << order` in a
        // row, valid for the call, and not used elsewhere meanwhile.
        let dst = unsafe { <super::page::Block<'_>>::from_raw(dst, order) };
        // SAFETY: By the contract (`block(src, order, reads)`) C passes the first of `1 << order`
        // in a row, valid for the call, of which the callback gets a shared reference.
        let src = unsafe { <super::page::Block<'_>>::from_raw(src, order) };
        match <T as MemoryOperations>::copy(&object, dst, &src) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `clear`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn clear_callback(
        devmem: *mut bindings::hmm_devmem,
        page: *mut bindings::page,
        order: u32,
    ) -> c_int {
        // SAFETY: C calls back with the `struct hmm_devmem` that the constructor was given, and
        // not after `hmm_devmem_exit_deferred` has called `free`.
        let object = unsafe { Self::around(devmem) };
        // SAFETY: By the contract (`block(page, order)`) C passes the first of `1 << order` in a
        // row, valid for the call, and not used elsewhere meanwhile.
        let page = unsafe { <super::page::Block<'_>>::from_raw(page, order) };
        match <T as MemoryOperations>::clear(&object, page) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `copy_batch`, on the `inner` of an object
    /// of this type.
    unsafe extern "C" fn copy_batch_callback(
        devmem: *mut bindings::hmm_devmem,
        batch: *mut bindings::hmm_devmem_batch,
    ) {
        // SAFETY: C calls back with the `struct hmm_devmem` that the constructor was given, and
        // not after `hmm_devmem_exit_deferred` has called `free`.
        let object = unsafe { Self::around(devmem) };
        // SAFETY: By the contract (`owned`) C passes a valid `batch`, which is the callback's
        // from then on.
        let batch = unsafe { <super::batch::Batch>::from_raw(batch) };
        <T as MemoryOperations>::copy_batch(&object, batch)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `can_copy_from`, on the `inner` of an
    /// object of this type.
    unsafe extern "C" fn can_copy_from_callback(
        devmem: *mut bindings::hmm_devmem,
        peer: *const bindings::hmm_devmem_peer,
    ) -> bool {
        // SAFETY: C calls back with the `struct hmm_devmem` that the constructor was given, and
        // not after `hmm_devmem_exit_deferred` has called `free`.
        let object = unsafe { Self::around(devmem) };
        // SAFETY: C passes a valid `struct hmm_devmem_peer` for the call, and the layouts are the
        // same by `repr(transparent)`.
        let peer = unsafe { &*peer.cast::<Peer>() };
        <T as MemoryOperations>::can_copy_from(&object, peer)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `grow`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn grow_callback(devmem: *mut bindings::hmm_devmem) -> c_int {
        // SAFETY: C calls back with the `struct hmm_devmem` that the constructor was given, and
        // not after `hmm_devmem_exit_deferred` has called `free`.
        let object = unsafe { Self::around(devmem) };
        match <T as MemoryOperations>::grow(&object) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `release`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn release_callback(devmem: *mut bindings::hmm_devmem, data: *mut c_void) {
        // SAFETY: C calls back with the `struct hmm_devmem` that the constructor was given, and
        // not after `hmm_devmem_exit_deferred` has called `free`.
        let object = unsafe { Self::around(devmem) };
        <T as MemoryOperations>::release(&object, data.cast_const())
    }

    /// The object around a `struct hmm_devmem`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of an object of this type, whose storage is not freed
    /// while the result is used.
    #[inline]
    unsafe fn around(ptr: *mut bindings::hmm_devmem) -> ManuallyDrop<Self> {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let storage = unsafe { container_of!(inner, DeviceMemoryStorage<T>, inner) };
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let storage = unsafe { NonNull::new_unchecked(storage) };
        ManuallyDrop::new(Self { storage })
    }
}

impl<T: MemoryOperations> Drop for DeviceMemory<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and then
        // only its callbacks can reach it, until `hmm_devmem_exit_deferred` calls `free`.
        unsafe { bindings::hmm_devmem_exit_deferred(self.as_raw(), Some(Self::free)) };
    }
}

/// The stage of a [`Migration`] after [`Migration::collect`].
pub enum Collected {}

/// The stage of a [`Migration`] after [`Migration::copy`].
pub enum Copied {}

/// The stage of a [`Migration`] after [`Migration::commit`].
pub enum Committed {}

/// A migration that a driver takes step by step.
///
/// `hmm_devmem_migrate()` takes all steps at once. A driver that has to do something in between
/// calls collect, copy and commit, in that order, and after any of them end. To map the pages
/// for its device before a CPU can access them, it uses a section with
/// `hmm_section.migrate_to`.
///
/// # Invariants
///
/// `ptr` points to a `struct hmm_devmem_migration` that belongs to this value.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         devmem::{
///             DeviceMemory,
///             MemoryOperations,
///             Migration, //
///         },
///         Span, //
///     },
///     mm::MmWithUser,
///     prelude::*, //
/// };
///
/// /// Moves pages, unless the device refuses after they were copied.
/// fn take<T: MemoryOperations>(
///     memory: &DeviceMemory<T>,
///     mm: &MmWithUser,
///     span: Span,
///     accept: impl Fn(Span) -> Result,
/// ) -> Result<usize> {
///     let copied = Migration::collect(memory, mm, span)?.copy();
///     // If `accept` fails, the migration is dropped and no page has moved.
///     accept(copied.span())?;
///     Ok(copied.commit().moved())
/// }
/// ```
#[must_use = "it is ended when it is dropped, in any stage"]
pub struct Migration<'a, S> {
    ptr: NonNull<bindings::hmm_devmem_migration>,
    _marker: PhantomData<(&'a (), S)>,
}

impl<'a> Migration<'a, Collected> {
    /// Begin to migrate pages to device memory.
    ///
    /// A CPU that accesses a collected page waits until the migration ends. Pages that are busy
    /// are not collected; nor are pages in another device's memory, unless some of the batch
    /// were requested before: then wait for the turn of `devmem`. A page that is not collected
    /// is no error.
    ///
    /// Context: Process context; may sleep. On success the mmap lock is held for reading until
    /// `hmm_devmem_migration_end()`, by the same task.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if `span` is misaligned or empty, or if its first page is in no VMA,
    /// or in one whose pages cannot migrate; `ESRCH` if the process has exited; `EDEADLK` in a
    /// callback that `hmm_devmem_evict()`, `hmm_devmem_remove()` or making room waits for;
    /// `EINTR`; `ENOMEM`.
    #[inline]
    pub fn collect<T: MemoryOperations>(
        devmem: &'a DeviceMemory<T>,
        mm: &crate::mm::MmWithUser,
        span: Span,
    ) -> Result<Self> {
        // SAFETY: `devmem` outlives the object, which has its lifetime (`outlives`); `mm` is a
        // reference and so valid for the call.
        let ptr = from_err_ptr(unsafe {
            bindings::hmm_devmem_collect(devmem.as_raw(), mm.as_raw(), span.0)
        })?;
        let ptr = NonNull::new(ptr).ok_or(ENOMEM)?;
        Ok(Migration {
            ptr,
            _marker: PhantomData,
        })
    }

    /// Copy the collected pages to device memory.
    ///
    /// By `hmm_devmem_ops.copy` and `hmm_devmem_ops.clear`, or by batches, which are copied
    /// while this returns: `hmm_devmem_migration_commit()` waits for them. A page for which no
    /// device memory is free, or whose copy fails, will stay.
    ///
    /// Context: Process context; may sleep.
    #[inline]
    pub fn copy(self) -> Migration<'a, Copied> {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem_migration`.
        unsafe { bindings::hmm_devmem_migration_copy(self.as_raw()) };
        self.into_stage()
    }
}

impl<'a> Migration<'a, Copied> {
    /// Commit the migration of the copied pages.
    ///
    /// No CPU can access the pages before the migration ends, as they are locked; the driver
    /// may map them for its device.
    ///
    /// Context: Process context; may sleep.
    #[inline]
    pub fn commit(self) -> Migration<'a, Committed> {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem_migration`.
        unsafe { bindings::hmm_devmem_migration_commit(self.as_raw()) };
        self.into_stage()
    }
}

impl<'a> Migration<'a, Committed> {
    /// How many pages have migrated.
    ///
    /// Returns the number of pages.
    #[inline]
    pub fn moved(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem_migration`.
        unsafe { bindings::hmm_devmem_migration_moved(self.as_raw()) }
    }
}

impl<'a, S> Migration<'a, S> {
    /// Returns a raw pointer to the `struct hmm_devmem_migration`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm_devmem_migration {
        self.ptr.as_ptr()
    }

    /// The range of a migration.
    ///
    /// Returns the first part of the requested range. The rest is for other migrations.
    #[inline]
    pub fn span(&self) -> Span {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem_migration`.
        let value = unsafe { bindings::hmm_devmem_migration_span(self.as_raw()) };
        Span(value)
    }

    #[inline]
    fn into_stage<N>(self) -> Migration<'a, N> {
        let this = ManuallyDrop::new(self);
        Migration {
            ptr: this.ptr,
            _marker: PhantomData,
        }
    }
}

impl<'a, S> Drop for Migration<'a, S> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `hmm_devmem_migration_end`).
        unsafe { bindings::hmm_devmem_migration_end(self.ptr.as_ptr()) };
    }
}
