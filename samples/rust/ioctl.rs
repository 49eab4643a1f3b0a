// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: what user programs ask for.
//!
//! A command comes with addresses of two kinds, and what matters about them is who touches them.
//! The *operands* are touched by the device, through its page table. The *buffer* ([`Cmd::ptr`]) is
//! touched by the CPU.
//!
//! The CPU's copies may fault, a fault may invalidate, and an invalidation takes the update lock.
//! So nothing is copied to or from the buffer under that lock or inside a section; data takes a
//! detour through memory of the kernel's.
//!
//! A command is checked before anything is done, and nothing stays behind when it is refused:
//! `EINVAL` for a command that makes no sense, `EFAULT` for addresses that are not the process's,
//! `ENOTTY` for a command that does not exist, `EPERM` for one that takes `CAP_SYS_ADMIN`.

#![forbid(unsafe_code)]

use crate::{
    compute_unit::{
        DmOperand,
        DmPiece,
        DmWork, //
    },
    device::DmMirror,
    memory::dm_memory_retire,
    sim::{
        node::is_admin,
        table::{
            Right,
            Rights, //
        }, //
    },
    table::DmTable,
    uapi::{
        self,
        AdviceCmd,
        AttributesCmd,
        Cmd,
        Compute, //
    }, //
};
use kernel::{
    alloc::Flags,
    hmm::{
        cond_resched_killable,
        devmem::{
            Migration, //
        },
        Span,
        PMD_ORDER, //
    },
    mm::MmWithUser,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::atomic::Relaxed,
    time::msecs_to_jiffies,
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};

/// The longest timeout, in jiffies.
const MAX_JIFFY_OFFSET: usize = (usize::MAX >> 2) - 1;

/// Pages to look up before the update lock is released: invalidations wait for it.
const PEEK_PAGES: usize = 512;

/// How memory for the CPU's copy is allocated; a program may ask for too much.
fn dm_bounce_gfp() -> Flags {
    GFP_KERNEL_ACCOUNT | __GFP_NOWARN
}

/// Checks that the device may access `nr` elements of `size` bytes.
fn dm_check_operand(
    addr: u64,
    nr: u64,
    size: usize,
    rights: impl Into<Rights>,
) -> Result<DmOperand> {
    let now = usize::try_from(addr)?;

    if nr == 0 || now % size != 0 {
        return Err(EINVAL);
    }
    let bytes = usize::try_from(nr)?.checked_mul(size).ok_or(EINVAL)?;
    let end = now.checked_add(bytes).ok_or(EINVAL)?;
    if !Span::new(now, end).is_user() {
        return Err(EFAULT);
    }
    Ok(DmOperand {
        now,
        end,
        rights: rights.into(),
    })
}

fn dm_cmd_span(cmd: &Cmd) -> Span {
    let start = cmd.addr as usize;

    Span::new(start, start + ((cmd.npages as usize) << PAGE_SHIFT))
}

fn dm_cmd_operand(cmd: &Cmd, rights: impl Into<Rights>) -> DmOperand {
    let span = dm_cmd_span(cmd);

    DmOperand {
        now: span.start(),
        end: span.end(),
        rights: rights.into(),
    }
}

fn dm_cmd_buffer(cmd: &Cmd, size: usize) -> UserSlice {
    UserSlice::new(UserPtr::from_addr(cmd.ptr as usize), size)
}

fn dm_cmd_copy_out(cmd: &mut Cmd, data: &[u8]) -> Result {
    dm_cmd_buffer(cmd, data.len()).writer().write_slice(data)?;
    cmd.cpages = cmd.npages;
    Ok(())
}

/// The byte of `PEEK` for the page at `addr`.
fn dm_prot(table: &DmTable, addr: usize) -> u8 {
    let rights = table.rights(addr);
    let mut prot = if rights.contains(Right::Write) {
        uapi::PROT_WRITE
    } else if rights.contains(Right::Read) {
        uapi::PROT_READ
    } else {
        uapi::PROT_NONE
    };

    if table.is_exclusive(Span::new(addr, addr + PAGE_SIZE)) {
        prot |= uapi::PROT_EXCLUSIVE;
    }
    if table.is_peer(addr) {
        prot |= uapi::PROT_PEER;
    }
    prot
}

/// The function of a command.
type DmCommand = fn(&DmMirror, &MmWithUser, &mut Cmd) -> Result;

fn dm_command(nr: u32) -> Result<DmCommand> {
    Ok(match nr {
        uapi::READ => |dm, _, cmd| dm.dm_cmd_read(cmd),
        uapi::WRITE => |dm, _, cmd| dm.dm_cmd_write(cmd),
        uapi::MIGRATE_TO_DEV => |dm, mm, cmd| dm.dm_cmd_migrate_to_dev(mm, cmd),
        uapi::MIGRATE_TO_SYS => |dm, mm, cmd| dm.dm_cmd_migrate_to_sys(mm, cmd),
        uapi::SNAPSHOT => |dm, _, cmd| dm.dm_cmd_snapshot(cmd),
        uapi::EXCLUSIVE => |dm, _, cmd| dm.dm_cmd_exclusive(cmd),
        uapi::CHECK_EXCLUSIVE => |dm, _, cmd| dm.dm_cmd_check_exclusive(cmd),
        uapi::RELEASE => |dm, _, _| dm.dm_cmd_release(),
        uapi::FLAGS => |dm, _, cmd| dm.dm_cmd_flags(cmd),
        uapi::READ_UNLOCKED => |dm, _, cmd| dm.dm_cmd_read_unlocked(cmd),
        uapi::PEEK => |dm, _, cmd| dm.dm_cmd_peek(cmd),
        uapi::LIMIT => |dm, _, cmd| dm.dm_cmd_limit(cmd),
        uapi::COPY_DELAY => |dm, _, cmd| dm.dm_cmd_copy_delay(cmd),
        uapi::RETIRE => |dm, _, cmd| dm.dm_cmd_retire(cmd),
        uapi::PEERS => |dm, _, cmd| dm.dm_accept_peers(dm_cmd_span(cmd)),
        uapi::REFUSE_PEERS => |dm, _, cmd| dm.dm_cmd_refuse_peers(cmd),
        _ => return Err(ENOTTY),
    })
}

/// Whether a command concerns all processes with pages on the unit: it is for administrators.
fn dm_is_for_admin(nr: u32) -> bool {
    matches!(
        nr,
        uapi::RELEASE | uapi::LIMIT | uapi::COPY_DELAY | uapi::RETIRE | uapi::REFUSE_PEERS
    )
}

impl DmMirror {
    fn dm_cmd_read_within(&self, cmd: &mut Cmd, timeout: usize) -> Result {
        let x = dm_cmd_operand(cmd, Right::Read);
        let mut data = KVVec::with_capacity(x.end - x.now, dm_bounce_gfp())?;
        let piece = DmPiece::Read(&mut data);
        let mut work = DmWork {
            x,
            piece,
            timeout,
            faults: 0,
        };

        self.dm_execute(&mut work)?;
        cmd.faults = work.faults;
        dm_cmd_copy_out(cmd, &data)
    }

    fn dm_cmd_read(&self, cmd: &mut Cmd) -> Result {
        self.dm_cmd_read_within(cmd, 0)
    }

    fn dm_cmd_read_unlocked(&self, cmd: &mut Cmd) -> Result {
        self.dm_cmd_read_within(cmd, MAX_JIFFY_OFFSET)
    }

    fn dm_cmd_write(&self, cmd: &mut Cmd) -> Result {
        let x = dm_cmd_operand(cmd, Right::Write);
        let mut data = KVVec::new();

        dm_cmd_buffer(cmd, x.end - x.now).read_all(&mut data, dm_bounce_gfp())?;
        let mut work = DmWork {
            x,
            piece: DmPiece::Write(&data),
            timeout: 0,
            faults: 0,
        };
        self.dm_execute(&mut work)?;
        cmd.faults = work.faults;
        cmd.cpages = cmd.npages;
        Ok(())
    }

    fn dm_cmd_snapshot(&self, cmd: &mut Cmd) -> Result {
        let mut prot = KVVec::from_elem(0, cmd.npages as usize, dm_bounce_gfp())?;

        self.dm_snapshot(dm_cmd_span(cmd), &mut prot)?;
        dm_cmd_copy_out(cmd, &prot)
    }

    fn dm_cmd_peek(&self, cmd: &mut Cmd) -> Result {
        let mut prot = KVVec::from_elem(0, cmd.npages as usize, dm_bounce_gfp())?;
        let mut addr = cmd.addr as usize;

        for step in prot.chunks_mut(PEEK_PAGES) {
            self.mirror.with_lock(|table| {
                for prot in step {
                    *prot = dm_prot(table, addr);
                    addr += PAGE_SIZE;
                }
            })?;
            cond_resched_killable()?;
        }
        dm_cmd_copy_out(cmd, &prot)
    }

    fn dm_cmd_exclusive(&self, cmd: &mut Cmd) -> Result {
        self.dm_populate_exclusive(dm_cmd_span(cmd))?;
        self.dm_cmd_read(cmd)
    }

    fn dm_cmd_check_exclusive(&self, cmd: &mut Cmd) -> Result {
        let span = dm_cmd_span(cmd);

        match self.mirror.with_lock(|table| table.is_exclusive(span))? {
            true => Err(EPERM),
            false => Ok(()),
        }
    }

    /// Calls `migrate`, whose first copy of a large folio fails if a test has requested that.
    fn dm_migrate<R>(&self, migrate: impl FnOnce() -> Result<R>) -> Result<R> {
        let memory = self.unit.memory.data();

        if self.fail_alloc.xchg(false, Relaxed) {
            memory.fail_once();
        }
        let moved = migrate();
        memory.fail_no_more();
        moved
    }

    /// Migrates the first batch of a span, and returns the address of the next.
    ///
    /// [`DeviceMemory::migrate`](kernel::hmm::devmem::DeviceMemory::migrate) does all of this for
    /// the whole of a span; here it is step by step, as a driver does it that has to do something
    /// in between. Pages of a migration that ends before its commit stay where they were.
    fn dm_migrate_piece(&self, mm: &MmWithUser, span: Span) -> Result<usize> {
        Migration::collect(&self.unit.memory, mm, span, |collected| {
            let committed = collected.copy().commit();

            committed.span().end()
        })
    }

    fn dm_cmd_migrate_to_dev(&self, mm: &MmWithUser, cmd: &mut Cmd) -> Result {
        let span = dm_cmd_span(cmd);
        let mut now = span.start();

        self.dm_migrate(|| {
            while now < span.end() {
                now = self.dm_migrate_piece(mm, Span::new(now, span.end()))?;
            }
            Ok(())
        })?;
        self.dm_map_local(span)?;
        self.dm_cmd_read(cmd)
    }

    fn dm_cmd_migrate_to_sys(&self, mm: &MmWithUser, cmd: &mut Cmd) -> Result {
        let span = dm_cmd_span(cmd);
        let moved = self.dm_migrate(|| self.unit.memory.migrate_to_ram(mm, span))?;

        cmd.cpages = moved as u64;
        Ok(())
    }

    /// Fails after a second if a page is still pinned.
    fn dm_cmd_release(&self) -> Result {
        self.unit.memory.remove(msecs_to_jiffies(1000))
    }

    /// Limits the memory of the unit, in whole huge pages.
    fn dm_cmd_limit(&self, cmd: &Cmd) -> Result {
        if cmd.npages % (1 << PMD_ORDER) != 0 {
            return Err(EINVAL);
        }
        let bytes = (cmd.npages as usize) << PAGE_SHIFT;

        self.unit.memory.data().set_limit(bytes);
        Ok(())
    }

    fn dm_cmd_copy_delay(&self, cmd: &mut Cmd) -> Result {
        if cmd.ptr > 1000 {
            return Err(EINVAL);
        }
        let most = self.unit.memory.data().set_copy_delay(cmd.ptr as i64);
        cmd.cpages = most as u64;
        Ok(())
    }

    fn dm_cmd_retire(&self, cmd: &mut Cmd) -> Result {
        let memory = &self.unit.memory;

        if cmd.ptr > 1 {
            return Err(EINVAL);
        }
        dm_memory_retire(memory, cmd.addr as usize, cmd.ptr == 1)?;
        cmd.cpages = (memory.retired() >> PAGE_SHIFT) as u64;
        Ok(())
    }

    fn dm_cmd_refuse_peers(&self, cmd: &mut Cmd) -> Result {
        if cmd.ptr > 1 {
            return Err(EINVAL);
        }
        let peers = self.unit.memory.data().refuse_peers(cmd.ptr == 1);

        cmd.cpages = peers as u64;
        Ok(())
    }

    fn dm_cmd_flags(&self, cmd: &Cmd) -> Result {
        if cmd.npages & !uapi::FLAG_FAIL_ALLOC != 0 {
            return Err(EINVAL);
        }
        self.fail_alloc
            .store(cmd.npages & uapi::FLAG_FAIL_ALLOC != 0, Relaxed);
        Ok(())
    }

    fn dm_ioctl_cmd(&self, mm: &MmWithUser, nr: u32, user: UserPtr) -> Result {
        let carry_out = dm_command(nr)?;

        if dm_is_for_admin(nr) && !is_admin() {
            return Err(EPERM);
        }
        let (mut from, mut to) = UserSlice::new(user, Cmd::SIZE).reader_writer();
        let mut cmd = Cmd::read(&mut from)?;

        dm_check_operand(cmd.addr, cmd.npages, PAGE_SIZE, Right::Read)?;
        cmd.cpages = 0;
        cmd.faults = 0;
        carry_out(self, mm, &mut cmd)?;
        cmd.write(&mut to)
    }

    /// Converts a command to work for the compute unit.
    fn dm_compute_work(compute: &Compute) -> Result<DmWork<'static>> {
        let x = dm_check_operand(compute.x, compute.n, size_of::<i32>(), Right::Read)?;
        let piece = match compute.op {
            uapi::SAXPY => {
                let both = Right::Read | Right::Write;
                let y = dm_check_operand(compute.y, compute.n, size_of::<i32>(), both)?;

                DmPiece::Saxpy { a: compute.a, y }
            }
            uapi::SUM if compute.a == 0 && compute.y == 0 => DmPiece::Sum(0),
            _ => return Err(EINVAL),
        };
        Ok(DmWork {
            x,
            piece,
            timeout: 0,
            faults: 0,
        })
    }

    fn dm_ioctl_compute(&self, user: UserPtr) -> Result {
        let (mut from, mut to) = UserSlice::new(user, Compute::SIZE).reader_writer();
        let mut compute = Compute::read(&mut from)?;
        let mut work = Self::dm_compute_work(&compute)?;

        self.dm_execute(&mut work)?;
        compute.sum = match work.piece {
            DmPiece::Sum(sum) => sum,
            _ => 0,
        };
        compute.faults = work.faults;
        compute.write(&mut to)
    }

    /// Checks the addresses of a command about attributes.
    fn dm_check_span(addr: u64, npages: u64) -> Result<Span> {
        let operand = dm_check_operand(addr, npages, PAGE_SIZE, Right::Read)?;

        Ok(Span::new(operand.now, operand.end))
    }

    fn dm_ioctl_advise(&self, user: UserPtr) -> Result {
        let mut from = UserSlice::new(user, AdviceCmd::SIZE).reader();
        let cmd = AdviceCmd::read(&mut from)?;

        self.dm_advise(
            Self::dm_check_span(cmd.addr, cmd.npages)?,
            cmd.advice,
            cmd.location,
        )
    }

    fn dm_ioctl_attributes(&self, user: UserPtr) -> Result {
        let (mut from, mut to) = UserSlice::new(user, AttributesCmd::SIZE).reader_writer();
        let mut cmd = AttributesCmd::read(&mut from)?;
        let found = self
            .attributes
            .get(Self::dm_check_span(cmd.addr, cmd.npages)?);

        cmd.npages = found.span().pages() as u64;
        cmd.location = found.location();
        cmd.flags = 0;
        if found.read_mostly() {
            cmd.flags |= uapi::READ_MOSTLY;
        }
        if found.accessed_by() {
            cmd.flags |= uapi::ACCESSED_BY;
        }
        cmd.write(&mut to)
    }

    /// Carries out a command.
    ///
    /// The file mirrors the process that opened it. Another process that has the file too, for
    /// example a child, would pass addresses of its own and get the memory of its parent; it is
    /// refused.
    pub(crate) fn dm_ioctl(&self, cmd: u32, arg: usize) -> Result<isize> {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let user = UserPtr::from_addr(arg);

        if mm.as_raw() != self.mm.as_raw() {
            return Err(EINVAL);
        }
        match cmd {
            uapi::COMPUTE => self.dm_ioctl_compute(user)?,
            uapi::ADVISE => self.dm_ioctl_advise(user)?,
            uapi::ATTRIBUTES => self.dm_ioctl_attributes(user)?,
            _ => self.dm_ioctl_cmd(mm, cmd, user)?,
        }
        Ok(0)
    }
}
