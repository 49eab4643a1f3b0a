// SPDX-License-Identifier: GPL-2.0

//! A driver that leaves a mirror and device memory behind, without unsafe code.
//!
//! A process that opens `/dev/hmm_left` is mirrored, and the ioctl migrates a page of it to device memory. Nothing of this
//! is ever dropped, so both are registered when the module goes.

#![forbid(unsafe_code)]

use kernel::{
    fs::File,
    hmm::{
        devmem::{DeviceMemory, MemoryOperations, MemoryType},
        mirror::{
            Invalidation,
            Mirror,
            MirrorRange,
            Operations, //
        },
        page::Block,
        Span, //
    },
    miscdevice::{
        MiscDevice,
        MiscDeviceOptions,
        MiscDeviceRegistration, //
    },
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sizes::SZ_2M,
    sync::{
        Arc,
        Mutex, //
    }, //
};

module! {
    type: Left,
    name: "hmm_left",
    authors: ["Tandem"],
    description: "A driver that leaves a mirror and device memory behind",
    license: "GPL",
}

/// A device's page table, of which only the last invalidation is known.
struct Table(Option<Span>);

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        self.0 = Some(inv.span());
        true
    }

    fn release(mirror: &Mirror<Self>) {
        mirror.lock().0 = None;
    }
}

/// Memory of the kernel's in place of the device's.
#[pin_data]
struct Memory {
    #[pin]
    ram: Mutex<VVec<u8>>,
}

#[vtable]
impl MemoryOperations for Memory {
    fn copy(memory: &DeviceMemory<Self>, mut dst: Block<'_>, src: &Block<'_>) -> Result {
        let (to, from) = (memory.place(&dst), memory.place(src));
        let offset = if to.here() {
            to.offset()
        } else {
            from.offset()
        };
        let size = dst.pages() * PAGE_SIZE;
        let mut ram = memory.data().ram.lock();
        let ram = ram.get_mut(offset..offset + size).ok_or(EIO)?;

        for (index, ram) in ram.chunks_exact_mut(PAGE_SIZE).enumerate() {
            if to.here() {
                src.page(index, |page| page.read(0, ram)).ok_or(EIO)??;
            } else {
                dst.page_mut(index, |page| page.write(0, ram))
                    .ok_or(EIO)??;
            }
        }
        Ok(())
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        let offset = memory.place(&page).offset();
        let mut ram = memory.data().ram.lock();
        let ram = ram.get_mut(offset..offset + page.pages() * PAGE_SIZE);

        ram.ok_or(EIO)?.fill(0);
        Ok(())
    }
}

/// An open file.
struct Opened;

#[vtable]
impl MiscDevice for Opened {
    type Ptr = Pin<KBox<Self>>;

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let mirror = Mirror::new(mm, core::ptr::null(), Table(None));
        let mirror = Arc::pin_init(mirror, GFP_KERNEL)?;
        let range = KBox::pin_init(MirrorRange::new(mirror, Span::ALL), GFP_KERNEL)?;

        core::mem::forget(range);
        KBox::pin(Opened, GFP_KERNEL).map_err(Into::into)
    }

    /// Migrates the page at address `arg`, and returns how many pages have moved.
    fn ioctl(_opened: Pin<&Self>, _file: &File, _cmd: u32, arg: usize) -> Result<isize> {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let data = try_pin_init!(Memory {
            ram <- new_mutex!(VVec::from_elem(0, SZ_2M, GFP_KERNEL)?),
        }? Error);
        let memory = DeviceMemory::new(MemoryType::PRIVATE, 1, c"hmm_left", data);
        let memory = KBox::pin_init(memory, GFP_KERNEL)?;

        memory.add(SZ_2M, core::ptr::null())?;
        let moved = memory.migrate(mm, Span::new(arg, arg + PAGE_SIZE))?;
        core::mem::forget(memory);
        Ok(moved as isize)
    }
}

/// The module.
struct Left {
    _misc: Pin<KBox<MiscDeviceRegistration<Opened>>>,
}

impl kernel::Module for Left {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let options = MiscDeviceOptions { name: c"hmm_left" };
        let misc = MiscDeviceRegistration::register(options);

        Ok(Self {
            _misc: KBox::pin_init(misc, GFP_KERNEL)?,
        })
    }
}
