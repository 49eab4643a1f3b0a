// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/hmm_compat_2019.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/hmm_compat_2019.h`](srctree/include/linux/hmm_compat_2019.h)

use crate::{
    bindings,
    error::{
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
    prelude::*,
    sync::Arc,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// A value of `enum mmu_notifier_event`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event(pub(crate) bindings::mmu_notifier_event);

impl Event {
    /// `MMU_NOTIFY_UNMAP`.
    pub const UNMAP: Self = Self(bindings::mmu_notifier_event_MMU_NOTIFY_UNMAP);

    /// `MMU_NOTIFY_CLEAR`.
    pub const CLEAR: Self = Self(bindings::mmu_notifier_event_MMU_NOTIFY_CLEAR);

    /// `MMU_NOTIFY_PROTECTION_VMA`.
    pub const PROTECTION_VMA: Self = Self(bindings::mmu_notifier_event_MMU_NOTIFY_PROTECTION_VMA);

    /// `MMU_NOTIFY_PROTECTION_PAGE`.
    pub const PROTECTION_PAGE: Self = Self(bindings::mmu_notifier_event_MMU_NOTIFY_PROTECTION_PAGE);

    /// `MMU_NOTIFY_SOFT_DIRTY`.
    pub const SOFT_DIRTY: Self = Self(bindings::mmu_notifier_event_MMU_NOTIFY_SOFT_DIRTY);

    /// `MMU_NOTIFY_RELEASE`.
    pub const RELEASE: Self = Self(bindings::mmu_notifier_event_MMU_NOTIFY_RELEASE);

    /// `MMU_NOTIFY_MIGRATE`.
    pub const MIGRATE: Self = Self(bindings::mmu_notifier_event_MMU_NOTIFY_MIGRATE);

    /// `MMU_NOTIFY_EXCLUSIVE`.
    pub const EXCLUSIVE: Self = Self(bindings::mmu_notifier_event_MMU_NOTIFY_EXCLUSIVE);
}

/// A word that `hmm_pfn_flags` describes.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PfnFlags(pub(crate) usize);

impl PfnFlags {
    /// `HMM_PFN_VALID`.
    pub const VALID: Self = Self(bindings::hmm_pfn_flags_HMM_PFN_VALID);

    /// `HMM_PFN_WRITE`.
    pub const WRITE: Self = Self(bindings::hmm_pfn_flags_HMM_PFN_WRITE);

    /// `HMM_PFN_ERROR`.
    pub const ERROR: Self = Self(bindings::hmm_pfn_flags_HMM_PFN_ERROR);

    /// `HMM_PFN_DMA_MAPPED`.
    pub const DMA_MAPPED: Self = Self(bindings::hmm_pfn_flags_HMM_PFN_DMA_MAPPED);

    /// `HMM_PFN_P2PDMA`.
    pub const P2PDMA: Self = Self(bindings::hmm_pfn_flags_HMM_PFN_P2PDMA);

    /// `HMM_PFN_P2PDMA_BUS`.
    pub const P2PDMA_BUS: Self = Self(bindings::hmm_pfn_flags_HMM_PFN_P2PDMA_BUS);

    /// Whether all flags of `other` are set in `self`.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The word.
    #[inline]
    pub const fn into_raw(self) -> usize {
        self.0
    }
}

/// What the CPU's page tables are about to lose.
#[repr(transparent)]
pub struct Update(pub(crate) bindings::mmu_notifier_range);

impl Update {
    /// First address, in bytes.
    #[inline]
    pub fn start(&self) -> usize {
        self.0.start
    }

    /// Address after the last, in bytes.
    #[inline]
    pub fn end(&self) -> usize {
        self.0.end
    }

    /// Bit 0 when one may block.
    #[inline]
    pub fn flags(&self) -> u32 {
        self.0.flags
    }

    /// Why.
    #[inline]
    pub fn event(&self) -> Event {
        Event(self.0.event)
    }
}

/// What a driver does when the CPU's side changes.
///
/// The implementing type is the data that the [`Mirror`] holds.
#[vtable]
pub trait Operations: Sized + Send + Sync + 'static {
    /// The address space is going away. Halt all use of its pages, for good. May sleep; must
    /// not unregister the mirror. Optional; a mirror without it is told to forget everything by
    /// the other callback.
    fn release(&self) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Make the device reach nothing in `update`, and return 0 when that is done; or -`EAGAIN`,
    /// where one may not block (`mmu_notifier_range_blockable()`) and would have to.
    fn sync_cpu_device_pagetables(&self, update: &Update) -> Result;
}

/// A process as one driver sees it.
///
/// # Invariants
///
/// `inner` is a `struct hmm2019_mirror` that its constructor has initialised; it stays where it
/// is until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Mirror<T: Operations> {
    #[pin]
    inner: Opaque<bindings::hmm2019_mirror>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Operations + Send> Send for Mirror<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Operations + Send + Sync> Sync for Mirror<T> {}

impl<T: Operations> Mirror<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::hmm2019_mirror_ops = bindings::hmm2019_mirror_ops {
        release: if T::HAS_RELEASE {
            Some(Self::release_callback)
        } else {
            None
        },
        sync_cpu_device_pagetables: Some(Self::sync_cpu_device_pagetables_callback),
        ..pin_init::zeroed()
    };
    /// `hmm_mirror_register()`, with what goes before it.
    ///
    /// Context: holds no mmap lock, and a reference that keeps `mm` alive (`mmget()`). May
    /// sleep.
    ///
    /// # Errors
    ///
    /// As `hmm_mirror_register()`.
    pub fn new<'a, E: 'a>(
        mm: &'a crate::mm::MmWithUser,
        data: impl PinInit<T, E> + 'a,
    ) -> impl PinInit<Self, Error> + 'a
    where
        T: 'a,
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::hmm2019_mirror| {
            // SAFETY: `slot` is room for a `struct hmm2019_mirror` that does not move; `mm` is a
            // reference and so valid for the call.
            to_result(unsafe {
                bindings::hmm2019_mirror_begin(slot, mm.as_raw(), &Self::OPERATIONS)
            })
        });
        try_pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// The data.
    #[inline]
    pub fn data(&self) -> &T {
        // SAFETY: The data is only ever shared.
        unsafe { &*self.data.get() }
    }

    /// Returns a raw pointer to the `struct hmm2019_mirror`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm2019_mirror {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this as the contract of `release` says, on the `inner` of an object of this
    /// type.
    unsafe extern "C" fn release_callback(mirror: *mut bindings::hmm2019_mirror) {
        // SAFETY: C calls back with the `struct hmm2019_mirror` that the constructor was given,
        // and not after the destructor has returned.
        let object = unsafe { Self::around(mirror) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Operations>::release(data)
    }

    /// # Safety
    ///
    /// C must call this as the contract of `sync_cpu_device_pagetables` says, on the `inner` of
    /// an object of this type.
    unsafe extern "C" fn sync_cpu_device_pagetables_callback(
        mirror: *mut bindings::hmm2019_mirror,
        update: *const bindings::mmu_notifier_range,
    ) -> c_int {
        // SAFETY: C calls back with the `struct hmm2019_mirror` that the constructor was given,
        // and not after the destructor has returned.
        let object = unsafe { Self::around(mirror) };
        // SAFETY: C passes a valid `struct mmu_notifier_range` for the call, and the layouts are
        // the same by `repr(transparent)`.
        let update = unsafe { &*update.cast::<Update>() };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        match <T as Operations>::sync_cpu_device_pagetables(data, update) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// The object around a `struct hmm2019_mirror`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::hmm2019_mirror) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Operations> PinnedDrop for Mirror<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `hmm_mirror_unregister`).
        unsafe { bindings::hmm_mirror_unregister(self.inner.get()) };
    }
}

/// Addresses whose pages a driver wants, in its format.
///
/// The driver fills in `start` to `pfn_shift`, or `notifier` as well.
///
/// # Invariants
///
/// `inner` is a `struct hmm2019_range` that its constructor has initialised; it stays where it
/// is until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Range<T: Operations> {
    #[pin]
    inner: Opaque<bindings::hmm2019_range>,
    mirror: Arc<Mirror<T>>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Operations + Send> Send for Range<T> {}

impl<T: Operations> Range<T> {
    /// `hmm_range_register()`, with what goes before it.
    ///
    /// Entries have the page frame number from bit 12 up, bit 0 for a page, bit 1 for one that
    /// can be written, bit 2 for private memory; they are 0 where there is nothing, 8 for an
    /// error, 16 for what has no `struct page`.
    ///
    /// Context: any that may take a spinlock.
    ///
    /// # Errors
    ///
    /// As `hmm_range_register()`.
    pub fn new(mirror: Arc<Mirror<T>>, start: usize, end: usize) -> impl PinInit<Self, Error> {
        let raw_mirror = mirror.as_raw();
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::hmm2019_range| {
            // SAFETY: `slot` is room for a `struct hmm2019_range` that does not move; `mirror` is
            // kept alive by the object (`keeps`).
            to_result(unsafe { bindings::hmm2019_range_begin(slot, raw_mirror, start, end) })
        });
        try_pin_init!(Self {
            mirror,
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `struct hmm2019_range`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm2019_range {
        self.inner.get()
    }

    /// Wait for invalidations to end.
    ///
    /// A range that is valid stays so until an invalidation overlaps it. With a notifier this
    /// is `mmu_interval_read_begin()`, which knows no timeout.
    ///
    /// Returns whether the range is valid.
    ///
    /// Context: holds no lock that the mirror's callbacks take. May sleep.
    #[inline]
    pub fn wait_until_valid(&self, timeout: usize) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm2019_range`.
        unsafe { bindings::hmm_range_wait_until_valid(self.as_raw(), timeout) }
    }

    /// Whether nothing has changed.
    ///
    /// Returns whether no invalidation overlapped the range since
    /// `hmm_range_wait_until_valid()` said that it is valid, or since it was registered.
    ///
    /// Context: under the lock that `sync_cpu_device_pagetables()` takes to change the device's
    /// page table. As long as that is held, true stays true.
    #[inline]
    pub fn is_valid(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm2019_range`.
        unsafe { bindings::hmm_range_valid(self.as_raw()) }
    }

    /// Look at what is mapped.
    ///
    /// The mmap lock is taken for it. What is told is true for as long as `hmm_range_valid()`
    /// is.
    ///
    /// Returns as `hmm2019_range_fault()` with `HMM_FAULT_SNAPSHOT`; -`ENOSPC` when there are
    /// more pages than there is room for.
    ///
    /// Context: holds no mmap lock. May sleep.
    ///
    /// # Errors
    ///
    /// Fails with the error that the C function returns.
    #[inline]
    pub fn snapshot(&self, entries: &mut [u64]) -> Result<usize> {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm2019_range`; `entries` is
        // given with its own length.
        let value = unsafe {
            bindings::hmm2019_range_snapshot(self.as_raw(), entries.as_mut_ptr(), entries.len())
        };
        if value < 0 {
            return Err(Error::from_errno(value as c_int));
        }
        Ok(value as usize)
    }
}

#[pinned_drop]
impl<T: Operations> PinnedDrop for Range<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `hmm_range_unregister`).
        unsafe { bindings::hmm_range_unregister(self.inner.get()) };
    }
}
