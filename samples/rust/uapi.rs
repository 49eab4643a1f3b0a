// SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note

//! The interface to user programs: `samples/uapi/hmm_dmirror.h` in Rust. The comments are there.

#![forbid(unsafe_code)]

use kernel::{
    ioctl::{
        _IOW,
        _IOWR, //
    },
    prelude::*,
    uaccess::{
        UserSliceReader,
        UserSliceWriter, //
    }, //
};

/// `struct hmm_dmirror_cmd`
#[derive(Default)]
pub(crate) struct Cmd {
    pub(crate) addr: u64,
    pub(crate) ptr: u64,
    pub(crate) npages: u64,
    pub(crate) cpages: u64,
    pub(crate) faults: u64,
}

impl Cmd {
    /// Its size in bytes.
    pub(crate) const SIZE: usize = size_of::<[u64; 5]>();

    pub(crate) fn read(from: &mut UserSliceReader) -> Result<Self> {
        let [addr, ptr, npages, cpages, faults] = from.read()?;
        Ok(Self {
            addr,
            ptr,
            npages,
            cpages,
            faults,
        })
    }

    pub(crate) fn write(&self, to: &mut UserSliceWriter) -> Result {
        to.write(&[self.addr, self.ptr, self.npages, self.cpages, self.faults])
    }
}

/// `struct hmm_dmirror_compute`
pub(crate) struct Compute {
    pub(crate) op: u32,
    pub(crate) a: i32,
    pub(crate) x: u64,
    pub(crate) y: u64,
    pub(crate) n: u64,
    pub(crate) sum: i64,
    pub(crate) faults: u64,
}

impl Compute {
    /// Its size in bytes.
    pub(crate) const SIZE: usize = size_of::<[u64; 6]>();

    pub(crate) fn read(from: &mut UserSliceReader) -> Result<Self> {
        Ok(Self {
            op: from.read()?,
            a: from.read()?,
            x: from.read()?,
            y: from.read()?,
            n: from.read()?,
            sum: from.read()?,
            faults: from.read()?,
        })
    }

    pub(crate) fn write(&self, to: &mut UserSliceWriter) -> Result {
        to.write(&self.op)?;
        to.write(&self.a)?;
        to.write(&[self.x, self.y, self.n])?;
        to.write(&self.sum)?;
        to.write(&self.faults)
    }
}

/// `struct hmm_dmirror_advice`
pub(crate) struct AdviceCmd {
    pub(crate) addr: u64,
    pub(crate) npages: u64,
    pub(crate) advice: u32,
    pub(crate) location: i32,
}

impl AdviceCmd {
    /// Its size in bytes.
    pub(crate) const SIZE: usize = size_of::<[u64; 3]>();

    pub(crate) fn read(from: &mut UserSliceReader) -> Result<Self> {
        Ok(Self {
            addr: from.read()?,
            npages: from.read()?,
            advice: from.read()?,
            location: from.read()?,
        })
    }
}

/// `struct hmm_dmirror_attributes`
pub(crate) struct AttributesCmd {
    pub(crate) addr: u64,
    pub(crate) npages: u64,
    pub(crate) location: i32,
    pub(crate) flags: u32,
}

impl AttributesCmd {
    /// Its size in bytes.
    pub(crate) const SIZE: usize = size_of::<[u64; 3]>();

    pub(crate) fn read(from: &mut UserSliceReader) -> Result<Self> {
        Ok(Self {
            addr: from.read()?,
            npages: from.read()?,
            location: from.read()?,
            flags: from.read()?,
        })
    }

    pub(crate) fn write(&self, to: &mut UserSliceWriter) -> Result {
        to.write(&[self.addr, self.npages])?;
        to.write(&self.location)?;
        to.write(&self.flags)
    }
}

const H: u32 = b'H' as u32;

pub(crate) const READ: u32 = _IOWR::<[u64; 5]>(H, 0x00);
pub(crate) const WRITE: u32 = _IOWR::<[u64; 5]>(H, 0x01);
pub(crate) const MIGRATE_TO_DEV: u32 = _IOWR::<[u64; 5]>(H, 0x02);
pub(crate) const MIGRATE_TO_SYS: u32 = _IOWR::<[u64; 5]>(H, 0x03);
pub(crate) const SNAPSHOT: u32 = _IOWR::<[u64; 5]>(H, 0x04);
pub(crate) const EXCLUSIVE: u32 = _IOWR::<[u64; 5]>(H, 0x05);
pub(crate) const CHECK_EXCLUSIVE: u32 = _IOWR::<[u64; 5]>(H, 0x06);
pub(crate) const RELEASE: u32 = _IOWR::<[u64; 5]>(H, 0x07);
pub(crate) const FLAGS: u32 = _IOWR::<[u64; 5]>(H, 0x08);
pub(crate) const READ_UNLOCKED: u32 = _IOWR::<[u64; 5]>(H, 0x09);
pub(crate) const COMPUTE: u32 = _IOWR::<[u64; 6]>(H, 0x40);
pub(crate) const PEEK: u32 = _IOWR::<[u64; 5]>(H, 0x41);
pub(crate) const LIMIT: u32 = _IOWR::<[u64; 5]>(H, 0x42);
pub(crate) const COPY_DELAY: u32 = _IOWR::<[u64; 5]>(H, 0x43);
pub(crate) const RETIRE: u32 = _IOWR::<[u64; 5]>(H, 0x44);
pub(crate) const ADVISE: u32 = _IOW::<[u64; 3]>(H, 0x45);
pub(crate) const ATTRIBUTES: u32 = _IOWR::<[u64; 3]>(H, 0x46);
pub(crate) const PEERS: u32 = _IOWR::<[u64; 5]>(H, 0x47);
pub(crate) const REFUSE_PEERS: u32 = _IOWR::<[u64; 5]>(H, 0x48);

pub(crate) const FLAG_FAIL_ALLOC: u64 = 0x1;

pub(crate) const PROT_ERROR: u8 = 0xff;
pub(crate) const PROT_NONE: u8 = 0x00;
pub(crate) const PROT_READ: u8 = 0x01;
pub(crate) const PROT_WRITE: u8 = 0x02;
pub(crate) const PROT_PMD: u8 = 0x04;
pub(crate) const PROT_PUD: u8 = 0x08;
pub(crate) const PROT_ZERO: u8 = 0x10;
pub(crate) const PROT_DEV_PRIVATE_LOCAL: u8 = 0x20;
pub(crate) const PROT_DEV_PRIVATE_REMOTE: u8 = 0x30;
pub(crate) const PROT_DEV_COHERENT_LOCAL: u8 = 0x40;
pub(crate) const PROT_DEV_COHERENT_REMOTE: u8 = 0x50;
pub(crate) const PROT_EXCLUSIVE: u8 = 0x80;
pub(crate) const PROT_PEER: u8 = 0x40;

pub(crate) const SAXPY: u32 = 1;
pub(crate) const SUM: u32 = 2;

pub(crate) const SET_READ_MOSTLY: u32 = 1;
pub(crate) const UNSET_READ_MOSTLY: u32 = 2;
pub(crate) const SET_PREFERRED_LOCATION: u32 = 3;
pub(crate) const UNSET_PREFERRED_LOCATION: u32 = 4;
pub(crate) const SET_ACCESSED_BY: u32 = 5;
pub(crate) const UNSET_ACCESSED_BY: u32 = 6;

pub(crate) const READ_MOSTLY: u32 = 0x1;
pub(crate) const ACCESSED_BY: u32 = 0x2;
