// SPDX-License-Identifier: GPL-2.0

//! The page table that the device walks.
//!
//! It is the data of a [`Mirror`](kernel::hmm::Mirror): filled inside sections, read under the
//! update lock, and emptied by invalidations. It is the one place in which page frame numbers
//! outlive a section.

use core::marker::PhantomPinned;
use kernel::{
    bindings,
    dma::DmaAddress,
    hmm::{
        mirror::{
            DmaPagesData,
            DmaRun,
            ExclusiveData,
            Invalidation,
            MigratedPagesData,
            Operations,
            PagesData,
            PfnFlags,
            Run,
            Span, //
        },
        page::Block, //
    },
    impl_flags,
    page::PAGE_SHIFT,
    prelude::*,
    rbtree::RBTree, //
};

impl_flags!(
    /// The accesses that the device may make to a page.
    #[derive(Clone, Copy, Default, PartialEq, Eq)]
    pub struct Rights(u8);

    /// One kind of access.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub enum Right {
        /// Read it.
        Read = 1 << 0,
        /// Write to it.
        Write = 1 << 1,
    }
);

/// The device's TLB, which is flushed when entries are removed from the table.
pub(crate) trait Tlb: Send + 'static {
    /// Removes the entries of `span` from the TLB, and waits for accesses to it. Must not sleep.
    fn flush(&mut self, span: Span);

    /// The entries of `span` were removed, because of an invalidation, or because they were part of
    /// a larger entry of which a part was to be removed. Must not sleep. Needed by a driver that
    /// maps pages in advance.
    fn lost(&mut self, _span: Span) {}
}

/// Where consecutive pages are: that of the first.
#[derive(Clone, Copy)]
enum Target {
    /// A page frame number.
    Memory(usize),
    /// An address on the bus, of a page in the memory of another device.
    Peer(DmaAddress),
}

/// Consecutive pages, from number `first` to the one that is the key.
#[derive(Clone, Copy)]
struct Entry {
    first: usize,
    target: Target,
    rights: Rights,
    alone: bool,
}

/// The table.
///
/// # Invariants
///
/// Every entry was made by [`Table::map`] or its like of a run of a section on the mirror whose data
/// the table is, and is removed before the CPU's page table changes there. No two entries overlap. The table is pinned, as two tables that were swapped would have each other's
/// entries.
#[pin_data]
pub(crate) struct Table<D: Tlb> {
    entries: RBTree<usize, Entry>,
    device: D,
    #[pin]
    _pin: PhantomPinned,
}

impl<D: Tlb> Table<D> {
    /// Makes an empty table.
    pub(crate) fn new(device: D) -> impl PinInit<Self> {
        pin_init!(Self {
            entries: RBTree::new(),
            device,
            _pin: PhantomPinned,
        })
    }

    /// The first entry that overlaps the pages `first` to `last`, and its last page.
    fn find(&self, first: usize, last: usize) -> Option<(usize, Entry)> {
        let cursor = self.entries.cursor_lower_bound(&first)?;
        let (&end, &entry) = cursor.current();
        (entry.first <= last).then_some((end, entry))
    }

    /// Removes the entries that overlap `span`, each as a whole: to split one would need memory,
    /// and this must not fail.
    fn remove(self: Pin<&mut Self>, span: Span) {
        // SAFETY: Nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        let (first, last) = numbers(span);
        while let Some((end, entry)) = this.find(first, last) {
            this.entries.remove(&end);
            if entry.first < first {
                this.device
                    .lost(Span::new(entry.first << PAGE_SHIFT, span.start()));
            }
            if end > last {
                this.device
                    .lost(Span::new(span.end(), (end + 1) << PAGE_SHIFT));
            }
        }
        this.device.flush(span);
    }

    fn entry(&self, addr: usize) -> Option<Entry> {
        let vpn = addr >> PAGE_SHIFT;
        Some(self.find(vpn, vpn)?.1)
    }

    /// The accesses that the device may make to the page at `addr`.
    pub(crate) fn rights(&self, addr: usize) -> Rights {
        self.entry(addr).map_or(Rights::default(), |e| e.rights)
    }

    /// Whether the page at `addr` is in the memory of another device.
    pub(crate) fn is_peer(&self, addr: usize) -> bool {
        self.entry(addr)
            .is_some_and(|e| matches!(e.target, Target::Peer(_)))
    }

    /// Whether some page of `span` is exclusive to the device, for atomic operations.
    pub(crate) fn is_exclusive(&self, span: Span) -> bool {
        if span.pages() == 0 {
            return false;
        }
        let (first, last) = numbers(span);
        core::iter::successors(self.find(first, last), |(end, _)| self.find(end + 1, last))
            .any(|(_, entry)| entry.alone)
    }

    /// # Safety
    ///
    /// The run must be of a section, which has not ended, on the mirror whose data this table is;
    /// with `alone`, of an exclusive section.
    unsafe fn put(mut self: Pin<&mut Self>, run: &Run<'_>, rights: Rights, alone: bool) -> Result {
        self.as_mut().remove(run.span());
        if !run.flags().contains(PfnFlags::VALID) {
            return Err(EFAULT);
        }
        if rights.contains(Right::Write) && !run.flags().contains(PfnFlags::WRITE) {
            return Err(EPERM);
        }
        // SAFETY: The number leaves the table with the next invalidation.
        let target = Target::Memory(unsafe { run.pfn().into_raw() });
        // INVARIANT: By the function's requirements; entries that were there before are removed.
        self.insert(run.span(), target, rights, alone)
    }

    /// Adds an entry where there is none.
    fn insert(
        self: Pin<&mut Self>,
        span: Span,
        target: Target,
        rights: Rights,
        alone: bool,
    ) -> Result {
        let (first, last) = numbers(span);
        let entry = Entry {
            first,
            target,
            rights,
            alone,
        };
        // SAFETY: Nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };

        this.entries
            .try_create_and_insert(last, entry, GFP_ATOMIC)?;
        Ok(())
    }

    /// Translates an address, as the device's MMU does: the page at `addr`, or `None` if the device
    /// does not have all of `rights`, or if these are none, and must fault.
    pub(crate) fn lookup(&self, addr: usize, rights: Rights) -> Option<Mapped<'_>> {
        let entry = self.entry(addr)?;
        if rights == Rights::default() || !entry.rights.contains_all(rights) {
            return None;
        }
        let index = (addr >> PAGE_SHIFT) - entry.first;
        let pfn = match entry.target {
            Target::Memory(first) => first + index,
            Target::Peer(first) => {
                let offset = (index << PAGE_SHIFT) as DmaAddress;

                return Some(Mapped::Peer(first + offset));
            }
        };
        // SAFETY: By the type's invariants the process has this page at `addr`, for as long as the
        // table cannot change; it may be written to only if the entry has the right to write.
        let block = unsafe { Block::from_raw(bindings::hmm_section_pfn_to_page(pfn), 0) };
        Some(Mapped::Memory(MappedPage { block, rights }))
    }
}

/// The numbers of the first and the last page of `span`, which is not empty.
fn numbers(span: Span) -> (usize, usize) {
    (span.start() >> PAGE_SHIFT, (span.end() - 1) >> PAGE_SHIFT)
}

impl<D: Tlb> Table<D> {
    /// Lets the device access the pages of a run. What was mapped there before is removed, even if
    /// this fails.
    ///
    /// # Errors
    ///
    /// Fails with `EFAULT` where nothing is mapped, `EPERM` for a right that the process does not
    /// have, and `ENOMEM`.
    pub(crate) fn map<'s>(
        table: &mut PagesData<'s, Self>,
        run: &Run<'s>,
        rights: Rights,
    ) -> Result {
        // SAFETY: Run and table are of one section, as no other section has the lifetime `'s`.
        unsafe { table.as_pin().put(run, rights, false) }
    }

    /// As [`Table::map`], for a run of a section that migrates its pages.
    pub(crate) fn map_migrated<'s>(
        table: &mut MigratedPagesData<'s, Self>,
        run: &Run<'s>,
        rights: Rights,
    ) -> Result {
        // SAFETY: As in `map`.
        unsafe { table.as_pin().put(run, rights, false) }
    }

    /// As [`Table::map`], for a run of a section that gives addresses.
    pub(crate) fn map_dma<'s>(
        table: &mut DmaPagesData<'s, Self>,
        run: &Run<'s>,
        rights: Rights,
    ) -> Result {
        // SAFETY: As in `map`.
        unsafe { table.as_pin().put(run, rights, false) }
    }

    /// Lets the device access pages in the memory of another device, by their addresses; as
    /// [`Table::map`].
    pub(crate) fn map_peer<'s>(
        table: &mut DmaPagesData<'s, Self>,
        run: &DmaRun<'s>,
        rights: Rights,
    ) -> Result {
        let mut table = table.as_pin();

        table.as_mut().remove(run.span());
        if rights.contains(Right::Write) && !run.flags().contains(PfnFlags::WRITE) {
            return Err(EPERM);
        }
        // INVARIANT: Run and table are of one section, as in `map`; what was there is removed.
        table.insert(run.span(), Target::Peer(run.address()), rights, false)
    }

    /// Maps the pages of a run exclusively for the device, until the CPU accesses them; as
    /// [`Table::map`].
    pub(crate) fn map_exclusive<'s>(table: &mut ExclusiveData<'s, Self>, run: &Run<'s>) -> Result {
        // SAFETY: As in `map`, and the section is one that takes its pages from the CPU.
        unsafe { table.as_pin().put(run, Right::Read | Right::Write, true) }
    }
}

#[vtable]
impl<D: Tlb> Operations for Table<D> {
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        self.as_mut().remove(inv.span());
        // SAFETY: Nothing is moved out of it.
        unsafe { self.get_unchecked_mut() }.device.lost(inv.span());
        true
    }
}

/// What the device may access, for as long as the table cannot change.
pub(crate) enum Mapped<'t> {
    /// A page of system memory, or of the device's own.
    Memory(MappedPage<'t>),
    /// A page in the memory of another device, by its address on the bus. All of the rights that
    /// were requested are the device's.
    Peer(DmaAddress),
}

/// A page that the device may access.
pub(crate) struct MappedPage<'t> {
    block: Block<'t>,
    rights: Rights,
}

impl<'t> MappedPage<'t> {
    /// To read from it.
    pub(crate) fn block(&self) -> &Block<'t> {
        &self.block
    }

    /// To write to it, if the right to write was requested; the page is marked dirty in the
    /// process.
    pub(crate) fn block_mut(&mut self) -> Option<&mut Block<'t>> {
        if !self.rights.contains(Right::Write) {
            return None;
        }
        // SAFETY: The process has the page mapped, and so the mapping does not go away.
        unsafe { bindings::set_page_dirty(self.block.frame().as_raw()) };
        Some(&mut self.block)
    }
}
