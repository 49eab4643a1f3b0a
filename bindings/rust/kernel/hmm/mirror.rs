// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/hmm_mirror.h`.
//!
//! A [`Mirror`] is one process as one device sees it. The device's page table is its data, which
//! its update lock guards. A [`MirrorRange`] is a span of addresses whose changes are reported:
//! before the CPU's page table changes there, under the update lock, [`Operations::invalidate`] has
//! the device forget what it has mapped.
//!
//! A page frame number of a process is valid only under that lock, and only if nothing was
//! invalidated since it was looked up. [`Mirror::populate`] does what follows from this: it faults
//! in the pages, takes the lock, begins again if an invalidation came in between, and otherwise
//! calls a closure with the [`Pages`]. What the closure is given cannot leave it. Outside of such a
//! section [`Mirror::with_lock`] gives access to the device's page table.
//!
//! So a driver has three parts: [`Operations`], a [`Mirror`] with a [`MirrorRange`] for each
//! process that opens the device, and a fault handler that calls [`Mirror::populate`]. The example
//! of [`Mirror`] has all three, and `samples/hmm/rust` is a whole driver.
//!
//! # Locking
//!
//! The update lock of a mirror is taken inside the mmap lock and the locks of VMAs. Invalidations
//! run under it, in callbacks of mmu_notifier. What a driver runs under it, in
//! [`Operations::invalidate`], in [`Mirror::with_lock`] and in the closure of a section, must
//! therefore not allocate memory in a way that waits for reclaim (`GFP_NOWAIT` and `GFP_ATOMIC` do
//! not), not take the mmap lock, and not access user memory.
//!
//! # Devices that flush at the same time
//!
//! A process may use several devices, and each may need microseconds to flush its TLB. With
//! [`Operations::invalidate`] alone an invalidation waits for one flush after the other. A driver
//! that can start a flush and wait for it later has [`Operations::invalidate_finish`], too: the
//! former removes the entries from the device's page table, starts the flush and notes its number;
//! the latter waits until that flush has ended. All mirrors of a process start their flushes, and
//! then each waits for its own.
//!
//! Several invalidations of a mirror may have started before one is finished: it does not suffice
//! to wait for the first of several flushes. An invalidation that may not sleep, the end of a
//! range, the end of the process, and an invalidation that begins between the two calls for another
//! one, have both calls at once.
//!
//! # Device addresses
//!
//! A device behind the DMA API accesses memory by device addresses, for which a [`DmaMap`] has
//! room. [`Mirror::populate_dma`] maps each page that it reports. A page that has an address
//! already keeps it. The address is unmapped when the CPU's mapping changes, after
//! [`Operations::invalidate`] has returned: a driver unmaps none itself.
//!
//! # Memory of other devices
//!
//! A page in the private memory of a device of another owner has no address of the DMA API, and a
//! section migrates it to system memory. After [`DmaMap::accept_peers`] it stays where it is, if
//! the driver of that memory gives an address for it: the run's `peer` is true, and only the
//! address can be used. It is valid as long as any other of the section, until
//! [`Operations::invalidate`] for it has returned. Migration of the page is such an invalidation,
//! also if the owner of the memory evicts or retires it. So nothing is pinned for the device, and
//! the owner can remove its memory at any time.
//!
//! # Pages that migrate on the way
//!
//! [`Mirror::populate_in`] migrates the pages to device memory in one walk of the process's page
//! table, and reports them where they are afterwards. In its closure the folios that have migrated
//! are locked, so that a CPU which accesses one waits until the device has mapped it, and the mmap
//! lock is held. If one page of a batch cannot migrate, because it is pinned or on the device
//! already, none is locked, and a second walk reports the whole batch as any section does. So a
//! driver does not assume that pages are in device memory, but looks at the run. A batch is what
//! one PMD maps, so that large folios stay whole.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/hmm_mirror.h`](srctree/include/linux/hmm_mirror.h)

use crate::{
    bindings,
    container_of,
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
    /// None, as `HMM_ACCESS_SNAPSHOT`, but wait for pages that are migrating, and report them
    /// where they are then: for mapping in advance. Those of hugetlb are not waited for.
    Present = bindings::hmm_access_HMM_ACCESS_PRESENT,
}

/// A value of `bindings::mmu_notifier_event`.
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
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         mirror::Operations,
///         Event,
///         Invalidation, //
///     },
///     prelude::*, //
/// };
///
/// /// A device that counts the pages which it loses, and how often the process has ended.
/// #[derive(Default)]
/// struct Table {
///     lost: usize,
///     ended: usize,
/// }
///
/// #[vtable]
/// impl Operations for Table {
///     fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
///         if inv.event() == Event::RELEASE {
///             self.ended += 1;
///         }
///         // A device that has to wait for its TLB requests another try where it must not.
///         if !inv.may_block() {
///             return false;
///         }
///         self.lost += inv.span().pages();
///         true
///     }
/// }
/// # let _ = Table::default();
/// ```
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
/// It is valid inside its section, and cannot leave it.
///
/// # Examples
///
/// ```
/// use kernel::hmm::{
///     PfnFlags,
///     Run, //
/// };
///
/// /// How many pages of a run the device can write to, and the largest page that its table can have there.
/// fn writable(run: &Run<'_>) -> (usize, u32) {
///     let flags = run.flags();
///
///     match flags.contains(PfnFlags::VALID) && flags.contains(PfnFlags::WRITE) {
///         true => (run.span().pages(), run.map_order()),
///         false => (0, 0),
///     }
/// }
///
/// /// The largest page that the device can map for the run's first.
/// fn largest(run: &Run<'_>) -> usize {
///     1 << run.order().min(run.map_order())
/// }
///
/// /// The number for which the device keeps the run's first page; its entry is cleared in `invalidate`.
/// fn entry(run: &Run<'_>) -> usize {
///     // SAFETY: The device uses it under the update lock only, and forgets it when it is invalidated.
///     unsafe { run.pfn().into_raw() }
/// }
/// # let _ = (writable, largest, entry);
/// ```
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

    /// They are in the memory of another device, whose driver has given the addresses; see
    /// "Memory of other devices".
    #[inline]
    pub fn peer(&self) -> bool {
        self.0.peer
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
    /// Makes one of its members.
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

/// The callbacks of a [`Mirror`], which its user implements.
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
    /// Makes the device reach nothing in the span of `inv`.
    ///
    /// It runs under the update lock. When it returns true the device has forgotten the span:
    /// entries removed, its TLB flushed, writes in flight done. It may return false only when
    /// the event may not block and it would have to sleep; it is then called again later. If it
    /// returns false for an event that may block, it is called again at once, a few times, with
    /// a warning; then the DMA addresses are unmapped all the same.
    ///
    /// It is called for what the device's own driver migrates, too, as a process may have
    /// several mirrors with one owner. It is not called when a section of this very mirror
    /// takes a page from the CPU ([`Mirror::exclusive`]).
    fn invalidate(self: Pin<&mut Self>, inv: &Invalidation) -> bool;

    /// Called by C as `invalidate_finish`.
    fn invalidate_finish(self: Pin<&mut Self>, _inv: &Invalidation) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The process's address space is going away, or the mirror is.
    ///
    /// It is called once in the life of a mirror, with no lock held, after the ranges were
    /// invalidated; no callback runs after it. It may sleep, and it may drop the mirror:
    /// dropping waits for nothing.
    fn release(_mirror: &Mirror<Self>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// One process as one device sees it.
///
/// Nothing is reported to a mirror until it has a [`MirrorRange`]. Dropping it waits for
/// nothing; [`crate::hmm::synchronize`] waits for all that was dropped.
///
/// # Invariants
///
/// `storage` points to a `bindings::hmm_mirror` that its constructor has initialised, and to
/// the data that goes with it. It is valid until the object has ended, which happens after it
/// is dropped.
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
///     sync::Arc,
///     time::msecs_to_jiffies, //
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
/// /// The same, for a device that waits 10 ms at most.
/// fn fault_soon(mirror: &Mirror<Table>, span: Span) -> Result {
///     let soon = msecs_to_jiffies(10);
///     mirror.populate_with(span, Access::Write, soon, |pages, table| {
///         let mut table = table.as_pin();
///         table.pages += pages.runs().map(|run| run.span().pages()).sum::<usize>();
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
/// assert!(fault_soon(&mirror, Span::new(0, PAGE_SIZE)) == Err(EFAULT));
/// assert_eq!(mirror.with_lock(|table| table.pages)?, 0);
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
        invalidate_finish: if T::HAS_INVALIDATE_FINISH {
            Some(Self::invalidate_finish_callback)
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
    /// Begins to mirror the address space of a process.
    ///
    /// Nothing is reported to the mirror until it has a range. `owner` distinguishes mirrors of
    /// one driver from others; it is compared and never dereferenced. It must not be called
    /// under an mmap lock, and it may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `ENOMEM`, with `EDEADLK` if the caller has a
    /// [`Migration`](crate::hmm::devmem::Migration), or with `EINTR` on a signal.
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

    /// Returns a raw pointer to the `bindings::hmm_mirror`.
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

    /// Takes the update lock, under which the data can be changed and nothing is invalidated.
    ///
    /// `body` runs under the lock, if that was taken, and the lock is released when it returns;
    /// its result is returned.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EDEADLK`, and `body` does not run, if the thread holds the lock already, or
    /// is in a section or in `invalidate` of this mirror.
    #[inline]
    pub fn with_lock<R>(&self, body: impl FnOnce(&mut UpdateGuard<'_, T>) -> R) -> Result<R> {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_mirror`.
        to_result(unsafe { bindings::hmm_mirror_lock_once(self.as_raw()) })?;
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = UpdateGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        Ok(body(&mut guard))
    }

    /// Faults in the pages of a span and shows them, batch by batch, under the update lock.
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

    /// Faults in the pages of a span and shows them, batch by batch, under the update lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// What a batch shows matches the CPU's page table and stays so until `body` returns. It
    /// may sleep.
    ///
    /// It fails with one of these errors:
    ///
    /// * `EINVAL` - the span is empty, reversed or not page aligned, or pages cannot migrate
    ///   for this access
    /// * `EDEADLK` - the caller is in another section with the same update lock, holds it, or
    ///   is in `invalidate` under it; or it has a [`Migration`](crate::hmm::devmem::Migration),
    ///   and a page must be faulted in
    /// * `ESRCH` - the process is gone
    /// * `ENOENT` - part of the span is in no [`MirrorRange`], or the range was dropped
    ///   meanwhile
    /// * `EBUSY` - other invalidations won every race until the timeout
    /// * `EINTR` - a fatal signal
    /// * `EFAULT`, `EPERM`, `ENOMEM` - the process has no such memory, may not access it so, or
    ///   there is no memory
    /// * `EIO` - a page has no address for the device
    /// * `EOPNOTSUPP` - for [`Mirror::exclusive`]: memory that is not anonymous
    ///
    /// Batches before the one that failed were handled and stay so.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`, or with the error that ended the section.
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

    /// Takes the pages of a span from the CPU and shows them, one by one, under the update
    /// lock.
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

    /// Takes the pages of a span from the CPU and shows them, one by one, under the update
    /// lock.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `access` is `HMM_ACCESS_EXCLUSIVE`: Every page can be written, and only the device can
    /// access it, for atomic operations for example, until the CPU does: then it is invalidated
    /// like any other. Private anonymous memory only; one page at a time; the mirror must have
    /// an owner.
    ///
    /// Every page can be written, and the device has it to itself, for atomic operations for
    /// example, until the CPU touches it: then it is invalidated like any other. Private
    /// anonymous memory only; the mirror must have an owner. The errors are those of
    /// [`Mirror::populate_with`].
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`, or with the error that ended the section.
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

    /// As [`Mirror::populate`], with an address for the device for each page.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
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

    /// As [`Mirror::populate`], with an address for the device for each page.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `dma` is a [`DmaMap`] of the same mirror that has room for the span. The errors are
    /// those of [`Mirror::populate_with`].
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`, or with the error that ended the section.
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

    /// As [`Mirror::populate`], and migrates the pages to device memory on the way.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
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

    /// As [`Mirror::populate`], and migrates the pages to device memory on the way.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// Pages that cannot migrate are shown where they are. The errors are those of
    /// [`Mirror::populate_with`].
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`, or with the error that ended the section.
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
        // SAFETY: By the contract (`nonnull`) C passes a valid `struct hmm_invalidation` for the
        // call, and the layouts are the same by `repr(transparent)`.
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
    /// C must call this according to the contract of `invalidate_finish`, on the `inner` of an
    /// object of this type.
    unsafe extern "C" fn invalidate_finish_callback(
        mirror: *mut bindings::hmm_mirror,
        inv: *const bindings::hmm_invalidation,
    ) {
        // SAFETY: C calls back with the `struct hmm_mirror` that the constructor was given, and
        // not after `hmm_mirror_exit_deferred` has called `free`.
        let object = unsafe { Self::around(mirror) };
        // SAFETY: By the contract (`nonnull`) C passes a valid `struct hmm_invalidation` for the
        // call, and the layouts are the same by `repr(transparent)`.
        let inv = unsafe { &*inv.cast::<Invalidation>() };
        // SAFETY: By the contract (`requires(UpdateGuard)`) the lock is held, so no other thread
        // accesses the data.
        let data = unsafe { &mut *object.storage().data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        let data = unsafe { Pin::new_unchecked(data) };
        <T as Operations>::invalidate_finish(data, inv)
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

    /// The object around a `bindings::hmm_mirror`.
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
/// It exists while a closure runs, which does not own it and so cannot leak it.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
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

/// Pages of a mirror, valid while `body` runs.
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
    /// The pages of the batch, in runs of pages that are alike.
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

/// Steps through the items of a [`Pages`].
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

/// A page that the device has to itself, valid while `body` runs.
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
///     sync::Arc,
///     time::msecs_to_jiffies, //
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
/// /// The same, for a device that waits 10 ms at most.
/// fn atomic_fault_soon(mirror: &Mirror<Table>, addr: usize) -> Result {
///     let (span, soon) = (Span::new(addr, addr + PAGE_SIZE), msecs_to_jiffies(10));
///     mirror.exclusive_with(span, soon, |pages, table| {
///         table.as_pin().alone += pages.runs().count();
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
/// assert!(atomic_fault_soon(&mirror, PAGE_SIZE) == Err(EINVAL));
/// assert_eq!(mirror.with_lock(|table| table.alone)?, 0);
/// # Ok::<(), Error>(())
/// ```
pub struct Exclusive<'s> {
    state: &'s bindings::hmm_section,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Exclusive<'s> {
    /// The pages of the batch, in runs of pages that are alike.
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

/// Pages of a mirror with their addresses for the device, valid while `body` runs.
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
    /// The pages of the batch, in runs of pages that are alike.
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
    /// Takes `hmm_mirror_dma.lock`, as other sections map pages in the same entries. The wait
    /// for it is not killable, since an error could not be returned; others map or unmap
    /// `HMM_MIRROR_DMA_YIELD` pages at most while they hold it.
    ///
    /// Returns true if there is another run.
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

/// Steps through the items of a [`DmaPages`].
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

/// Pages of a mirror that were to migrate on the way, valid while `body` runs.
///
/// It exists only inside [`Mirror::populate_in`], and values from it cannot be kept.
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
///         Access,
///         AnyMemory,
///         Invalidation,
///         Mirror,
///         Span, //
///     },
///     prelude::*,
///     time::msecs_to_jiffies, //
/// };
///
/// /// A device that knows how many pages are in its own memory.
/// #[derive(Default)]
/// struct Table {
///     own: usize,
/// }
///
/// #[vtable]
/// impl Operations for Table {
///     fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
///         self.own = 0;
///         true
///     }
/// }
///
/// /// The device has faulted: the pages move to its memory, and it maps them before the CPU can.
/// fn fault(mirror: &Mirror<Table>, memory: &AnyMemory, span: Span) -> Result {
///     mirror.populate_in(span, Access::Write, memory, |pages, table| {
///         for run in pages.runs() {
///             table.own += run.frames().filter(|page| page.is_private()).count();
///         }
///         Ok(())
///     })
/// }
///
/// /// The same, for a device that waits 10 ms at most.
/// fn fault_soon(mirror: &Mirror<Table>, memory: &AnyMemory, span: Span) -> Result {
///     let soon = msecs_to_jiffies(10);
///     mirror.populate_in_with(span, Access::Write, memory, soon, |pages, table| {
///         table.as_pin().own += pages.runs().count();
///         Ok(())
///     })
/// }
/// # let _ = (Table::default(), fault, fault_soon);
/// ```
pub struct MigratedPages<'s> {
    state: &'s bindings::hmm_section,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> MigratedPages<'s> {
    /// The pages of the batch, in runs of pages that are alike.
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

/// A part of an address space that a [`Mirror`] covers: what happens to it is reported.
///
/// # Invariants
///
/// `inner` is a `bindings::hmm_mirror_range` that its constructor has initialised; it stays
/// where it is until it is dropped.
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
/// struct Table;
///
/// #[vtable]
/// impl Operations for Table {
///     fn invalidate(self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
///         true
///     }
/// }
///
/// # // SAFETY: A test runs in a thread of its own, which has no memory yet.
/// # unsafe { kernel::bindings::kunit_attach_mm() };
/// let current = current!();
/// let mm = current.mm().ok_or(EINVAL)?;
/// let mirror = Mirror::new(mm, core::ptr::null(), Table);
/// let mirror = Arc::pin_init(mirror, GFP_KERNEL)?;
///
/// // Two buffers of the process, each a range of its own.
/// let buffer = MirrorRange::new(mirror.clone(), Span::new(16 * PAGE_SIZE, 32 * PAGE_SIZE));
/// let buffer = KBox::pin_init(buffer, GFP_KERNEL)?;
/// let other = MirrorRange::new(mirror.clone(), Span::new(32 * PAGE_SIZE, 48 * PAGE_SIZE));
/// let _other = KBox::pin_init(other, GFP_KERNEL)?;
///
/// // Ranges do not overlap.
/// let overlaps = MirrorRange::new(mirror.clone(), Span::new(24 * PAGE_SIZE, 40 * PAGE_SIZE));
/// assert!(KBox::pin_init(overlaps, GFP_KERNEL).is_err());
/// // Dropping a range does not wait, and the mirror stays.
/// drop(buffer);
/// # Ok::<(), Error>(())
/// ```
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
    /// Has changes to the addresses of `span` reported to `mirror`.
    ///
    /// An invalidation anywhere in a range makes sections that are open on that range start
    /// again, so that several small ranges disturb each other less than a large one.
    /// Invalidation finds ranges in logarithmic time.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` for a span that is empty, reversed or not page aligned; `EEXIST` if
    /// another range of `mirror` overlaps; `ESRCH` if the process is gone, or the mirror is
    /// ending; `EDEADLK` if the caller holds the update lock, is inside a section of the mirror
    /// or in its `invalidate`; `ENOMEM`.
    ///
    /// May sleep.
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

    /// Returns a raw pointer to the `bindings::hmm_mirror_range`.
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

/// Addresses by which a device reaches the pages of a [`Mirror`].
///
/// An address goes before its page does: it is unmapped when the page is invalidated.
///
/// Dropping it waits for nothing: a work item has the device forget the addresses, and then
/// unmaps them. [`crate::hmm::synchronize`] waits for that, and must be called before the
/// device is unbound.
///
/// # Invariants
///
/// `storage` points to a `bindings::hmm_mirror_dma` that its constructor has initialised, and
/// to the data that goes with it. It is valid until the object has ended, which happens after
/// it is dropped.
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
///     sync::Arc,
///     time::msecs_to_jiffies, //
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
/// /// Room for the device addresses of a buffer, of which other devices may have a part in their
/// /// memory.
/// fn map(mirror: Arc<Mirror<Table>>, dev: &Device<Bound>, span: Span) -> Result<Map> {
///     let map = KBox::pin_init(DmaMap::new(mirror, dev, span), GFP_KERNEL)?;
///
///     map.accept_peers()?;
///     Ok(map)
/// }
///
/// /// The device has faulted: its table gets the pages' device addresses.
/// fn fault(mirror: &Mirror<Table>, dma: &DmaMap<Table>, span: Span) -> Result {
///     mirror.populate_dma(span, Access::Write, dma, |pages, table| {
///         for run in pages.addresses() {
///             // A device that caches what it reads does not cache the memory of another.
///             if !run.peer() {
///                 table.last = run.address();
///             }
///         }
///         Ok(())
///     })
/// }
///
/// /// The same, for a device that waits 10 ms at most.
/// fn fault_soon(mirror: &Mirror<Table>, dma: &DmaMap<Table>, span: Span) -> Result {
///     let soon = msecs_to_jiffies(10);
///     mirror.populate_dma_with(span, Access::Write, dma, soon, |pages, table| {
///         let mut table = table.as_pin();
///         for run in pages.addresses() {
///             table.last = run.address();
///         }
///         Ok(())
///     })
/// }
/// # let _ = (Table::default(), map, fault, fault_soon);
/// ```
pub struct DmaMap<T: Operations> {
    storage: NonNull<DmaMapStorage<T>>,
}

/// The storage of a [`DmaMap`].
#[pin_data]
struct DmaMapStorage<T: Operations> {
    #[pin]
    inner: Opaque<bindings::hmm_mirror_dma>,
    mirror: Arc<Mirror<T>>,
    dev: ARef<crate::device::Device>,
}

/// What the object keeps may be used on any thread, as it may.
const _: fn() = || {
    fn on_any_thread<T: Send + Sync>() {}
    on_any_thread::<ARef<crate::device::Device>>();
};

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Operations + Send> Send for DmaMap<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Operations + Send> Sync for DmaMap<T> {}

impl<T: Operations> DmaMap<T> {
    /// Makes room for the device addresses of a span.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` for a span that is empty, reversed or not page aligned, with
    /// `EOPNOTSUPP` for a device that cannot share memory, and with `ENOMEM`.
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
        let storage = try_pin_init!(DmaMapStorage {
            mirror,
            dev,
            inner <- inner,
        });
        try_init!(Self {
            storage: Self::allocate(storage)?,
        }? Error)
    }

    /// Returns a raw pointer to the `bindings::hmm_mirror_dma`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm_mirror_dma {
        self.storage().inner.get()
    }

    /// Lets the device access the memory of other devices.
    ///
    /// In sections with this map that begin later, a page in the private memory of another
    /// device stays there, if that one's driver gives an address for it. Needs 16 bytes for
    /// each page of the map's span. May be called again.
    ///
    /// It may sleep.
    ///
    /// # Errors
    ///
    /// Fails with `ENOMEM`; with `EDEADLK` if the caller holds the update lock, or is in a
    /// section or a callback of the mirror; and with `EOPNOTSUPP` in a kernel without device
    /// memory.
    #[inline]
    pub fn accept_peers(&self) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_mirror_dma`.
        to_result(unsafe { bindings::hmm_mirror_dma_accept_peers(self.as_raw()) })
    }

    /// Allocates the storage of an object.
    fn allocate(init: impl PinInit<DmaMapStorage<T>, Error>) -> Result<NonNull<DmaMapStorage<T>>> {
        let storage = KBox::pin_init(init, GFP_KERNEL)?;
        // SAFETY: The storage does not move until it is freed.
        let storage = unsafe { Pin::into_inner_unchecked(storage) };
        Ok(NonNull::from(KBox::leak(storage)))
    }

    #[inline]
    fn storage(&self) -> &DmaMapStorage<T> {
        // SAFETY: By the type's invariants the storage lives as long as the object.
        unsafe { self.storage.as_ref() }
    }

    /// Frees the storage of an object that has ended.
    ///
    /// # Safety
    ///
    /// C must call this once, with the `inner` of an object of this type that has ended.
    unsafe extern "C" fn free(ptr: *mut bindings::hmm_mirror_dma) {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        let storage = unsafe { container_of!(inner, DmaMapStorage<T>, inner) };
        // SAFETY: C calls this once, when the object has ended, so nothing refers to the storage,
        // which the constructor allocated.
        drop(unsafe { KBox::from_raw(storage) });
    }
}

impl<T: Operations> Drop for DmaMap<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and then
        // only its callbacks can reach it, until `hmm_mirror_dma_exit_deferred` calls `free`.
        unsafe { bindings::hmm_mirror_dma_exit_deferred(self.as_raw(), Some(Self::free)) };
    }
}

/// A page of memory.
///
/// # Invariants
///
/// A value of this type is a live `bindings::page`, reached by reference only.
///
/// # Examples
///
/// ```
/// use core::ffi::c_void;
/// use kernel::hmm::mirror::Frame;
///
/// /// How a device reaches a page.
/// #[derive(PartialEq)]
/// enum Way {
///     Own,
///     Peer,
///     Bus,
/// }
///
/// fn way(page: &Frame, owner: *const c_void) -> Way {
///     if !page.is_private() && !page.is_coherent() {
///         return Way::Bus;
///     }
///     match page.is_of(owner) {
///         true => Way::Own,
///         false => Way::Peer,
///     }
/// }
///
/// /// The CPU can read it, and does not share it as zeros.
/// fn has_content(page: &Frame) -> bool {
///     page.is_reachable() && !page.is_zero()
/// }
/// # let _ = (way, has_content);
/// ```
#[repr(transparent)]
pub struct Frame(Opaque<bindings::page>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Frame {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Frame {}

impl Frame {
    /// Returns a raw pointer to the `bindings::page`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::page {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::page` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::page) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Whether the CPU can access the bytes of a page.
    ///
    /// Memory that is poisoned later is not covered.
    ///
    /// Returns true if the bytes can be accessed.
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

    /// Whether it is device memory that the CPU cannot access.
    #[inline]
    pub fn is_private(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct page`.
        unsafe { bindings::is_device_private_page(self.as_raw()) }
    }

    /// Whether it is device memory that the CPU can access.
    #[inline]
    pub fn is_coherent(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct page`.
        unsafe { bindings::is_device_coherent_page(self.as_raw()) }
    }

    /// Whether it is the page of zeros that processes share.
    #[inline]
    pub fn is_zero(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct page`.
        unsafe { bindings::is_zero_page(self.as_raw()) }
    }
}
