// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/hmm_mirror.h`.
//!
//! A `struct hmm_mirror` stands for one process as one device sees it. It owns the reference to the
//! process's `struct mm_struct`, the *update lock* that guards the device's page table, and the
//! subscriptions that report when the CPU's page tables change. The driver implements how its
//! device forgets a span of addresses (`hmm_mirror_ops.invalidate`); the mirror decides when.
//!
//! Page frame numbers that the walker reports go stale as soon as the CPU's page table changes.
//! They may be used only under the update lock, after a check that nothing has changed since the
//! walk. A `struct hmm_section` implements this rule: it begins, faults, locks, checks and, if an
//! invalidation came in between, starts again. The pfns are valid inside the section and cannot be
//! named outside. The steps are in mm/hmm/mirror.h, "Protocol".
//!
//! A fault handler of a driver:
//!
//! ```text
//!     hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_WRITE) {
//!         hmm_section_runs(run, &pages) {
//!             ret = dm_table_map(&dm->table, run.span, run.pfn,
//!                        DM_MAY_READ | DM_MAY_WRITE);
//!             if (ret)
//!                 return ret;
//!         }
//!     }
//!     return ret;
//! ```
//!
//! The loops are in linux/hmm_mirror_typed.h, which is generated from the contracts of this header.
//!
//! # Locking
//!
//! From the outside in: the mmap lock or a VMA's lock (while faulting; and inside sections that
//! migrate pages, together with the locks of their folios), then the update lock. Invalidation
//! takes the update lock alone, from within mmu_notifier callbacks: the code that a driver runs
//! under the update lock must therefore not allocate memory in a way that waits for reclaim
//! (`GFP_NOWAIT` and `GFP_ATOMIC` are fine), must not take the mmap lock, and must not fault on
//! user memory.
//!
//! The update lock is the mirror's own mutex, `hmm_mirror.lock`, unless the driver provides
//! another: one for the mirror (`hmm_mirror_init_lock()`) or one for each range
//! (`hmm_mirror_range_add_lock()`). Faults and invalidations of ranges with different locks do not
//! wait for each other.
//!
//! A `struct rw_semaphore` is taken for writing by invalidations and for reading by sections, so
//! that sections of one range run concurrently; the driver then protects its page table against
//! concurrent sections itself.
//!
//! A driver that holds two update locks at once, or takes locks of its own in a different order for
//! different mirrors, gives them lockdep classes with lockdep_set_class(`mirror->lock`, ...) after
//! `hmm_mirror_init()`.
//!
//! # Device addresses
//!
//! A device behind the DMA API accesses memory by device addresses. A `struct hmm_mirror_dma` has
//! room for those of a span. A section with one as its `hmm_section.dma` maps every page that it
//! reports for the device before its body runs:
//!
//! ```text
//!     hmm_mirror_populate_dma(pages, ret, &dm->mirror, span, HMM_ACCESS_WRITE,
//!                 &dm->dma) {
//!         hmm_section_dma_pages_addresses(run, &pages) {
//!             ret = dm_table_map_dma(&dm->table, run.dma_run.span,
//!                            run.dma_run.address);
//!             if (ret)
//!                 return ret;
//!         }
//!     }
//!     return ret;
//! ```
//!
//! A page that has an address already keeps it. It is unmapped when the CPU's mapping changes,
//! after `hmm_mirror_ops.invalidate` has returned: a driver unmaps no address itself.
//!
//! A driver with several devices calls `hmm_section_dma_map()` for each inside the section.
//!
//! # Pages that migrate on the way
//!
//! A device that faults may need the pages in its own memory. A section with
//! `hmm_section.migrate_to` does that in one walk of the process's page table: absent pages are
//! faulted in, pages that can migrate are migrated, and the section reports them where they are
//! afterwards:
//!
//! ```text
//!     hmm_mirror_populate(pages, ret, &dm->mirror, span, HMM_ACCESS_WRITE,
//!                 .migrate_to = &dm->memory) {
//!         ret = dm_map_pages(dm, &pages);
//!         if (ret)
//!             return ret;
//!     }
//!     return ret;
//! ```
//!
//! Inside, the migrated folios are locked, so that a CPU that touches one waits until the device
//! has mapped it. The mmap lock is held, too. If one page of a batch cannot migrate, because it is
//! pinned or on the device already, none is locked, and a second walk reports the whole batch as
//! any section does. So a driver must not assume that pages are in device memory, but read it from
//! the run. A batch is what one PMD maps, so that large folios stay whole.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/hmm_mirror.h`](srctree/include/linux/hmm_mirror.h)

use crate::{
    bindings,
    error::{
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
    prelude::*,
    sync::{
        aref::ARef, //
        Arc,
    },
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::{
        ManuallyDrop,
        MaybeUninit, //
    },
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::NonNull, //
};
use pin_init::Wrapper;

/// The access to its pages that a section makes possible.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// None; report the mapped pages and fault nothing in.
    Snapshot = bindings::hmm_access_HMM_ACCESS_SNAPSHOT,
    /// Every page can be read, or the section fails.
    Read = bindings::hmm_access_HMM_ACCESS_READ,
    /// Every page can be written, or the section fails.
    Write = bindings::hmm_access_HMM_ACCESS_WRITE,
}

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

/// An integer described by `hmm_pfn_flags`.
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

    /// The integer.
    #[inline]
    pub const fn into_raw(self) -> usize {
        self.0
    }
}

/// Addresses that the device must forget, and the reason.
#[repr(transparent)]
pub struct Invalidation(pub(crate) bindings::hmm_invalidation);

impl Invalidation {
    /// The addresses, clipped to the range.
    #[inline]
    pub fn span(&self) -> Span {
        Span(self.0.span)
    }

    /// The change of the CPU's page tables.
    #[inline]
    pub fn event(&self) -> Event {
        Event(self.0.event)
    }

    /// Whether the callback may sleep.
    #[inline]
    pub fn may_block(&self) -> bool {
        self.0.may_block
    }
}

/// The `pfn` of a [`Run`]: a number that means something inside the section that it comes from,
/// and cannot leave it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pfn<'s>(pub(crate) usize, PhantomData<fn(&'s ()) -> &'s ()>);

impl Pfn<'_> {
    /// The number.
    ///
    /// # Safety
    ///
    /// The number is meaningless once the section has ended. The caller must not use it after
    /// that, unless something else keeps it valid.
    #[inline]
    pub unsafe fn into_raw(self) -> usize {
        self.0
    }
}

/// Consecutive pages that can be mapped as one.
///
/// Its pages are all of one `struct dev_pagemap`, or all of system memory.
///
/// It is valid inside its section, and cannot leave it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Run<'s>(
    pub(crate) bindings::hmm_run,
    PhantomData<fn(&'s ()) -> &'s ()>,
);

impl<'s> Run<'s> {
    /// Their addresses.
    #[inline]
    pub fn span(&self) -> Span {
        Span(self.0.span)
    }

    /// The first one's page frame number.
    #[inline]
    pub fn pfn(&self) -> Pfn<'s> {
        Pfn(self.0.pfn, PhantomData)
    }

    /// The flags of all of them: `HMM_PFN_VALID`, `HMM_PFN_WRITE`, `HMM_PFN_ERROR`.
    #[inline]
    pub fn flags(&self) -> PfnFlags {
        PfnFlags(self.0.flags)
    }

    /// The largest order that fits: no larger than `map_order`, 1 << `order` pages are in
    /// `span`, and its start and `pfn` are aligned to it.
    #[inline]
    pub fn order(&self) -> u32 {
        self.0.order
    }

    /// The order with which the CPU maps the pages, of which the run may be a part.
    #[inline]
    pub fn map_order(&self) -> u32 {
        self.0.map_order
    }
}

/// Consecutive pages with consecutive device addresses.
///
/// It is valid inside its section, and cannot leave it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct DmaRun<'s>(
    pub(crate) bindings::hmm_dma_run,
    PhantomData<fn(&'s ()) -> &'s ()>,
);

impl DmaRun<'_> {
    /// Their addresses.
    #[inline]
    pub fn span(&self) -> Span {
        Span(self.0.span)
    }

    /// The first one's device address.
    #[inline]
    pub fn address(&self) -> crate::dma::DmaAddress {
        self.0.address
    }

    /// The flags of all of them: `HMM_PFN_VALID`, `HMM_PFN_WRITE`.
    #[inline]
    pub fn flags(&self) -> PfnFlags {
        PfnFlags(self.0.flags)
    }
}

/// A half-open interval of user addresses.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::Span,
///     page::PAGE_SIZE, //
/// };
///
/// let span = Span::new(16 * PAGE_SIZE, 20 * PAGE_SIZE);
/// assert_eq!(span.pages(), 4);
/// assert_eq!(span.end() - span.start(), 4 * PAGE_SIZE);
/// assert!(span.is_user());
/// ```
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Span(pub(crate) bindings::hmm_span);

impl Span {
    /// Makes a `struct hmm_span`.
    #[inline]
    pub const fn new(start: usize, end: usize) -> Self {
        Self(bindings::hmm_span { start, end })
    }

    /// First address, in bytes, page aligned.
    #[inline]
    pub fn start(&self) -> usize {
        self.0.start
    }

    /// Address after the last, in bytes, page aligned.
    #[inline]
    pub fn end(&self) -> usize {
        self.0.end
    }

    /// The length of a span.
    ///
    /// Returns how many pages of `PAGE_SIZE` it has; 0 for a reversed one.
    #[inline]
    pub fn pages(self) -> usize {
        // SAFETY: The only argument is a value that has no pointers.
        unsafe { bindings::hmm_span_pages(self.0) }
    }

    /// Whether a span has user addresses only.
    ///
    /// It makes no difference whether anything is mapped there.
    ///
    /// Returns true if all of its addresses are user addresses; false for a reversed span.
    #[inline]
    pub fn is_user(self) -> bool {
        // SAFETY: The only argument is a value that has no pointers.
        unsafe { bindings::hmm_span_is_user(self.0) }
    }
}

/// A driver's callbacks for its mirrors.
///
/// The implementing type is the data that the [`Mirror`] holds.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         mirror::Operations,
///         Invalidation, //
///     },
///     prelude::*, //
/// };
///
/// /// A device's page table, of which nothing is kept but how much there is.
/// #[derive(Default)]
/// struct Table {
///     pages: usize,
/// }
///
/// #[vtable]
/// impl Operations for Table {
///     fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
///         self.pages -= self.pages.min(inv.span().pages());
///         true
///     }
/// }
/// # let _ = Table::default();
/// ```
#[vtable]
pub trait Operations: Sized + Send + 'static {
    /// Remove `inv->span` from the device's page table. Called under the update lock. When it
    /// returns true the device cannot access the span: entries removed, its TLB flushed, writes
    /// in flight done. It may return false only when `inv->may_block` is false and it would
    /// have to sleep; it is then called again later. If it returns false although
    /// `inv->may_block`, it is called again at once, a few times, with a warning; then its DMA
    /// addresses are unmapped all the same. Required.
    ///
    /// Also called for migrations by the device's own driver: a process may have several
    /// mirrors with one owner, and only one of them migrates. Not called when a section of this
    /// mirror makes a page exclusive (`HMM_ACCESS_EXCLUSIVE`).
    fn invalidate(self: Pin<&mut Self>, inv: &Invalidation) -> bool;

    /// The process's address space is going away, or the mirror is. Called once in the life of
    /// a mirror, with no lock held, after the ranges were invalidated; no callback runs after
    /// it. May sleep. It must not end the mirror or a range of it; `hmm_mirror_exit_deferred()`
    /// does that safely. Optional.
    fn release(_mirror: &Mirror<Self>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// One process as one device sees it.
///
/// # Invariants
///
/// `storage` points to a `struct hmm_mirror` that its constructor has initialised, and to the
/// data that goes with it. It is valid until the object has ended, which happens after it is
/// dropped.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         mirror::Operations,
///         Access,
///         Invalidation,
///         Mirror,
///         MirrorRange,
///         Span, //
///     },
///     page::PAGE_SIZE,
///     prelude::*,
///     sync::Arc, //
/// };
///
/// #[derive(Default)]
/// struct Table {
///     pages: usize,
/// }
///
/// #[vtable]
/// impl Operations for Table {
///     fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
///         self.pages = 0;
///         true
///     }
/// }
///
/// /// The device has faulted: its table gets what the process has, which cannot change meanwhile.
/// fn fault(mirror: &Mirror<Table>, span: Span) -> Result {
///     mirror.populate(span, Access::Write, |pages, table| {
///         for run in pages.runs() {
///             table.pages += run.span().pages();
///         }
///         Ok(())
///     })
/// }
///
/// let owner = core::ptr::null();
/// # // SAFETY: A test runs in a thread of its own, which has no memory yet.
/// # unsafe { kernel::bindings::kunit_attach_mm() };
/// let current = current!();
/// let mm = current.mm().ok_or(EINVAL)?;
/// let mirror = Arc::pin_init(Mirror::new(mm, owner, Table::default()), GFP_KERNEL)?;
/// let everything = MirrorRange::new(mirror.clone(), Span::ALL);
/// let _everything = KBox::pin_init(everything, GFP_KERNEL)?;
///
/// // The first page of an address space is nobody's.
/// assert!(fault(&mirror, Span::new(0, PAGE_SIZE)) == Err(EFAULT));
/// assert_eq!(mirror.lock().pages, 0);
/// # Ok::<(), Error>(())
/// ```
pub struct Mirror<T: Operations> {
    storage: NonNull<MirrorStorage<T>>,
}

/// The storage of a [`Mirror`].
#[pin_data]
struct MirrorStorage<T: Operations> {
    #[pin]
    inner: Opaque<bindings::hmm_mirror>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Operations + Send> Send for Mirror<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Operations + Send> Sync for Mirror<T> {}

impl<T: Operations> Mirror<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::hmm_mirror_ops = bindings::hmm_mirror_ops {
        invalidate: Some(Self::invalidate_callback),
        release: if T::HAS_RELEASE {
            Some(Self::release_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Begin to mirror an address space.
    ///
    /// Nothing is reported to the mirror until it has a range. The first mirror of a process
    /// takes the mmap lock; others cost no more than a range.
    ///
    /// Context: holds no mmap lock; `mm` is current's or kept alive by `mmget()`. May sleep. On
    /// success a reference to `mm` is held, which does not keep the process's memory, until
    /// `hmm_mirror_exit()`.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` without `hmm_mirror_ops.invalidate`; `ENOMEM`; `EINTR` on a signal.
    pub fn new<'a, E: 'a>(
        mm: &'a crate::mm::MmWithUser,
        owner: *const c_void,
        data: impl PinInit<T, E> + 'a,
    ) -> impl PinInit<Self, Error> + 'a
    where
        T: 'a,
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::hmm_mirror| {
            // SAFETY: `slot` is storage for a `struct hmm_mirror` that does not move; `mm` is a
            // reference and so valid for the call.
            to_result(unsafe {
                bindings::hmm_mirror_init(slot, mm.as_raw(), &Self::OPERATIONS, owner.cast_mut())
            })
        });
        let storage = try_pin_init!(MirrorStorage {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        });
        try_init!(Self {
            storage: Self::allocate(storage)?,
        }? Error)
    }

    /// Returns a raw pointer to the `struct hmm_mirror`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm_mirror {
        self.storage().inner.get()
    }

    /// Allocates the storage of an object.
    fn allocate(init: impl PinInit<MirrorStorage<T>, Error>) -> Result<NonNull<MirrorStorage<T>>> {
        let storage = KBox::pin_init(init, GFP_KERNEL)?;
        // SAFETY: The storage does not move until it is freed.
        let storage = unsafe { Pin::into_inner_unchecked(storage) };
        Ok(NonNull::from(KBox::leak(storage)))
    }

    #[inline]
    fn storage(&self) -> &MirrorStorage<T> {
        // SAFETY: By the type's invariants the storage lives as long as the object.
        unsafe { self.storage.as_ref() }
    }

    /// Frees the storage of an object that has ended.
    ///
    /// # Safety
    ///
    /// C must call this once, with the `inner` of an object of this type that has ended.
    unsafe extern "C" fn free(ptr: *mut bindings::hmm_mirror) {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        let storage = unsafe { container_of!(inner, MirrorStorage<T>, inner) };
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        drop(unsafe { KBox::from_raw(storage) });
    }

    /// Take the update lock.
    ///
    /// While it is held no invalidation runs and no section is entered, so the entries of the
    /// device's page table stay valid, except in ranges that have a lock of their own. May
    /// sleep. A task that holds it already, that is inside a section of this mirror or in its
    /// invalidate callback deadlocks; lockdep reports that.
    #[inline]
    pub fn lock(&self) -> UpdateGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_mirror`.
        unsafe { bindings::hmm_mirror_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        UpdateGuard {
            owner: self,
            _not_send: NotThreadSafe,
        }
    }

    /// The state of a section; its pfns are valid under the update lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// # Errors
    ///
    /// As [`Self::populate_with`], to which it gives zero for `timeout`.
    #[inline]
    pub fn populate(
        &self,
        span: Span,
        access: Access,
        body: impl for<'s> FnMut(&Pages<'s>, &mut PagesData<'s, T>) -> Result,
    ) -> Result {
        self.populate_with(span, access, 0, body)
    }

    /// The state of a section; its pfns are valid under the update lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// On true the update lock is held and `hmm_section.pfns` holds valid pfns for the pages of
    /// `hmm_section.batch`: they match the CPU's page table until the next call or
    /// `hmm_section_leave()`. `hmm_section_runs()` iterates over them in runs.
    ///
    /// On false the section was left: its end was reached, or `hmm_section.error` is one of
    ///
    /// * -`EINVAL` - the span is empty, reversed or not page aligned; the access is one that
    ///   pages cannot migrate for; `hmm_section.dma` is of another mirror or has no room for
    ///   the span; `hmm_section.whole` cannot be met; or there is no array of hmm pfns
    /// * -`EDEADLK` - the caller is in another section with the same update lock, or holds it
    ///   itself, and it is a mutex; or is in an invalidate callback under it. A caller that
    ///   holds the lock of another range or mirror may deadlock; lockdep reports that
    /// * -`ESRCH` - the process is gone
    /// * -`ENOENT` - part of the span is in no range of the mirror, or the range was removed
    ///   meanwhile
    /// * -`EBUSY` - other invalidations won every race until the timeout
    /// * -`EINTR` - a fatal signal
    /// * -`EFAULT`, -`EPERM`, -`ENOMEM` - as `hmm_range_fault()`
    /// * -`EIO` - the DMA API had no address for a page
    /// * -`EOPNOTSUPP` - for `HMM_ACCESS_EXCLUSIVE`: memory that is not anonymous
    ///
    /// What the driver has mapped in earlier batches stays mapped. Use the pages of a batch
    /// before the next call if the whole span may not fit in memory.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`. 0 when every page was handled, or one of the errors
    /// listed at `hmm_section_next()`.
    pub fn populate_with(
        &self,
        span: Span,
        access: Access,
        timeout: crate::time::Jiffies,
        mut body: impl for<'s> FnMut(&Pages<'s>, &mut PagesData<'s, T>) -> Result,
    ) -> Result {
        let mut room =
            [const { MaybeUninit::<usize>::uninit() }; bindings::HMM_SECTION_BATCH as usize];
        let mut state = PagesState(bindings::hmm_section {
            mirror: self.as_raw(),
            span: span.0,
            access: access as bindings::hmm_access,
            timeout,
            pfns: room.as_mut_ptr().cast(),
            nr_pfns: bindings::HMM_SECTION_BATCH,
            ..pin_init::zeroed()
        });
        loop {
            // SAFETY: The state is set up as `struct hmm_section` requires, for the object
            // `self`; no view of an earlier batch exists.
            let inside = unsafe { bindings::hmm_section_next(&mut state.0) };
            if !inside {
                break;
            }
            let shown = Pages {
                state: &state.0,
                _brand: PhantomData,
            };
            // SAFETY: By the contract (`enter`, `holds(UpdateGuard)`) the lock is held, so no
            // other thread accesses the data.
            let data = unsafe { &mut *self.storage().data.get() };
            // SAFETY: The data is pinned with its object, and does not move.
            let data = unsafe { Pin::new_unchecked(data) };
            body(
                &shown,
                &mut PagesData {
                    data,
                    _brand: PhantomData,
                },
            )?;
        }
        // SAFETY: The state is valid, and no view of it exists any more.
        to_result(unsafe { bindings::hmm_section_error(&state.0) })
    }

    /// The state of a section; its pfns are valid under the update lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `access` is `HMM_ACCESS_EXCLUSIVE`: Every page can be written, and only the device can
    /// access it, for atomic operations for example, until the CPU does: then it is invalidated
    /// like any other. Private anonymous memory only; one page at a time; the mirror must have
    /// an owner.
    ///
    /// # Errors
    ///
    /// As [`Self::exclusive_with`], to which it gives zero for `timeout`.
    #[inline]
    pub fn exclusive(
        &self,
        span: Span,
        body: impl for<'s> FnMut(&Exclusive<'s>, &mut ExclusiveData<'s, T>) -> Result,
    ) -> Result {
        self.exclusive_with(span, 0, body)
    }

    /// The state of a section; its pfns are valid under the update lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `access` is `HMM_ACCESS_EXCLUSIVE`: Every page can be written, and only the device can
    /// access it, for atomic operations for example, until the CPU does: then it is invalidated
    /// like any other. Private anonymous memory only; one page at a time; the mirror must have
    /// an owner.
    ///
    /// On true the update lock is held and `hmm_section.pfns` holds valid pfns for the pages of
    /// `hmm_section.batch`: they match the CPU's page table until the next call or
    /// `hmm_section_leave()`. `hmm_section_runs()` iterates over them in runs.
    ///
    /// On false the section was left: its end was reached, or `hmm_section.error` is one of
    ///
    /// * -`EINVAL` - the span is empty, reversed or not page aligned; the access is one that
    ///   pages cannot migrate for; `hmm_section.dma` is of another mirror or has no room for
    ///   the span; `hmm_section.whole` cannot be met; or there is no array of hmm pfns
    /// * -`EDEADLK` - the caller is in another section with the same update lock, or holds it
    ///   itself, and it is a mutex; or is in an invalidate callback under it. A caller that
    ///   holds the lock of another range or mirror may deadlock; lockdep reports that
    /// * -`ESRCH` - the process is gone
    /// * -`ENOENT` - part of the span is in no range of the mirror, or the range was removed
    ///   meanwhile
    /// * -`EBUSY` - other invalidations won every race until the timeout
    /// * -`EINTR` - a fatal signal
    /// * -`EFAULT`, -`EPERM`, -`ENOMEM` - as `hmm_range_fault()`
    /// * -`EIO` - the DMA API had no address for a page
    /// * -`EOPNOTSUPP` - for `HMM_ACCESS_EXCLUSIVE`: memory that is not anonymous
    ///
    /// What the driver has mapped in earlier batches stays mapped. Use the pages of a batch
    /// before the next call if the whole span may not fit in memory.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`. 0 when every page was handled, or one of the errors
    /// listed at `hmm_section_next()`.
    pub fn exclusive_with(
        &self,
        span: Span,
        timeout: crate::time::Jiffies,
        mut body: impl for<'s> FnMut(&Exclusive<'s>, &mut ExclusiveData<'s, T>) -> Result,
    ) -> Result {
        let mut room =
            [const { MaybeUninit::<usize>::uninit() }; bindings::HMM_SECTION_BATCH as usize];
        let mut state = PagesState(bindings::hmm_section {
            mirror: self.as_raw(),
            span: span.0,
            timeout,
            access: bindings::hmm_access_HMM_ACCESS_EXCLUSIVE,
            pfns: room.as_mut_ptr().cast(),
            nr_pfns: bindings::HMM_SECTION_BATCH,
            ..pin_init::zeroed()
        });
        loop {
            // SAFETY: The state is set up as `struct hmm_section` requires, for the object
            // `self`; no view of an earlier batch exists.
            let inside = unsafe { bindings::hmm_section_next(&mut state.0) };
            if !inside {
                break;
            }
            let shown = Exclusive {
                state: &state.0,
                _brand: PhantomData,
            };
            // SAFETY: By the contract (`enter`, `holds(UpdateGuard)`) the lock is held, so no
            // other thread accesses the data.
            let data = unsafe { &mut *self.storage().data.get() };
            // SAFETY: The data is pinned with its object, and does not move.
            let data = unsafe { Pin::new_unchecked(data) };
            body(
                &shown,
                &mut ExclusiveData {
                    data,
                    _brand: PhantomData,
                },
            )?;
        }
        // SAFETY: The state is valid, and no view of it exists any more.
        to_result(unsafe { bindings::hmm_section_error(&state.0) })
    }

    /// The state of a section; its pfns are valid under the update lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `dma`: The map for device addresses, or NULL: see "Device addresses"; of the same
    /// mirror, with room for `span`.
    ///
    /// # Errors
    ///
    /// As [`Self::populate_dma_with`], to which it gives zero for `timeout`.
    #[inline]
    pub fn populate_dma(
        &self,
        span: Span,
        access: Access,
        dma: &DmaMap<T>,
        body: impl for<'s> FnMut(&DmaPages<'s>, &mut DmaPagesData<'s, T>) -> Result,
    ) -> Result {
        self.populate_dma_with(span, access, dma, 0, body)
    }

    /// The state of a section; its pfns are valid under the update lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `dma`: The map for device addresses, or NULL: see "Device addresses"; of the same
    /// mirror, with room for `span`.
    ///
    /// On true the update lock is held and `hmm_section.pfns` holds valid pfns for the pages of
    /// `hmm_section.batch`: they match the CPU's page table until the next call or
    /// `hmm_section_leave()`. `hmm_section_runs()` iterates over them in runs.
    ///
    /// On false the section was left: its end was reached, or `hmm_section.error` is one of
    ///
    /// * -`EINVAL` - the span is empty, reversed or not page aligned; the access is one that
    ///   pages cannot migrate for; `hmm_section.dma` is of another mirror or has no room for
    ///   the span; `hmm_section.whole` cannot be met; or there is no array of hmm pfns
    /// * -`EDEADLK` - the caller is in another section with the same update lock, or holds it
    ///   itself, and it is a mutex; or is in an invalidate callback under it. A caller that
    ///   holds the lock of another range or mirror may deadlock; lockdep reports that
    /// * -`ESRCH` - the process is gone
    /// * -`ENOENT` - part of the span is in no range of the mirror, or the range was removed
    ///   meanwhile
    /// * -`EBUSY` - other invalidations won every race until the timeout
    /// * -`EINTR` - a fatal signal
    /// * -`EFAULT`, -`EPERM`, -`ENOMEM` - as `hmm_range_fault()`
    /// * -`EIO` - the DMA API had no address for a page
    /// * -`EOPNOTSUPP` - for `HMM_ACCESS_EXCLUSIVE`: memory that is not anonymous
    ///
    /// What the driver has mapped in earlier batches stays mapped. Use the pages of a batch
    /// before the next call if the whole span may not fit in memory.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`. 0 when every page was handled, or one of the errors
    /// listed at `hmm_section_next()`.
    pub fn populate_dma_with(
        &self,
        span: Span,
        access: Access,
        dma: &DmaMap<T>,
        timeout: crate::time::Jiffies,
        mut body: impl for<'s> FnMut(&DmaPages<'s>, &mut DmaPagesData<'s, T>) -> Result,
    ) -> Result {
        let mut room =
            [const { MaybeUninit::<usize>::uninit() }; bindings::HMM_SECTION_BATCH as usize];
        let mut state = PagesState(bindings::hmm_section {
            mirror: self.as_raw(),
            span: span.0,
            access: access as bindings::hmm_access,
            timeout,
            dma: dma.as_raw(),
            pfns: room.as_mut_ptr().cast(),
            nr_pfns: bindings::HMM_SECTION_BATCH,
            ..pin_init::zeroed()
        });
        loop {
            // SAFETY: The state is set up as `struct hmm_section` requires, for the object
            // `self`; no view of an earlier batch exists.
            let inside = unsafe { bindings::hmm_section_next(&mut state.0) };
            if !inside {
                break;
            }
            let shown = DmaPages {
                state: &state.0,
                _brand: PhantomData,
            };
            // SAFETY: By the contract (`enter`, `holds(UpdateGuard)`) the lock is held, so no
            // other thread accesses the data.
            let data = unsafe { &mut *self.storage().data.get() };
            // SAFETY: The data is pinned with its object, and does not move.
            let data = unsafe { Pin::new_unchecked(data) };
            body(
                &shown,
                &mut DmaPagesData {
                    data,
                    _brand: PhantomData,
                },
            )?;
        }
        // SAFETY: The state is valid, and no view of it exists any more.
        to_result(unsafe { bindings::hmm_section_error(&state.0) })
    }

    /// The state of a section; its pfns are valid under the update lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `migrate_to`: Device memory that the pages are to be in, or NULL: see "Pages that
    /// migrate on the way". For `HMM_ACCESS_READ` and `HMM_ACCESS_WRITE`.
    ///
    /// # Errors
    ///
    /// As [`Self::populate_in_with`], to which it gives zero for `timeout`.
    #[inline]
    pub fn populate_in(
        &self,
        span: Span,
        access: Access,
        migrate_to: &crate::hmm::AnyMemory,
        body: impl for<'s> FnMut(&MigratedPages<'s>, &mut MigratedPagesData<'s, T>) -> Result,
    ) -> Result {
        self.populate_in_with(span, access, migrate_to, 0, body)
    }

    /// The state of a section; its pfns are valid under the update lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `migrate_to`: Device memory that the pages are to be in, or NULL: see "Pages that
    /// migrate on the way". For `HMM_ACCESS_READ` and `HMM_ACCESS_WRITE`.
    ///
    /// On true the update lock is held and `hmm_section.pfns` holds valid pfns for the pages of
    /// `hmm_section.batch`: they match the CPU's page table until the next call or
    /// `hmm_section_leave()`. `hmm_section_runs()` iterates over them in runs.
    ///
    /// On false the section was left: its end was reached, or `hmm_section.error` is one of
    ///
    /// * -`EINVAL` - the span is empty, reversed or not page aligned; the access is one that
    ///   pages cannot migrate for; `hmm_section.dma` is of another mirror or has no room for
    ///   the span; `hmm_section.whole` cannot be met; or there is no array of hmm pfns
    /// * -`EDEADLK` - the caller is in another section with the same update lock, or holds it
    ///   itself, and it is a mutex; or is in an invalidate callback under it. A caller that
    ///   holds the lock of another range or mirror may deadlock; lockdep reports that
    /// * -`ESRCH` - the process is gone
    /// * -`ENOENT` - part of the span is in no range of the mirror, or the range was removed
    ///   meanwhile
    /// * -`EBUSY` - other invalidations won every race until the timeout
    /// * -`EINTR` - a fatal signal
    /// * -`EFAULT`, -`EPERM`, -`ENOMEM` - as `hmm_range_fault()`
    /// * -`EIO` - the DMA API had no address for a page
    /// * -`EOPNOTSUPP` - for `HMM_ACCESS_EXCLUSIVE`: memory that is not anonymous
    ///
    /// What the driver has mapped in earlier batches stays mapped. Use the pages of a batch
    /// before the next call if the whole span may not fit in memory.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`. 0 when every page was handled, or one of the errors
    /// listed at `hmm_section_next()`.
    pub fn populate_in_with(
        &self,
        span: Span,
        access: Access,
        migrate_to: &crate::hmm::AnyMemory,
        timeout: crate::time::Jiffies,
        mut body: impl for<'s> FnMut(&MigratedPages<'s>, &mut MigratedPagesData<'s, T>) -> Result,
    ) -> Result {
        let mut room =
            [const { MaybeUninit::<usize>::uninit() }; bindings::HMM_SECTION_BATCH as usize];
        let mut state = PagesState(bindings::hmm_section {
            mirror: self.as_raw(),
            span: span.0,
            access: access as bindings::hmm_access,
            timeout,
            migrate_to: migrate_to.as_raw(),
            pfns: room.as_mut_ptr().cast(),
            nr_pfns: bindings::HMM_SECTION_BATCH,
            ..pin_init::zeroed()
        });
        loop {
            // SAFETY: The state is set up as `struct hmm_section` requires, for the object
            // `self`; no view of an earlier batch exists.
            let inside = unsafe { bindings::hmm_section_next(&mut state.0) };
            if !inside {
                break;
            }
            let shown = MigratedPages {
                state: &state.0,
                _brand: PhantomData,
            };
            // SAFETY: By the contract (`enter`, `holds(UpdateGuard)`) the lock is held, so no
            // other thread accesses the data.
            let data = unsafe { &mut *self.storage().data.get() };
            // SAFETY: The data is pinned with its object, and does not move.
            let data = unsafe { Pin::new_unchecked(data) };
            body(
                &shown,
                &mut MigratedPagesData {
                    data,
                    _brand: PhantomData,
                },
            )?;
        }
        // SAFETY: The state is valid, and no view of it exists any more.
        to_result(unsafe { bindings::hmm_section_error(&state.0) })
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `invalidate`, on the `inner` of an object
    /// of this type.
    unsafe extern "C" fn invalidate_callback(
        mirror: *mut bindings::hmm_mirror,
        inv: *const bindings::hmm_invalidation,
    ) -> bool {
        // SAFETY: C calls back with the `struct hmm_mirror` that the constructor was given, and
        // not after `hmm_mirror_exit_deferred` has called `free`.
        let object = unsafe { Self::around(mirror) };
        // SAFETY: C passes a valid `struct hmm_invalidation` for the call, and the layouts are
        // the same by `repr(transparent)`.
        let inv = unsafe { &*inv.cast::<Invalidation>() };
        // SAFETY: By the contract (`requires(UpdateGuard)`) the lock is held, so no other thread
        // accesses the data.
        let data = unsafe { &mut *object.storage().data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        let data = unsafe { Pin::new_unchecked(data) };
        <T as Operations>::invalidate(data, inv)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `release`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn release_callback(mirror: *mut bindings::hmm_mirror) {
        // SAFETY: C calls back with the `struct hmm_mirror` that the constructor was given, and
        // not after `hmm_mirror_exit_deferred` has called `free`.
        let object = unsafe { Self::around(mirror) };
        <T as Operations>::release(&object)
    }

    /// The object around a `struct hmm_mirror`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of an object of this type, whose storage is not freed
    /// while the result is used.
    #[inline]
    unsafe fn around(ptr: *mut bindings::hmm_mirror) -> ManuallyDrop<Self> {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let storage = unsafe { container_of!(inner, MirrorStorage<T>, inner) };
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let storage = unsafe { NonNull::new_unchecked(storage) };
        ManuallyDrop::new(Self { storage })
    }
}

impl<T: Operations> Drop for Mirror<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and then
        // only its callbacks can reach it, until `hmm_mirror_exit_deferred` calls `free`.
        unsafe { bindings::hmm_mirror_exit_deferred(self.as_raw(), Some(Self::free)) };
    }
}

/// A lock of [`Mirror`] that is held.
///
/// It is left when this is dropped.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct UpdateGuard<'a, T: Operations> {
    owner: &'a Mirror<T>,
    _not_send: NotThreadSafe,
}

impl<'a, T: Operations> Deref for UpdateGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `UpdateGuard` is shared.
        unsafe { &*self.owner.storage().data.get() }
    }
}

impl<'a, T: Operations> UpdateGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(UpdateGuard = exclusive)`) no
        // other one is.
        let data = unsafe { &mut *self.owner.storage().data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T: Operations> DerefMut for UpdateGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T: Operations> Drop for UpdateGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::hmm_mirror_unlock(self.owner.as_raw()) };
    }
}

/// The state of a section; its pfns are valid under the update lock.
///
/// The caller sets the first nine members, the others are zero, and goes from batch to batch
/// with `hmm_section_next()`. The loops of linux/hmm_mirror_typed.h do both:
/// `hmm_mirror_populate()`, `hmm_mirror_populate_dma()` and `hmm_mirror_exclusive()`. They
/// provide `pfns`, too.
///
/// It exists only inside [`Mirror::populate`], and values from it cannot be kept.
///
/// # Invariants
///
/// The section is entered for as long as this exists.
pub struct Pages<'s> {
    state: &'s bindings::hmm_section,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

/// The state of a section; the section is left when this is dropped (`hmm_section_leave`).
struct PagesState(bindings::hmm_section);

impl Drop for PagesState {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the contract (`leave`) `hmm_section_leave` may be called inside the section
        // and after it.
        unsafe { bindings::hmm_section_leave(&mut self.0) };
    }
}

impl<'s> Pages<'s> {
    /// Find the next run of pages; use `hmm_section_runs()`.
    ///
    /// Returns true if there is another run.
    ///
    /// Context: inside the section.
    #[inline]
    pub fn runs(&self) -> Runs<'s> {
        let mut item: bindings::hmm_run = pin_init::zeroed();
        item.span.start = self.state.batch.start;
        item.span.end = self.state.batch.start;
        Runs {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }
}

/// The data of a [`Mirror`] inside [`Mirror::populate`]; values of one section cannot be used
/// with the data of another.
pub struct PagesData<'s, T> {
    data: Pin<&'s mut T>,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<T> PagesData<'_, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        self.data.as_mut()
    }
}

impl<T> Deref for PagesData<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: Unpin> DerefMut for PagesData<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// Steps through the items of a [`Pages`] with `hmm_section_run()`.
pub struct Runs<'s> {
    state: &'s bindings::hmm_section,
    item: bindings::hmm_run,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Iterator for Runs<'s> {
    type Item = Run<'s>;
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The section is entered for all of `'s`, and `item` is as the previous step left
        // it.
        let more = unsafe { bindings::hmm_section_run(self.state, &mut self.item) };
        more.then_some(Run(self.item, PhantomData))
    }
}

/// The state of a section; its pfns are valid under the update lock.
///
/// The caller sets the first nine members, the others are zero, and goes from batch to batch
/// with `hmm_section_next()`. The loops of linux/hmm_mirror_typed.h do both:
/// `hmm_mirror_populate()`, `hmm_mirror_populate_dma()` and `hmm_mirror_exclusive()`. They
/// provide `pfns`, too.
///
/// It exists only inside [`Mirror::exclusive`], and values from it cannot be kept.
///
/// # Invariants
///
/// The section is entered for as long as this exists.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         mirror::Operations,
///         Invalidation,
///         Mirror,
///         MirrorRange,
///         Span, //
///     },
///     page::PAGE_SIZE,
///     prelude::*,
///     sync::Arc, //
/// };
///
/// /// A device that knows of how many pages it has to itself.
/// #[derive(Default)]
/// struct Table {
///     alone: usize,
/// }
///
/// #[vtable]
/// impl Operations for Table {
///     fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
///         self.alone = 0;
///         true
///     }
/// }
///
/// /// The device is going to use an atomic operation: the page is taken from the CPU, until the CPU touches it.
/// fn atomic_fault(mirror: &Mirror<Table>, addr: usize) -> Result {
///     mirror.exclusive(Span::new(addr, addr + PAGE_SIZE), |pages, table| {
///         table.alone += pages.runs().count();
///         Ok(())
///     })
/// }
///
/// # // SAFETY: A test runs in a thread of its own, which has no memory yet.
/// # unsafe { kernel::bindings::kunit_attach_mm() };
/// let current = current!();
/// let mm = current.mm().ok_or(EINVAL)?;
/// let nobody = core::ptr::null();
/// let mirror = Arc::pin_init(Mirror::new(mm, nobody, Table::default()), GFP_KERNEL)?;
/// let everything = MirrorRange::new(mirror.clone(), Span::ALL);
/// let _everything = KBox::pin_init(everything, GFP_KERNEL)?;
///
/// // It has to be somebody who takes it: the mirror needs an owner.
/// assert!(atomic_fault(&mirror, PAGE_SIZE) == Err(EINVAL));
/// assert_eq!(mirror.lock().alone, 0);
/// # Ok::<(), Error>(())
/// ```
pub struct Exclusive<'s> {
    state: &'s bindings::hmm_section,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Exclusive<'s> {
    /// Find the next run of pages; use `hmm_section_runs()`.
    ///
    /// Returns true if there is another run.
    ///
    /// Context: inside the section.
    #[inline]
    pub fn runs(&self) -> Runs<'s> {
        let mut item: bindings::hmm_run = pin_init::zeroed();
        item.span.start = self.state.batch.start;
        item.span.end = self.state.batch.start;
        Runs {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }
}

/// The data of a [`Mirror`] inside [`Mirror::exclusive`]; values of one section cannot be used
/// with the data of another.
pub struct ExclusiveData<'s, T> {
    data: Pin<&'s mut T>,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<T> ExclusiveData<'_, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        self.data.as_mut()
    }
}

impl<T> Deref for ExclusiveData<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: Unpin> DerefMut for ExclusiveData<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// The state of a section; its pfns are valid under the update lock.
///
/// The caller sets the first nine members, the others are zero, and goes from batch to batch
/// with `hmm_section_next()`. The loops of linux/hmm_mirror_typed.h do both:
/// `hmm_mirror_populate()`, `hmm_mirror_populate_dma()` and `hmm_mirror_exclusive()`. They
/// provide `pfns`, too.
///
/// It exists only inside [`Mirror::populate_dma`], and values from it cannot be kept.
///
/// # Invariants
///
/// The section is entered for as long as this exists.
pub struct DmaPages<'s> {
    state: &'s bindings::hmm_section,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> DmaPages<'s> {
    /// Find the next run of pages; use `hmm_section_runs()`.
    ///
    /// Returns true if there is another run.
    ///
    /// Context: inside the section.
    #[inline]
    pub fn runs(&self) -> Runs<'s> {
        let mut item: bindings::hmm_run = pin_init::zeroed();
        item.span.start = self.state.batch.start;
        item.span.end = self.state.batch.start;
        Runs {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }

    /// Find the next run of device addresses.
    ///
    /// Takes `hmm_mirror.dma_lock`, as other sections map pages in the same entries.
    ///
    /// Returns true if there is another run.
    ///
    /// Context: inside the section. May sleep.
    #[inline]
    pub fn addresses(&self) -> Addresses<'s> {
        let mut item: bindings::hmm_dma_run = pin_init::zeroed();
        item.span.start = self.state.batch.start;
        item.span.end = self.state.batch.start;
        Addresses {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }
}

/// The data of a [`Mirror`] inside [`Mirror::populate_dma`]; values of one section cannot be
/// used with the data of another.
pub struct DmaPagesData<'s, T> {
    data: Pin<&'s mut T>,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<T> DmaPagesData<'_, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        self.data.as_mut()
    }
}

impl<T> Deref for DmaPagesData<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: Unpin> DerefMut for DmaPagesData<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// Steps through the items of a [`DmaPages`] with `hmm_section_dma_run()`.
pub struct Addresses<'s> {
    state: &'s bindings::hmm_section,
    item: bindings::hmm_dma_run,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Iterator for Addresses<'s> {
    type Item = DmaRun<'s>;
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The section is entered for all of `'s`, and `item` is as the previous step left
        // it.
        let more = unsafe { bindings::hmm_section_dma_run(self.state, &mut self.item) };
        more.then_some(DmaRun(self.item, PhantomData))
    }
}

/// The state of a section; its pfns are valid under the update lock.
///
/// The caller sets the first nine members, the others are zero, and goes from batch to batch
/// with `hmm_section_next()`. The loops of linux/hmm_mirror_typed.h do both:
/// `hmm_mirror_populate()`, `hmm_mirror_populate_dma()` and `hmm_mirror_exclusive()`. They
/// provide `pfns`, too.
///
/// It exists only inside [`Mirror::populate_in`], and values from it cannot be kept.
///
/// # Invariants
///
/// The section is entered for as long as this exists.
pub struct MigratedPages<'s> {
    state: &'s bindings::hmm_section,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> MigratedPages<'s> {
    /// Find the next run of pages; use `hmm_section_runs()`.
    ///
    /// Returns true if there is another run.
    ///
    /// Context: inside the section.
    #[inline]
    pub fn runs(&self) -> Runs<'s> {
        let mut item: bindings::hmm_run = pin_init::zeroed();
        item.span.start = self.state.batch.start;
        item.span.end = self.state.batch.start;
        Runs {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }
}

/// The data of a [`Mirror`] inside [`Mirror::populate_in`]; values of one section cannot be
/// used with the data of another.
pub struct MigratedPagesData<'s, T> {
    data: Pin<&'s mut T>,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<T> MigratedPagesData<'_, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        self.data.as_mut()
    }
}

impl<T> Deref for MigratedPagesData<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: Unpin> DerefMut for MigratedPagesData<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// Addresses whose invalidations are reported to a mirror.
///
/// All zeros before it is added for the first time.
///
/// # Invariants
///
/// `inner` is a `struct hmm_mirror_range` that its constructor has initialised; it stays where
/// it is until it is dropped.
#[pin_data(PinnedDrop)]
pub struct MirrorRange<T: Operations> {
    #[pin]
    inner: Opaque<bindings::hmm_mirror_range>,
    mirror: Arc<Mirror<T>>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Operations + Send> Send for MirrorRange<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Operations + Send> Sync for MirrorRange<T> {}

impl<T: Operations> MirrorRange<T> {
    /// `hmm_mirror_range_add()` for storage with any content.
    ///
    /// An invalidation anywhere in a range makes sections open on that range start again, so
    /// several small ranges disturb each other less than a large one. Invalidation finds ranges
    /// in logarithmic time.
    ///
    /// Context: as `hmm_mirror_range_add()`.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` for a span that is empty, reversed or not page aligned; `EEXIST`
    /// when another range of `mirror` overlaps; `ESRCH` when the process is gone, or the mirror
    /// is ending; `EDEADLK` when the caller holds the update lock, is inside a section of the
    /// mirror or in its invalidate callback; `ENOMEM`.
    pub fn new(mirror: Arc<Mirror<T>>, span: Span) -> impl PinInit<Self, Error> {
        let raw_mirror = mirror.as_raw();
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::hmm_mirror_range| {
            // SAFETY: `slot` is storage for a `struct hmm_mirror_range` that does not move;
            // `mirror` is kept alive by the object (`keeps`).
            to_result(unsafe { bindings::hmm_mirror_range_init(raw_mirror, slot, span.0) })
        });
        try_pin_init!(Self {
            mirror,
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `struct hmm_mirror_range`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm_mirror_range {
        self.inner.get()
    }
}

#[pinned_drop]
impl<T: Operations> PinnedDrop for MirrorRange<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `hmm_mirror_range_remove_deferred`).
        unsafe { bindings::hmm_mirror_range_remove_deferred(self.inner.get()) };
    }
}

/// Device addresses for the pages of a span of a mirror.
///
/// # Invariants
///
/// `inner` is a `struct hmm_mirror_dma` that its constructor has initialised; it stays where it
/// is until it is dropped.
///
/// # Examples
///
/// ```
/// use kernel::{
///     device::{
///         Bound,
///         Device, //
///     },
///     hmm::{
///         mirror::{
///             DmaMap,
///             Operations, //
///         },
///         Access,
///         Invalidation,
///         Mirror,
///         Span, //
///     },
///     prelude::*,
///     sync::Arc, //
/// };
///
/// /// A device's page table, of which nothing is kept but the address that was entered last.
/// #[derive(Default)]
/// struct Table {
///     last: u64,
/// }
///
/// #[vtable]
/// impl Operations for Table {
///     /// Only clear the device's own entries: C unmaps the addresses when this has returned.
///     fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
///         self.last = 0;
///         true
///     }
/// }
///
/// type Map = Pin<KBox<DmaMap<Table>>>;
///
/// /// Room for the device addresses of a buffer.
/// fn map(mirror: Arc<Mirror<Table>>, dev: &Device<Bound>, span: Span) -> Result<Map> {
///     KBox::pin_init(DmaMap::new(mirror, dev, span), GFP_KERNEL)
/// }
///
/// /// The device has faulted: its table gets the pages' device addresses.
/// fn fault(mirror: &Mirror<Table>, dma: &DmaMap<Table>, span: Span) -> Result {
///     mirror.populate_dma(span, Access::Write, dma, |pages, table| {
///         for run in pages.addresses() {
///             table.last = run.address();
///         }
///         Ok(())
///     })
/// }
/// # let _ = (Table::default(), map, fault);
/// ```
#[pin_data(PinnedDrop)]
pub struct DmaMap<T: Operations> {
    #[pin]
    inner: Opaque<bindings::hmm_mirror_dma>,
    mirror: Arc<Mirror<T>>,
    dev: ARef<crate::device::Device>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Operations + Send> Send for DmaMap<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Operations + Send> Sync for DmaMap<T> {}

impl<T: Operations> DmaMap<T> {
    /// Make room for device addresses.
    ///
    /// Context: holds neither the update lock nor an mmap lock. May sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` for a span that is empty, reversed or not page aligned; `EOPNOTSUPP`
    /// for a device that cannot share memory; `ENOMEM`.
    pub fn new(
        mirror: Arc<Mirror<T>>,
        dev: &crate::device::Device<crate::device::Bound>,
        span: Span,
    ) -> impl PinInit<Self, Error> {
        let raw_mirror = mirror.as_raw();
        let dev: ARef<crate::device::Device> = dev.into();
        let raw_dev = dev.as_raw();
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::hmm_mirror_dma| {
            // SAFETY: `slot` is storage for a `struct hmm_mirror_dma` that does not move;
            // `mirror` is kept alive by the object (`keeps`); `dev` is kept alive by the object
            // (`keeps`).
            to_result(unsafe { bindings::hmm_mirror_dma_init(slot, raw_mirror, raw_dev, span.0) })
        });
        try_pin_init!(Self {
            mirror,
            dev,
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `struct hmm_mirror_dma`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm_mirror_dma {
        self.inner.get()
    }
}

#[pinned_drop]
impl<T: Operations> PinnedDrop for DmaMap<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `hmm_mirror_dma_exit`).
        unsafe { bindings::hmm_mirror_dma_exit(self.inner.get()) };
    }
}

/// A `struct page`.
///
/// # Invariants
///
/// A value of this type is a live `struct page`, reached by reference only.
#[repr(transparent)]
pub struct Frame(Opaque<bindings::page>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Frame {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Frame {}

impl Frame {
    /// Returns a raw pointer to the `struct page`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::page {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `struct page` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::page) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Whether the CPU can access the bytes of a page.
    ///
    /// A device may be given pages that the CPU cannot access by `kmap_local_page()`:
    /// device-private memory, poisoned memory, and pages that a driver has removed from the
    /// kernel's direct map and mapped for a process. For a device that accesses memory by DMA
    /// this makes no difference. A driver that simulates a device, or copies with the CPU, must
    /// call this first.
    ///
    /// Memory that is poisoned later is not covered.
    ///
    /// Returns true if the bytes can be accessed.
    ///
    /// Context: any.
    #[inline]
    pub fn is_reachable(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct page`.
        unsafe { bindings::hmm_page_is_reachable(self.as_raw()) }
    }

    /// Whether a page is in the memory of some device.
    ///
    /// Returns true for device-private and device-coherent pages of `owner`.
    #[inline]
    pub fn is_of(&self, owner: *const c_void) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct page`.
        unsafe { bindings::hmm_page_is_of(self.as_raw(), owner.cast_mut()) }
    }

    /// Calls `is_device_private_page()`.
    #[inline]
    pub fn is_private(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct page`.
        unsafe { bindings::is_device_private_page(self.as_raw()) }
    }

    /// Calls `is_device_coherent_page()`.
    #[inline]
    pub fn is_coherent(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct page`.
        unsafe { bindings::is_device_coherent_page(self.as_raw()) }
    }

    /// Calls `is_zero_page()`.
    #[inline]
    pub fn is_zero(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct page`.
        unsafe { bindings::is_zero_page(self.as_raw()) }
    }
}
