// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: the compute unit of the simulated device.
//!
//! It stands for hardware. It accesses the process's memory by virtual address only, through the
//! device's page table. If the table has no entry for an address it stops, the driver handles the
//! fault ([`dm_populate`](DmMirror::dm_populate)), and the compute unit continues there.
//!
//! It runs under the update lock. Real hardware takes no lock: a flush of the device's TLB waits
//! there until no access by an old translation is under way. The lock stands for that: no
//! invalidation ends while the compute unit accesses a page.
//!
//! The driver faults in the rest of an operand and not a single page, as it knows what the compute
//! unit is going to access. A driver that sees fault addresses only has to guess. If the process's
//! memory cgroup is smaller than the operand, pages that were faulted in first are evicted before
//! the last ones arrive. So the compute unit works on each batch inside the section, and makes
//! progress with any amount of memory.

#![forbid(unsafe_code)]

use crate::{
    device::DmMirror,
    memory::{
        dm_page,
        dm_page_mut,
        dm_peer, //
    },
    sim::table::{
        Mapped,
        Rights, //
    },
    table::DmTable, //
};
use kernel::{
    hmm::{
        cond_resched_killable,
        page::Bytes,
        Span, //
    },
    page::{
        page_align,
        PAGE_MASK,
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*, //
};

/// How many pages the compute unit works on before it releases the update lock.
const DM_STEPS: usize = 64;
/// How many device faults in a row may bring no progress before the work fails with `EBUSY`.
const DM_LOST_ROUNDS: u32 = 1000;
/// How many operands there are at most: each may be missing once.
const DM_OPERANDS: u32 = 2;

/// A vector in the process's memory.
#[derive(Clone, Copy)]
pub(crate) struct DmOperand {
    /// The address that the compute unit accesses next.
    pub(crate) now: usize,
    /// The address behind the last byte.
    pub(crate) end: usize,
    /// The access that the compute unit needs.
    pub(crate) rights: Rights,
}

/// What the compute unit computes.
pub(crate) enum DmPiece<'a> {
    /// Copy from the process's memory to the buffer.
    Read(&'a mut KVVec<u8>),
    /// Copy from the buffer to the process's memory.
    Write(&'a [u8]),
    /// `y = a * x + y`
    Saxpy {
        /// The factor.
        a: i32,
        /// The other vector.
        y: DmOperand,
    },
    /// Add up the elements.
    Sum(i64),
}

/// A job for the compute unit.
pub(crate) struct DmWork<'a> {
    /// The vector that it works on; a second vector, or the buffer, is as long.
    pub(crate) x: DmOperand,
    /// What it computes.
    pub(crate) piece: DmPiece<'a>,
    /// How long to try for a page, in jiffies, or 0.
    pub(crate) timeout: usize,
    /// How often the table had no entry for an operand.
    pub(crate) faults: u64,
}

impl DmWork<'_> {
    fn is_done(&self) -> bool {
        self.x.now >= self.x.end
    }

    /// The position in the operand with these rights, which no other operand has.
    pub(crate) fn position(&self, rights: Rights) -> usize {
        match &self.piece {
            DmPiece::Saxpy { y, .. } if y.rights == rights => y.now,
            _ => self.x.now,
        }
    }
}

impl DmOperand {
    /// The span to fault in: the rest of the operand. After `lost` faults without progress it is
    /// halved each time, so that fewer pages can be reclaimed before they are used.
    fn window(&self, lost: u32) -> Result<Span> {
        let start = self.now & PAGE_MASK;
        let mut end = page_align(self.end).ok_or(EINVAL)?;

        if lost >= DM_OPERANDS {
            end = end.min(start + ((DM_STEPS >> lost.min(DM_STEPS.ilog2())) << PAGE_SHIFT));
        }
        Ok(Span::new(start, end))
    }
}

/// The number of bytes up to the end of the page or of the operand.
fn dm_reach(op: &DmOperand) -> usize {
    (op.end - op.now).min(PAGE_SIZE - (op.now & !PAGE_MASK))
}

impl DmMirror {
    /// Calls `f` with the bytes of a page that the device reads.
    fn dm_at<R>(&self, page: &Mapped<'_>, f: impl FnOnce(&Bytes<'_>) -> Result<R>) -> Result<R> {
        match page {
            Mapped::Memory(page) => {
                self.unit.memory.mark_accessed(page.block());
                dm_page(&self.unit.memory, page.block(), 0, f)
            }
            Mapped::Peer(address) => dm_peer(&self.unit.memory, *address, |bytes| f(bytes)),
        }
    }

    /// Calls `f` with the bytes of a page that the device writes, and marks the page dirty. Pages
    /// of another unit are dirty when they migrate, as all of device memory.
    fn dm_at_mut<R>(
        &self,
        page: &mut Mapped<'_>,
        f: impl FnOnce(&mut Bytes<'_>) -> Result<R>,
    ) -> Result<R> {
        match page {
            Mapped::Memory(page) => {
                self.unit.memory.mark_accessed(page.block());
                dm_page_mut(&self.unit.memory, page.block_mut().ok_or(EPERM)?, 0, f)
            }
            Mapped::Peer(address) => dm_peer(&self.unit.memory, *address, f),
        }
    }

    /// Works on the part of the operands that is in one page of each, and advances them. Returns
    /// `Ok(Some(operand))` for an operand that is not mapped with the rights that it needs.
    fn dm_step(&self, work: &mut DmWork<'_>, table: &DmTable) -> Result<Option<DmOperand>> {
        let x = work.x;
        let Some(mut page) = table.lookup(x.now, x.rights) else {
            return Ok(Some(x));
        };
        let mut len = dm_reach(&x);
        let at = x.now & !PAGE_MASK;

        match &mut work.piece {
            DmPiece::Read(buffer) => {
                self.dm_at(&page, |bytes| bytes.append(at, len, buffer))?;
            }
            DmPiece::Write(buffer) => {
                let (now, rest) = buffer.split_at(len);

                self.dm_at_mut(&mut page, |bytes| bytes.write(at, now))?;
                *buffer = rest;
            }
            DmPiece::Saxpy { a, y } => {
                let Some(mut page_y) = table.lookup(y.now, y.rights) else {
                    return Ok(Some(*y));
                };
                let (a, at_y) = (*a as u32, y.now & !PAGE_MASK);

                len = len.min(dm_reach(y));
                self.dm_at(&page, |x| {
                    self.dm_at_mut(&mut page_y, |y| {
                        (0..len).step_by(4).try_for_each(|i| {
                            let product = a.wrapping_mul(x.load(at + i)?);
                            y.store(at_y + i, y.load(at_y + i)?.wrapping_add(product))
                        })
                    })
                })?;
                y.now += len;
            }
            DmPiece::Sum(sum) => self.dm_at(&page, |x| {
                (0..len).step_by(4).try_for_each(|i| {
                    *sum = sum.wrapping_add(i64::from(x.load(at + i)? as i32));
                    Ok::<(), Error>(())
                })
            })?,
        }
        work.x.now += len;
        Ok(None)
    }

    /// Works on at most [`DM_STEPS`] pages, under the update lock that guards `table`. Returns an
    /// operand that is not mapped, or `None`.
    pub(crate) fn dm_run(
        &self,
        work: &mut DmWork<'_>,
        table: &DmTable,
    ) -> Result<Option<DmOperand>> {
        for _ in 0..DM_STEPS {
            if work.is_done() {
                break;
            }
            if let Some(missing) = self.dm_step(work, table)? {
                return Ok(Some(missing));
            }
        }
        Ok(None)
    }

    /// Works until an operand is not mapped, or the work is done (`None`). Releases the update lock
    /// from time to time, for invalidations.
    fn dm_run_all(&self, work: &mut DmWork<'_>) -> Result<Option<DmOperand>> {
        while !work.is_done() {
            let missing = self.mirror.with_lock(|table| self.dm_run(work, table))??;

            if missing.is_some() {
                return Ok(missing);
            }
            cond_resched_killable()?;
        }
        Ok(None)
    }

    /// Runs work on the device; the operands' positions show how far it got.
    ///
    /// # Errors
    ///
    /// Fails with the errors of [`Self::dm_populate`] for an operand that cannot be reached,
    /// `EBUSY` when the operands were invalidated too often without progress, `EINTR` when the
    /// process is being killed.
    pub(crate) fn dm_execute(&self, work: &mut DmWork<'_>) -> Result {
        let mut before = None;
        let mut lost = 0;

        self.dm_map_in_advance();
        while let Some(missing) = self.dm_run_all(work)? {
            cond_resched_killable()?;
            lost = match before == Some(work.x.now) {
                true => lost + 1,
                false => 0,
            };
            before = Some(work.x.now);
            if lost > DM_LOST_ROUNDS {
                return Err(EBUSY);
            }
            self.dm_populate(work, missing, missing.window(lost)?)?;
            work.faults += 1;
        }
        Ok(())
    }
}
