// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: between the process's page table and the device's.
//!
//! Everything that connects the device's page table to the process's is in this file, and it goes
//! two ways.
//!
//! *From the process to the device*: before the CPU's page table changes, the device's entries of
//! those addresses have to be removed. The table does that; the driver only has to flush the
//! device's TLB (`table.rs`).
//!
//! *From the device to the process*: [`DmMirror::dm_populate`]. The device touched an address it
//! has no entry for. A section faults the pages in on the CPU, and reports them
//! under the lock that invalidations take. Inside the closure the pages are those of the process.
//! The driver need not check a sequence or retry, and no pfn can leave the closure.
//!
//! A section can also report what is mapped and fault nothing in: [`DmMirror::dm_snapshot`].

#![forbid(unsafe_code)]

use crate::{
    compute_unit::{
        DmOperand,
        DmWork, //
    },
    device::DmMirror,
    sim::table::{
        Right,
        Rights, //
    },
    table::DmTable,
    uapi, //
};
use kernel::{
    hmm::{
        mirror::{
            DmaMap,
            DmaRun,
            Frame,
            Run, //
        },
        Access,
        PfnFlags,
        Span,
        PMD_ORDER,
        PUD_ORDER, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sizes::SZ_2G, //
};

/// The device's rights to pages with these flags.
fn dm_rights(flags: PfnFlags) -> Rights {
    let mut rights = Rights::from(Right::Read);

    if flags.contains(PfnFlags::WRITE) {
        rights |= Right::Write;
    }
    rights
}

/// The device's rights to the pages of a run.
pub(crate) fn dm_run_rights(run: &Run<'_>) -> Rights {
    dm_rights(run.flags())
}

/// The access bits and size that a snapshot reports for each page of a run; `dm_place` adds the
/// memory it is in.
fn dm_run_prot(run: &Run<'_>) -> u8 {
    if run.flags().contains(PfnFlags::ERROR) {
        return uapi::PROT_ERROR;
    }
    if !run.flags().contains(PfnFlags::VALID) {
        return uapi::PROT_NONE;
    }
    let prot = match run.flags().contains(PfnFlags::WRITE) {
        true => uapi::PROT_WRITE,
        false => uapi::PROT_READ,
    };
    match run.map_order() {
        PMD_ORDER => prot | uapi::PROT_PMD,
        PUD_ORDER => prot | uapi::PROT_PUD,
        _ => prot,
    }
}

/// How many pages a [`DmWindow`] may have, with 32 bytes for each: 4 GiB.
const DM_WINDOW_PAGES: usize = SZ_2G / PAGE_SIZE * 2;

/// The addresses at which a unit accesses the memory of other units where it is.
pub(crate) struct DmWindow {
    span: Span,
    dma: Pin<KBox<DmaMap<DmTable>>>,
}

impl DmMirror {
    /// Accesses pages of `span` that are in the memory of other units where they are, from now on.
    ///
    /// # Errors
    ///
    /// Fails with `EBUSY` if there is a span already; with `ENOMEM`, also for more than
    /// [`DM_WINDOW_PAGES`]; and as [`DmaMap::new`] and [`DmaMap::accept_peers`].
    pub(crate) fn dm_accept_peers(&self, span: Span) -> Result {
        if self.window.as_ref().is_some() {
            return Err(EBUSY);
        }
        // Each page takes memory of the kernel.
        if span.pages() > DM_WINDOW_PAGES {
            return Err(ENOMEM);
        }
        let dma = DmaMap::new(self.mirror.clone(), self.unit.board.device(), span);
        let dma = KBox::pin_init(dma, GFP_KERNEL)?;

        dma.accept_peers()?;
        match self.window.populate(DmWindow { span, dma }) {
            true => Ok(()),
            false => Err(EBUSY),
        }
    }

    /// The window that the start of `span` is in, and the part of `span` of which that is true.
    fn dm_window_at(&self, span: Span) -> (Option<&DmWindow>, Span) {
        let Some(window) = self.window.as_ref() else {
            return (None, span);
        };
        let (start, end) = (window.span.start(), window.span.end());

        match span.start() {
            at if at < start => (None, Span::new(at, span.end().min(start))),
            at if at < end => (Some(window), Span::new(at, span.end().min(end))),
            _ => (None, span),
        }
    }

    /// Handles a fault of the device: maps `span`, which is of the operand that `work` is missing.
    ///
    /// The compute unit works on each section batch inside the section, where no invalidation can
    /// complete; after the section, the pages may be unmapped at any time. Stops when the compute
    /// unit needs pages other than the next batch. If the process prefers some of them to be in the
    /// unit's memory, they migrate on the way. Pages in the memory of other units stay there if the
    /// process wants that ([`Self::dm_accept_peers`]).
    ///
    /// # Errors
    ///
    /// Fails with `EFAULT` or `EPERM` when the process itself could not access `span` that way;
    /// `ENOMEM`; and otherwise as [`Mirror::populate`](kernel::hmm::Mirror::populate).
    pub(crate) fn dm_populate(
        &self,
        work: &mut DmWork<'_>,
        missing: DmOperand,
        span: Span,
    ) -> Result {
        let mut stopped = false;
        let access = match missing.rights.contains(Right::Write) {
            true => Access::Write,
            false => Access::Read,
        };
        // Only the first addresses, which have the same; the job faults on the others.
        let attribute = self.attributes.get(span);
        let (window, span) = self.dm_window_at(attribute.span());
        let timeout = work.timeout;
        let mut run_on = |end, table: &DmTable| {
            let next = self.dm_run(work, table)?;

            stopped = next.is_some_and(|next| next.rights != missing.rights)
                || work.position(missing.rights) != end;
            match stopped {
                true => Err(EAGAIN),
                false => Ok(()),
            }
        };
        let ret = match (self.dm_migrates(&attribute, access), window) {
            (true, _) => {
                let memory = self.unit.memory.any();

                self.mirror
                    .populate_in_with(span, access, memory, timeout, |pages, table| {
                        let mut end = span.start();

                        for run in pages.runs() {
                            DmTable::map_migrated(table, &run, dm_run_rights(&run))?;
                            end = run.span().end();
                        }
                        run_on(end, table)
                    })
            }
            (false, Some(window)) => {
                self.mirror
                    .populate_dma_with(span, access, &window.dma, timeout, |pages, table| {
                        let mut end = span.start();

                        for run in pages.runs() {
                            // A page in the memory of another unit is reported as absent.
                            if run.flags().contains(PfnFlags::VALID) {
                                DmTable::map_dma(table, &run, dm_run_rights(&run))?;
                            }
                            end = run.span().end();
                        }
                        // The unit accesses system memory by pfn, as its memory is the CPU's.
                        for run in pages.addresses().filter(DmaRun::peer) {
                            DmTable::map_peer(table, &run, dm_rights(run.flags()))?;
                        }
                        run_on(end, table)
                    })
            }
            (false, None) => self
                .mirror
                .populate_with(span, access, timeout, |pages, table| {
                    let mut end = span.start();

                    for run in pages.runs() {
                        DmTable::map(table, &run, dm_run_rights(&run))?;
                        end = run.span().end();
                    }
                    run_on(end, table)
                }),
        };

        match stopped {
            true => Ok(()),
            false => ret,
        }
    }

    /// Maps pages that only the device can access, for atomic operations.
    ///
    /// A CPU access ends that, maybe before this returns.
    ///
    /// # Errors
    ///
    /// Fails with `EOPNOTSUPP` for memory that is not private and anonymous, and otherwise as
    /// [`Self::dm_populate`].
    pub(crate) fn dm_populate_exclusive(&self, span: Span) -> Result {
        self.mirror.exclusive(span, |pages, table| {
            pages
                .runs()
                .try_for_each(|run| DmTable::map_exclusive(table, &run))
        })
    }

    /// The bit by which a snapshot reports in whose memory a page is.
    fn dm_place(&self, page: &Frame) -> u8 {
        let local = page.is_of(self.unit.owner());

        match (page.is_private(), page.is_coherent()) {
            (true, _) if local => uapi::PROT_DEV_PRIVATE_LOCAL,
            (true, _) => uapi::PROT_DEV_PRIVATE_REMOTE,
            (_, true) if local => uapi::PROT_DEV_COHERENT_LOCAL,
            (_, true) => uapi::PROT_DEV_COHERENT_REMOTE,
            _ if page.is_zero() => uapi::PROT_ZERO,
            _ => 0,
        }
    }

    /// Reports what the CPU maps: one byte for each page, `uapi::PROT_*`.
    ///
    /// Each section batch is consistent in itself. The whole of `span` is not: while one batch is
    /// being reported, another may change.
    pub(crate) fn dm_snapshot(&self, span: Span, mut prot: &mut [u8]) -> Result {
        self.mirror.populate(span, Access::Snapshot, |pages, _| {
            for run in pages.runs() {
                let all = dm_run_prot(&run);

                let (now, rest) = core::mem::take(&mut prot).split_at_mut(run.span().pages());

                now.fill(all);
                for (byte, page) in now.iter_mut().zip(run.frames()) {
                    *byte |= self.dm_place(page);
                }
                prot = rest;
            }
            Ok(())
        })
    }

    /// Maps a span whose pages are all in the unit's own memory.
    ///
    /// # Errors
    ///
    /// Fails with `ENOENT` when a page of `span` is in other memory or absent, and otherwise as
    /// [`Self::dm_populate`].
    pub(crate) fn dm_map_local(&self, span: Span) -> Result {
        let owner = self.unit.owner();

        self.mirror
            .populate(span, Access::Snapshot, |pages, table| {
                for run in pages.runs() {
                    let valid = run.flags().contains(PfnFlags::VALID);

                    if !valid || !run.frames().all(|page| page.is_of(owner)) {
                        return Err(ENOENT);
                    }
                    DmTable::map(table, &run, dm_run_rights(&run))?;
                }
                Ok(())
            })
    }
}
