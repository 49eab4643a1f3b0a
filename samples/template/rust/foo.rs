// SPDX-License-Identifier: GPL-2.0

//! foo: a driver that mirrors the memory of the process that opens `/dev/foo`.
//!
//! `pread(fd, buf, n, address)` has the device read the process's memory at that address. The device is simulated:
//! `table.rs` is the page table that hardware walks, and yours takes its place. `misc.rs` registers the node. This file is
//! the driver.

#![deny(unsafe_code)]

#[allow(unsafe_code, dead_code)]
mod misc;
#[allow(unsafe_code, dead_code)]
mod table;

use kernel::{
    fs::{File, Kiocb},
    hmm::{Access, Mirror, MirrorRange, Span},
    iov::IovIterDest,
    miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
    mm::Mm,
    page::{PAGE_MASK, PAGE_SIZE},
    prelude::*,
    sync::{aref::ARef, Arc},
};
use misc::{FileOperations, MiscRegistration};
use table::{Mapped, Right, Table, Tlb};

/// The device's TLB. The table removes its entries when the process changes its page tables, and then calls this.
struct DeviceTlb;

impl Tlb for DeviceTlb {
    fn flush(&mut self, _span: Span) {
        // Flush the device's TLB here, and wait for the flush.
    }
}

/// The device's page table. The mirror owns it and guards it with the update lock.
type DeviceTable = Table<DeviceTlb>;

/// In place of hardware: reads, within a page. `ENXIO` is the device's page fault, `EFAULT` memory that a CPU cannot read.
fn device_read(table: &DeviceTable, addr: usize, to: &mut [u8]) -> Result {
    match table.lookup(addr, Right::Read.into()).ok_or(ENXIO)? {
        Mapped::Memory(page) => page
            .block()
            .page(0, |bytes| bytes.read(addr & !PAGE_MASK, to))
            .ok_or(EFAULT)?,
        // The memory of another device: this one accepts none.
        Mapped::Peer(_) => Err(EFAULT),
    }
}

/// One process as the device sees it.
struct Context {
    mirror: Arc<Mirror<DeviceTable>>,
    mm: ARef<Mm>,
    /// Dropped with the context, which ends the mirroring.
    _range: Pin<KBox<MirrorRange<DeviceTable>>>,
}

impl Context {
    fn start() -> Result<Self> {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let table = Table::new(DeviceTlb);
        let mirror = Arc::pin_init(Mirror::new(mm, core::ptr::null(), table), GFP_KERNEL)?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), Span::ALL), GFP_KERNEL)?;

        Ok(Self {
            mirror,
            mm: (&**mm).into(),
            _range: range,
        })
    }

    /// The device's page fault, and the access again while the page cannot go away.
    fn fault_and_read(&self, addr: usize, to: &mut [u8]) -> Result {
        let page = addr & PAGE_MASK;
        let span = Span::new(page, page.checked_add(PAGE_SIZE).ok_or(EFAULT)?);

        self.mirror.populate(span, Access::Read, |pages, table| {
            for run in pages.runs() {
                // Under the update lock, so no allocation may wait.
                Table::map(table, &run, Right::Read.into())?;
                device_read(table, addr, to)?;
            }
            Ok(())
        })
    }

    fn read_page(&self, addr: usize, to: &mut [u8]) -> Result {
        let result = self
            .mirror
            .with_lock(|table| device_read(table, addr, to))?;

        match result {
            Err(error) if error == ENXIO => self.fault_and_read(addr, to),
            result => result,
        }
    }
}

#[vtable]
impl MiscDevice for Context {
    type Ptr = KBox<Self>;

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<KBox<Self>> {
        Ok(KBox::new(Self::start()?, GFP_KERNEL)?)
    }

    fn read_iter(mut kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let context = kiocb.file();
        // A file survives `fork()`, but the child's addresses are not the parent's.
        if current!()
            .mm()
            .is_none_or(|mm| mm.as_raw() != context.mm.as_raw())
        {
            return Err(EPERM);
        }
        let addr = kiocb.ki_pos() as usize;
        let count = iov.len().min(PAGE_SIZE - (addr & !PAGE_MASK));
        let mut bounce = KVec::from_elem(0, count, GFP_KERNEL)?;

        context.read_page(addr, &mut bounce)?;
        // Not inside the section: it may fault, and a fault may invalidate.
        let copied = iov.copy_to_iter(&bounce);
        if copied < count {
            return Err(EFAULT);
        }
        *kiocb.ki_pos_mut() += copied as i64;
        Ok(copied)
    }
}

/// What the kernel calls for an open file.
static OPERATIONS: FileOperations<Context> = FileOperations::new();

#[pin_data]
struct Driver {
    #[pin]
    _misc: MiscRegistration<Context>,
}

impl kernel::InPlaceModule for Driver {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions { name: c"foo" };

        try_pin_init!(Self {
            _misc <- MiscRegistration::register(options, module, &OPERATIONS),
        })
    }
}

module! {
    type: Driver,
    name: "foo",
    authors: ["you"],
    description: "foo: mirrors the memory of a process",
    license: "GPL",
}
