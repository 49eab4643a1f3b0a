// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/hmm_devmem.h`.
//!
//! A [`DeviceMemory`] is the memory of one device, private or coherent, in chunks that its driver
//! adds. The driver implements [`MemoryOperations`]: it copies and clears pages. All else is done
//! here: pages are allocated, they migrate to the device by [`DeviceMemory::migrate`] or in a
//! section ([`Mirror::populate_in`](crate::hmm::mirror::Mirror::populate_in)), and to system memory
//! by [`DeviceMemory::migrate_to_ram`], when a CPU accesses private memory, and when the memory is
//! full, evicted or removed. A driver that does something in between takes the steps of a
//! [`Migration`].
//!
//! Migration of a page either succeeds or leaves the page where it was. The latter happens if no
//! memory is free, if the copy fails, or if the page is in use.
//!
//! # Turns
//!
//! Devices that request the same pages take turns. A page in the memory of another device migrates
//! to the one that requests it, but not before it was there for a time slice of some milliseconds,
//! in which that one can map and use it. The device that requests it waits; a fatal signal ends the
//! wait. [`Migration::collect`] neither waits the first time nor gets such pages: they are
//! requested for the next call. Pages in the memory of other drivers stay there. A CPU that
//! accesses a page never waits for a time slice.
//!
//! # From device to device
//!
//! The page is copied once if [`MemoryOperations::can_copy_from`] allows it, and by way of system
//! memory otherwise. All mirrors, also those of the other device, are invalidated before the copy,
//! even if both memories have the same owner, and the other driver's callbacks are not called. So
//! when an invalidation callback has returned, everything that the device has written must be
//! visible to those that can copy from its memory. The source cannot be freed or evicted until the
//! migration ends or, if the waiting task was killed, until the batch is complete. If the copy
//! fails the page stays where it was.
//!
//! # Access by other devices
//!
//! A driver whose memory other devices can access where it is implements
//! [`MemoryOperations::peer_dma_map`], which sets an address: of a window in a BAR, for example, or
//! on a link between the two devices. It decides which devices can reach the memory. The address is
//! taken back in the invalidation that precedes each migration of the page: eviction, removal and
//! the retirement of bad pages are safe. Coherent memory needs no callback: it is mapped for other
//! devices like system memory.
//!
//! # Oversubscription
//!
//! When the memory is full and cannot grow, folios that the device does not use migrate to system
//! memory. The driver reports use by [`DeviceMemory::mark_accessed`]. A clock approximates the
//! least recent use: a folio that was accessed since the hand of the clock was there last stays for
//! another round, and one that has just arrived stays for a time slice.
//!
//! A request for which too little is free moves the hand itself, before its pages are locked. For a
//! second from then on a work item keeps some pages free, so that the next faults of the device
//! wait for nothing. A request never takes pages that arrived after it began; if no other can
//! migrate, its own pages stay in system memory.
//!
//! # Accounting
//!
//! Device pages are charged to the memory cgroup of the process, and to the dmem pool of the
//! memory. At a limit, pages that are charged below it migrate to system memory first, by the same
//! clock. What cannot be charged then stays where it is, like a page for which no device memory is
//! free; large folios migrate in part, by single pages. In a full memory, pages that dmem.min
//! protects do not make room, and those that dmem.low protects only if the others are not enough.
//!
//! # Copies in batches
//!
//! A driver whose device has a copy engine implements [`MemoryOperations::copy_batch`]. It gets
//! many blocks at once, queues them, and returns; when the engine is done, in any context, it
//! completes the batch. A request has several batches in flight, and all have completed before any
//! page of it is mapped. A block with an error, or of a batch with one, does not migrate, except
//! that a large folio on its way to system memory is copied page by page, by
//! [`MemoryOperations::copy`].
//!
//! The task that waits holds locks of folios, and the mmap lock. So what a batch needs to complete
//! must not wait for these, nor request pages for a device, nor wait for memory reclaim: the rule
//! of `struct dma_fence`. Batches complete in bounded time, with an error when the engine is reset.
//! If one does not, a task that waits for it can be killed, but the end of the memory waits for it.
//!
//! # Locking
//!
//! No function of this module may be called under a mirror's update lock. Lock order, from the
//! outside in: the turn at a PMD range, the mmap lock, locks of folios. Room is made under no mmap
//! lock. The mmap lock is taken for reading only.
//!
//! [`MemoryOperations::copy`], `clear` and `copy_batch` are called with the folios locked, and with
//! the mmap lock held for reading, except during eviction, and while pages are fetched to system
//! memory. They must not access user memory.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/hmm_devmem.h`](srctree/include/linux/hmm_devmem.h)

use crate::{
    bindings,
    container_of,
    error::{
        from_err_ptr,
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
    hmm::mirror::Span,
    prelude::*,
    types::{
        Opaque,
        ScopeGuard, //
    }, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use pin_init::Wrapper;

/// A value of `bindings::memory_type`.
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
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         devmem::{
///             DeviceMemory,
///             MemoryOperations,
///             Peer, //
///         },
///         page::Block, //
///     },
///     prelude::*, //
/// };
///
/// /// A device that copies from others of its kind.
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
///
///     fn can_copy_from(_memory: &DeviceMemory<Self>, peer: &Peer) -> bool {
///         peer.same_driver()
///     }
/// }
/// # let _ = Device;
/// ```
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
///
/// # Examples
///
/// ```
/// use kernel::hmm::{
///     devmem::{
///         DeviceMemory,
///         MemoryOperations,
///         Position, //
///     },
///     page::Block, //
/// };
///
/// /// Where a page of this device is, or of a peer; the device has just accessed it.
/// fn accessed<T: MemoryOperations>(memory: &DeviceMemory<T>, page: &Block<'_>) -> Position {
///     memory.mark_accessed(page);
///     let own = memory.position(page);
///     match own.found() {
///         true => own,
///         false => memory.peer_position(page),
///     }
/// }
///
/// let position = Position::new(true, 2, 4096);
/// assert!(position.found());
/// assert_eq!(position.chunk(), 2);
/// assert_eq!(position.offset(), 4096);
/// ```
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Position(pub(crate) bindings::hmm_devmem_position);

impl Position {
    /// Makes one of its members.
    #[inline]
    pub const fn new(found: bool, chunk: usize, offset: usize) -> Self {
        Self(bindings::hmm_devmem_position {
            found,
            chunk,
            offset,
        })
    }

    /// The member `found`.
    #[inline]
    pub fn found(&self) -> bool {
        self.0.found
    }

    /// The member `chunk`.
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

/// The access of another device to a page.
///
/// It exists for a call of [`MemoryOperations::peer_dma_map`] or
/// [`MemoryOperations::peer_dma_unmap`]. The page is mapped in its process then, and is neither
/// locked nor referenced.
///
/// # Invariants
///
/// A value of this type is a live `bindings::hmm_peer_access`, reached by reference only.
///
/// # Examples
///
/// ```
/// use core::ffi::c_void;
/// use kernel::{
///     device,
///     dma::DmaAddress,
///     hmm::{
///         devmem::{
///             DeviceMemory,
///             MemoryOperations,
///             PeerAccess, //
///         },
///         page::Block, //
///     },
///     prelude::*,
///     sync::aref::ARef, //
/// };
///
/// /// A device whose memory is in a BAR, which one other device can access, and the CPU for a
/// /// device that is software.
/// struct Device {
///     bar: DmaAddress,
///     mapped: *const c_void,
///     other: ARef<device::Device>,
/// }
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
///
///     fn peer_dma_map(memory: &DeviceMemory<Self>, access: &PeerAccess) {
///         let data = memory.data();
///
///         if access.is_by_cpu() {
///             let at = data.mapped.wrapping_byte_add(access.position().offset());
///
///             // SAFETY: The BAR is mapped for the CPU as long as the device exists.
///             unsafe { access.set_pointer(at) };
///         } else if core::ptr::eq(access.device(), &*data.other) {
///             let address = data.bar + access.position().offset() as DmaAddress;
///
///             // SAFETY: The page is there in the BAR, which the other device can access.
///             unsafe { access.set_address(address) };
///         }
///     }
///
///     fn peer_dma_unmap(memory: &DeviceMemory<Self>, access: &PeerAccess) {
///         assert!(access.is_by_cpu() || access.address() >= memory.data().bar);
///     }
/// }
/// // SAFETY: The pointer is to memory that any thread may access.
/// unsafe impl Send for Device {}
/// // SAFETY: As above.
/// unsafe impl Sync for Device {}
/// # fn _new(bar: DmaAddress, mapped: *const c_void, other: ARef<device::Device>) -> Device {
/// #     Device { bar, mapped, other }
/// # }
/// ```
#[repr(transparent)]
pub struct PeerAccess(Opaque<bindings::hmm_peer_access>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for PeerAccess {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for PeerAccess {}

impl PeerAccess {
    /// Returns a raw pointer to the `bindings::hmm_peer_access`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm_peer_access {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::hmm_peer_access` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::hmm_peer_access) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// The position of the page in its memory, which is always found.
    #[inline]
    pub fn position(&self) -> Position {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_peer_access`.
        let value = unsafe { bindings::hmm_peer_access_position(self.as_raw()) };
        Position(value)
    }

    /// The device that accesses the page.
    #[inline]
    pub fn device(&self) -> &crate::device::Device {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_peer_access`.
        let ptr = unsafe { bindings::hmm_peer_access_device(self.as_raw()) };
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        // SAFETY: By the contract (`borrowed(access)`) it is valid as long as `self`.
        unsafe { <crate::device::Device>::from_raw(ptr.as_ptr()) }
    }

    /// The address by which the device accesses the page; `DmaAddress::MAX` if there is none.
    #[inline]
    pub fn address(&self) -> crate::dma::DmaAddress {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_peer_access`.
        unsafe { bindings::hmm_peer_access_address(self.as_raw()) }
    }

    /// Sets the address by which the device accesses the page.
    ///
    /// It has an effect in [`MemoryOperations::peer_dma_map`] only, for a device without
    /// [`PeerAccess::is_by_cpu`].
    ///
    /// # Safety
    ///
    /// The caller must promise that the device reaches only this page by `address`, until
    /// `peer_dma_unmap`.
    #[inline]
    pub unsafe fn set_address(&self, address: crate::dma::DmaAddress) {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_peer_access`; the caller
        // promises that the device reaches only this page by `address`, until `peer_dma_unmap`.
        unsafe { bindings::hmm_peer_access_set_address(self.as_raw(), address) }
    }

    /// Whether the CPU makes the accesses of the device, which is software: it needs a pointer,
    /// and no address.
    #[inline]
    pub fn is_by_cpu(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_peer_access`.
        unsafe { bindings::hmm_peer_access_is_by_cpu(self.as_raw()) }
    }

    /// Sets where the CPU accesses the page for the device, as ordinary memory for reading and
    /// writing.
    ///
    /// It has an effect in [`MemoryOperations::peer_dma_map`] only, for a device with
    /// [`PeerAccess::is_by_cpu`].
    ///
    /// # Safety
    ///
    /// The caller must promise that the page is at `pointer`, for any CPU, until
    /// `peer_dma_unmap`.
    #[inline]
    pub unsafe fn set_pointer(&self, pointer: *const c_void) {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_peer_access`; the caller
        // promises that the page is at `pointer`, for any CPU, until `peer_dma_unmap`.
        unsafe { bindings::hmm_peer_access_set_pointer(self.as_raw(), pointer.cast_mut()) }
    }
}

/// The callbacks of a [`DeviceMemory`], which its user implements: the memory of a device.
///
/// They may not wait for the memory that they are called for. While they are called to evict or
/// remove memory or to make room, [`DeviceMemory::add`], [`DeviceMemory::remove`] and
/// migrations of the same memory fail with `EDEADLK`.
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
///         let (to, from) = (memory.position(&dst), memory.position(src));
///         let mut ram = memory.data().ram.lock();
///         let offset = if to.found() { to.offset() } else { from.offset() };
///         let size = dst.pages() * PAGE_SIZE;
///         let ram = ram.get_mut(offset..offset + size).ok_or(EIO)?;
///
///         for (index, ram) in ram.chunks_exact_mut(PAGE_SIZE).enumerate() {
///             if to.found() {
///                 src.page(index, |page| page.read(0, ram)).ok_or(EIO)??;
///             } else {
///                 dst.page_mut(index, |page| page.write(0, ram)).ok_or(EIO)??;
///             }
///         }
///         Ok(())
///     }
///
///     fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
///         let offset = memory.position(&page).offset();
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
    /// Copies all pages of `src` to `dst`, one of which is of this device memory.
    ///
    /// The other is of system memory, or `src` is of the memory of another device, if
    /// [`MemoryOperations::can_copy_from`] allows it. The copy is complete, and visible to the
    /// CPU and the device, when it returns. The pages are locked and mapped nowhere. After an
    /// error the page does not migrate. It may sleep.
    fn copy(
        devmem: &DeviceMemory<Self>,
        dst: super::page::Block<'_>,
        src: &super::page::Block<'_>,
    ) -> Result;
    /// Makes all bytes of pages of device memory zero; otherwise as [`MemoryOperations::copy`].
    fn clear(devmem: &DeviceMemory<Self>, page: super::page::Block<'_>) -> Result;

    /// Copies or clears all blocks of a batch, before it returns or later.
    ///
    /// The batch is complete when it is dropped, on any thread. It is called in place of `copy`
    /// and `clear`, which remain for single blocks: the pages of a large block that failed, and
    /// what is copied if no batch can be allocated. The pages are as for `copy` until the batch
    /// is complete, but if the waiting task was killed the source may be mapped again. It may
    /// sleep. Optional.
    fn copy_batch(_devmem: &DeviceMemory<Self>, _batch: super::batch::Batch) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Whether `copy` and `copy_batch` can copy from the memory of another device. Called for
    /// each page; a page table lock is held: must not sleep, nor take a lock under which memory
    /// is allocated. Without it they cannot. Optional.
    fn can_copy_from(_devmem: &DeviceMemory<Self>, _peer: &Peer) -> bool {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Gives another device the address by which it accesses a page, by
    /// [`PeerAccess::set_address`].
    ///
    /// Without an address the page migrates to system memory. It is called for each page and
    /// device. The address is for reading and writing. The update lock of a mirror of that
    /// device is held: it must not sleep, nor take a lock under which memory is allocated.
    /// Without it the memory is for its own device only. Optional.
    fn peer_dma_map(_devmem: &DeviceMemory<Self>, _access: &PeerAccess) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The other device does not access a page by its address any more.
    ///
    /// It is called once for each address that was given, as
    /// [`MemoryOperations::peer_dma_map`]. Optional.
    ///
    /// Must not sleep.
    fn peer_dma_unmap(_devmem: &DeviceMemory<Self>, _access: &PeerAccess) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called when little memory is free: the driver may add more, by [`DeviceMemory::add`].
    ///
    /// The result is ignored. Calls are serialised, and no mmap lock is held; it may sleep. If
    /// it migrates pages, it is not called again for these. Optional.
    fn grow(_devmem: &DeviceMemory<Self>) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Memory was removed: the driver gets back the data that it gave to [`DeviceMemory::add`].
    ///
    /// It may add other memory, and not remove it. No lock is held; it may sleep. Optional.
    fn release(_devmem: &DeviceMemory<Self>, _data: *const c_void) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The memory of a device.
///
/// # Invariants
///
/// `storage` points to a `bindings::hmm_devmem` that its constructor has initialised, and to
/// the data that goes with it. It is valid until the object has ended, which happens after it
/// is dropped.
///
/// # Examples
///
/// ```
/// use kernel::{
///     device,
///     hmm::{
///         devmem::{
///             DeviceMemory,
///             MemoryOperations,
///             MemoryType,
///         },
///         page::Block,
///         Span, //
///     },
///     io::PhysAddr,
///     mm::MmWithUser,
///     prelude::*,
///     time::msecs_to_jiffies, //
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
/// /// The device has been found, with memory at addresses of its own.
/// fn found(memory: &DeviceMemory<Device>, dev: &device::Device, start: PhysAddr, size: usize) -> Result {
///     memory.set_device(dev)?;
///     memory.account(size)?;
///     // SAFETY: The memory at `start` is the device's, and only this driver uses it.
///     unsafe { memory.add_at(start, size, core::ptr::null()) }
/// }
///
/// /// The device is about to lose its power: its pages go to system memory, and no others come, until it has power again.
/// fn suspend(memory: &DeviceMemory<Device>) -> Result {
///     match memory.evict() {
///         0 => Ok(()),
///         _ => {
///             memory.resume();
///             Err(EBUSY)
///         }
///     }
/// }
///
/// /// The device reports a bad page.
/// fn bad(memory: &DeviceMemory<Device>, offset: usize) -> Result<usize> {
///     memory.retire(core::ptr::null(), offset)?;
///     Ok(memory.retired())
/// }
///
/// let memory = DeviceMemory::new(MemoryType::PRIVATE, 16, c"example", Device);
/// let memory = KBox::pin_init(memory, GFP_KERNEL)?;
/// // A chunk has to be as large as a huge page.
/// assert!(memory.add(1, core::ptr::null()) == Err(EINVAL));
/// assert_eq!((memory.size(), memory.available()), (0, 0));
/// assert!(suspend(&memory).is_ok());
/// memory.resume();
/// assert!(bad(&memory, 0) == Err(ENOENT));
/// # // SAFETY: A test runs in a thread of its own, which has no memory yet.
/// # unsafe { kernel::bindings::kunit_attach_mm() };
/// let current = current!();
/// let mm = current.mm().ok_or(EINVAL)?;
/// assert!(take(&memory, mm, Span::new(0, 0)).is_err());
/// assert!(memory.migrate_to_ram(mm, Span::new(0, 0)).is_err());
/// // The users of a page have a second to release it.
/// assert!(memory.remove(msecs_to_jiffies(1000)).is_ok());
/// # let _ = found;
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
        peer_dma_map: if T::HAS_PEER_DMA_MAP {
            Some(Self::peer_dma_map_callback)
        } else {
            None
        },
        peer_dma_unmap: if T::HAS_PEER_DMA_UNMAP {
            Some(Self::peer_dma_unmap_callback)
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
    /// Makes device memory without a chunk.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if a parameter is invalid, and with `ENOMEM`.
    ///
    /// `kind`: `MEMORY_DEVICE_PRIVATE`, which the CPU cannot access, at unused physical
    /// addresses; or `MEMORY_DEVICE_COHERENT`, at addresses that the driver gives. Set by the
    /// driver.
    ///
    /// `fault_pages`: How many pages migrate to system memory in a CPU fault: the aligned group
    /// of so many around the faulting page. A power of two, at most the number of pages of a
    /// huge page, which 0 stands for. Set by the driver.
    ///
    /// `name`
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

    /// Returns a raw pointer to the `bindings::hmm_devmem`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm_devmem {
        self.storage().inner.get()
    }

    /// Names the device that has the memory.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EBUSY` if there is a device or memory already, and with `EDEADLK` in a
    /// callback that an eviction, a removal or making room waits for.
    #[inline]
    pub fn set_device(&self, dev: &crate::device::Device) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `dev` is a
        // reference and so valid for the call.
        to_result(unsafe { bindings::hmm_devmem_set_device(self.as_raw(), dev.as_raw()) })
    }

    /// Charges the pages of the memory to the dmem cgroup controller.
    ///
    /// The region is called "hmm/" and the name of the device, or else that of the memory: of
    /// several memories each needs a name of its own. Pages that migrate to the device are
    /// charged to the cgroup of their process. At the limit of that cgroup, or of one above it,
    /// pages charged there migrate to system memory first, as if the memory was full; pages
    /// that still cannot be charged stay where they are, which is no error. Without
    /// CONFIG_CGROUP_DMEM nothing is charged.
    ///
    /// `capacity` is how much memory the device has, in bytes; it is shown only.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if `capacity` is 0 or the name has white space, with `EBUSY` if
    /// memory was added or is accounted already, with `EDEADLK` in a callback that an eviction,
    /// a removal or making room waits for, and with `ENOMEM`.
    #[inline]
    pub fn account(&self, capacity: usize) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        to_result(unsafe { bindings::hmm_devmem_account(self.as_raw(), capacity) })
    }

    /// Adds a chunk of device memory at `start`, or at unused addresses that the kernel chooses
    /// if `start` is 0.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` for an invalid size or address, with `EBUSY` if there is other
    /// memory at `start`, with `ENODEV` if the device memory is ending, with `EDEADLK` in a
    /// callback that an eviction, a removal or making room waits for, with `EINTR` if the
    /// caller was killed, with `ENOMEM`, or with an error of the mapping. The driver keeps
    /// `data` then.
    ///
    /// # Safety
    ///
    /// The caller must promise that nothing else uses these bytes until `release`, unless
    /// `start` is 0.
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

    /// Adds a chunk of private device memory, at unused addresses that the kernel chooses.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` for coherent memory, and otherwise as [`DeviceMemory::add_at`].
    #[inline]
    pub fn add(&self, size: usize, data: *const c_void) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        to_result(unsafe { bindings::hmm_devmem_add_private(self.as_raw(), size, data.cast_mut()) })
    }

    /// Removes all chunks.
    ///
    /// All pages migrate to system memory first, which the processes do not notice. Chunks can
    /// be added again. `timeout` is how long to wait for pages that are in use.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EBUSY` if a page could not migrate: its chunk, and those added after it,
    /// remain. Fails with `EDEADLK` in a callback that this function, an eviction or making
    /// room waits for, and in [`MemoryOperations::release`].
    #[inline]
    pub fn remove(&self, timeout: crate::time::Jiffies) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        to_result(unsafe { bindings::hmm_devmem_remove(self.as_raw(), timeout) })
    }

    /// How much memory is free.
    #[inline]
    pub fn available(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        unsafe { bindings::hmm_devmem_available(self.as_raw()) }
    }

    /// How much memory there is.
    ///
    /// Returns the size of all chunks, in bytes.
    #[inline]
    pub fn size(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        unsafe { bindings::hmm_devmem_size(self.as_raw()) }
    }

    /// Reports a bad page, which is not used any more.
    ///
    /// A free page is not allocated again. A page that is in use migrates to system memory with
    /// its folio, if it can be copied: [`MemoryOperations::copy`] must fail for contents that
    /// are lost. A page that cannot be copied is poisoned: processes that map it get a SIGBUS
    /// when they access it, and devices an error. It is not allocated again when its last user
    /// has released it. The rest of its folio migrates.
    ///
    /// If the folio is being migrated, also to another device, the call waits for that
    /// migration, and so for the copy of that device; a fatal signal ends the wait.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `ENOENT` if there is no such page, with `EBUSY` if its folio is busy, so that
    /// it was not unmapped: the call can be repeated. Fails with `EDEADLK` in a callback that
    /// an eviction, a removal or making room waits for, and if the caller has a [`Migration`],
    /// with `EINTR` if the caller was killed, and with `ENOMEM`.
    #[inline]
    pub fn retire(&self, data: *const c_void, offset: usize) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        to_result(unsafe { bindings::hmm_devmem_retire(self.as_raw(), data.cast_mut(), offset) })
    }

    /// How much memory is not used any more.
    ///
    /// Returns the pages that were reported as bad, in bytes, without those that are still in
    /// use.
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
    #[inline]
    pub fn mark_accessed(&self, page: &super::page::Block<'_>) {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `page` is a
        // reference and so valid for the call.
        unsafe { bindings::hmm_devmem_mark_accessed(self.as_raw(), page.as_raw()) }
    }

    /// Migrates pages of a process to device memory.
    ///
    /// Holes in `span` get cleared device memory, huge pages if a page fault would have
    /// allocated one. Pages that are swapped out are faulted in first. Pages in another
    /// device's memory migrate when it is the turn of this one, for which the caller waits.
    /// Pages that are busy, or for which no device memory is free, stay where they are; that is
    /// no error. Large folios stay large if as many free pages in a row can be found.
    ///
    /// Returns the number of pages that have migrated. An error after some have is returned by
    /// the next call.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if `span` is misaligned or empty, or a part of it is not mapped, not
    /// readable, or of pages that cannot migrate; with `ESRCH` if the process has exited; with
    /// `EDEADLK` in a callback that an eviction, a removal or making room waits for, and if the
    /// caller has a [`Migration`]; with `EINTR` if the caller was killed; and with `ENOMEM`.
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

    /// Migrates pages of a process to system memory.
    ///
    /// Pages that are busy, or for which no memory can be allocated, stay where they are; that
    /// is no error. Returns the number of pages that have migrated.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// As [`DeviceMemory::migrate`].
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
    /// Returns the number of pages that are still in use.
    ///
    /// May sleep.
    #[inline]
    pub fn evict(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        unsafe { bindings::hmm_devmem_evict(self.as_raw()) }
    }

    /// Allow allocation again.
    #[inline]
    pub fn resume(&self) {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`.
        unsafe { bindings::hmm_devmem_resume(self.as_raw()) }
    }

    /// The position of a page in a device's memory.
    ///
    /// Returns the chunk, and the offset in it; `hmm_devmem_position.found` is false if `page`
    /// is not of `devmem`.
    #[inline]
    pub fn position(&self, page: &super::page::Block<'_>) -> Position {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `page` is a
        // reference and so valid for the call.
        let value = unsafe { bindings::hmm_devmem_page_position(self.as_raw(), page.as_raw()) };
        Position(value)
    }

    /// The position of a page in another device's memory.
    ///
    /// Returns the chunk, and the offset in it; `hmm_devmem_position.found` is false if `page`
    /// is of `devmem`, or not of memory of the same driver.
    #[inline]
    pub fn peer_position(&self, page: &super::page::Block<'_>) -> Position {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_devmem`; `page` is a
        // reference and so valid for the call.
        let value = unsafe { bindings::hmm_devmem_peer_position(self.as_raw(), page.as_raw()) };
        Position(value)
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
        // SAFETY: By the contract (`nonnull`) C passes a valid `struct hmm_devmem_peer` for the
        // call, and the layouts are the same by `repr(transparent)`.
        let peer = unsafe { &*peer.cast::<Peer>() };
        <T as MemoryOperations>::can_copy_from(&object, peer)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `peer_dma_map`, on the `inner` of an
    /// object of this type.
    unsafe extern "C" fn peer_dma_map_callback(
        devmem: *mut bindings::hmm_devmem,
        access: *mut bindings::hmm_peer_access,
    ) {
        // SAFETY: C calls back with the `struct hmm_devmem` that the constructor was given, and
        // not after `hmm_devmem_exit_deferred` has called `free`.
        let object = unsafe { Self::around(devmem) };
        // SAFETY: By the contract (`borrows`, `nonnull`) C passes a valid object as `access`, for
        // the call.
        let access = unsafe { <PeerAccess>::from_raw(access) };
        <T as MemoryOperations>::peer_dma_map(&object, access)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `peer_dma_unmap`, on the `inner` of an
    /// object of this type.
    unsafe extern "C" fn peer_dma_unmap_callback(
        devmem: *mut bindings::hmm_devmem,
        access: *mut bindings::hmm_peer_access,
    ) {
        // SAFETY: C calls back with the `struct hmm_devmem` that the constructor was given, and
        // not after `hmm_devmem_exit_deferred` has called `free`.
        let object = unsafe { Self::around(devmem) };
        // SAFETY: By the contract (`borrows`, `nonnull`) C passes a valid object as `access`, for
        // the call.
        let access = unsafe { <PeerAccess>::from_raw(access) };
        <T as MemoryOperations>::peer_dma_unmap(&object, access)
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

    /// The object around a `bindings::hmm_devmem`.
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
/// It exists while a closure runs, which is given this value. It ends when the closure returns,
/// also if that leaks the value (`mem::forget`).
///
/// # Invariants
///
/// `ptr` points to a `bindings::hmm_devmem_migration` that lives for all of `'a`, and no other
/// value points to that.
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
///     Migration::collect(memory, mm, span, |collected| {
///         let copied = collected.copy();
///         // If `accept` fails, the migration ends here and no page has moved.
///         accept(copied.span())?;
///         Ok(copied.commit().moved())
///     })?
/// }
/// ```
#[must_use = "it is ended when the closure returns, in any stage"]
pub struct Migration<'a, S> {
    ptr: NonNull<bindings::hmm_devmem_migration>,
    _marker: PhantomData<(*mut &'a (), S)>,
}

impl<'a> Migration<'a, Collected> {
    /// Begins to migrate pages to device memory.
    ///
    /// `body` is given the [`Migration`], if one was made, and its result is returned. The
    /// [`Migration`] ends when `body` returns, in any stage, also if `body` leaked it
    /// (`mem::forget`).
    ///
    /// A CPU that accesses a collected page waits until the migration ends. Pages that are busy
    /// are not collected; nor are pages in another device's memory, unless some of the batch
    /// were requested before: then this waits for its turn. A page that is not collected is no
    /// error.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if `span` is misaligned or empty, or its first page is not mapped or
    /// cannot migrate; with `ESRCH` if the process has exited; with `EDEADLK` in a callback
    /// that an eviction, a removal or making room waits for, and if the caller has another
    /// migration; with `EINTR` if the caller was killed; and with `ENOMEM`.
    ///
    /// `body` must not access the process's memory. What would wait for the migration fails in
    /// it with `EDEADLK`: migrations, [`Mirror::new`](crate::hmm::Mirror::new), and sections
    /// that need the mmap lock: to fault, or where nothing is mapped.
    #[inline]
    pub fn collect<T: MemoryOperations, R>(
        devmem: &DeviceMemory<T>,
        mm: &crate::mm::MmWithUser,
        span: Span,
        body: impl FnOnce(Migration<'_, Collected>) -> R,
    ) -> Result<R> {
        // SAFETY: `devmem` is a reference and so outlives the object, which ends before this
        // returns (`outlives`, `scoped`); `mm` is a reference and so valid for the call.
        let ptr = from_err_ptr(unsafe {
            bindings::hmm_devmem_collect(devmem.as_raw(), mm.as_raw(), span.0)
        })?;
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        let _end = ScopeGuard::new(|| {
            // SAFETY: The object was made above, and is ended once, here, after `body` has
            // returned (`destructor` of `hmm_devmem_migration_end`); what `body` was given has a
            // lifetime of its own (`scoped`), so nothing can reach the object after.
            unsafe { bindings::hmm_devmem_migration_end(ptr.as_ptr()) };
        });
        // INVARIANT: The object was just made, lives until `body` has returned, and is given to
        // nobody else.
        Ok(body(Migration {
            ptr,
            _marker: PhantomData,
        }))
    }

    /// Copy the collected pages to device memory.
    ///
    /// May sleep.
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
    /// May sleep.
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
    /// Returns a raw pointer to the `bindings::hmm_devmem_migration`.
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
        Migration {
            ptr: self.ptr,
            _marker: PhantomData,
        }
    }
}
