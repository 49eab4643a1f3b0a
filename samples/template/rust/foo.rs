// SPDX-License-Identifier: GPL-2.0

//! foo: a driver that mirrors the memory of the process that opens `/dev/foo`.
//!
//! `pread(fd, buf, n, address)` has the device read the process's memory at that address. The device is simulated:
//! [`Table::device_read`] is what hardware does with its page table, and the only part with `unsafe` code.

use kernel::{
    bindings,
    fs::{File, Kiocb},
    hmm::{
        mirror::{Operations, Run},
        page::Block,
        Access, Invalidation, Mirror, MirrorRange, Span,
    },
    iov::IovIterDest,
    miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
    mm::Mm,
    page::{PAGE_MASK, PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
    rbtree::RBTree,
    sync::{aref::ARef, Arc},
};

/// The device's page table: pfns by page number. The mirror owns it and guards it with the update lock.
struct Table {
    entries: RBTree<usize, usize>,
}

#[vtable]
impl Operations for Table {
    /// The process changes its page tables: the device must not reach the span any more.
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        let last = (inv.span().end() - 1) >> PAGE_SHIFT;
        let mut first = inv.span().start() >> PAGE_SHIFT;

        while let Some(cursor) = self.entries.cursor_lower_bound(&first) {
            let (&vpn, _) = cursor.current();
            if vpn > last {
                break;
            }
            self.entries.remove(&vpn);
            first = vpn + 1;
        }
        // Flush the device's TLB here, and wait for the flush.
        true
    }
}

impl Table {
    /// Maps what a section shows. Under the update lock, so no allocation may wait.
    fn map(&mut self, run: &Run<'_>) -> Result {
        let vpn = run.span().start() >> PAGE_SHIFT;
        // SAFETY: `Table::invalidate()` removes the entry before the process loses the page.
        let pfn = unsafe { run.pfn().into_raw() };

        for i in 0..run.span().pages() {
            self.entries
                .try_create_and_insert(vpn + i, pfn + i, GFP_NOWAIT)?;
        }
        Ok(())
    }

    /// In place of hardware: reads, within a page. `ENXIO` is the device's page fault, `EFAULT` memory that a CPU cannot
    /// read.
    fn device_read(&self, addr: usize, to: &mut [u8]) -> Result {
        let &pfn = self.entries.get(&(addr >> PAGE_SHIFT)).ok_or(ENXIO)?;
        // SAFETY: The table has only pages that are mapped, and the update lock, which the caller's `&self` comes
        // from, keeps them so. The CPU and this device may both access them.
        let block = unsafe { Block::from_raw(bindings::hmm_frame(pfn), 0) };

        block
            .page(0, |bytes| bytes.read(addr & !PAGE_MASK, to))
            .ok_or(EFAULT)?
    }
}

/// One process as the device sees it.
struct Context {
    mirror: Arc<Mirror<Table>>,
    mm: ARef<Mm>,
    /// Dropped with the context, which ends the mirroring.
    _range: Pin<KBox<MirrorRange<Table>>>,
}

impl Context {
    fn start() -> Result<Self> {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let table = Table {
            entries: RBTree::new(),
        };
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
                table.map(&run)?;
                table.device_read(addr, to)?;
            }
            Ok(())
        })
    }

    fn read_page(&self, addr: usize, to: &mut [u8]) -> Result {
        let result = self.mirror.lock().device_read(addr, to);

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

#[pin_data]
struct Driver {
    #[pin]
    _misc: MiscDeviceRegistration<Context>,
}

impl kernel::InPlaceModule for Driver {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = MiscDeviceOptions { name: c"foo" };

        try_pin_init!(Self {
            _misc <- MiscDeviceRegistration::register(options),
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
