// SPDX-License-Identifier: GPL-2.0

//! A driver that leaves a mirror and device memory behind, without unsafe code.
//!
//! A process that opens `/dev/hmm_left` is mirrored, and the mirror is never dropped. The ioctl migrates a page of it to
//! device memory. What happens to that, and what refers to what, is the command's choice; see [`Opened::ioctl`].

#![forbid(unsafe_code)]

use core::ffi::c_void;
use kernel::{
    fs::File,
    hmm::{
        devmem::{DeviceMemory, MemoryOperations, MemoryType},
        mirror::{
            Access,
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
        Mutex,
        SetOnce, //
    },
    time::{
        delay::fsleep,
        Delta, //
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
#[derive(Default)]
struct Table {
    last: Option<Span>,
    memory: Option<Arc<DeviceMemory<Memory>>>,
    range: Option<Pin<KBox<MirrorRange<Table>>>>,
}

/// What is never dropped.
static LEFT: SetOnce<Pin<KBox<MirrorRange<Table>>>> = SetOnce::new();

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        self.last = Some(inv.span());
        true
    }

    /// The memory may have ended.
    fn release(mirror: &Mirror<Self>) {
        let memory = mirror.with_lock(|table| table.memory.take()).ok().flatten();

        if let Some(memory) = memory {
            let _ = memory.add(SZ_2M, core::ptr::null());
            memory.evict();
            memory.resume();
        }
    }
}

/// Memory of the kernel's in place of the device's.
#[pin_data]
struct Memory {
    #[pin]
    ram: Mutex<VVec<u8>>,
    #[pin]
    mirror: Mutex<Option<Arc<Mirror<Table>>>>,
    /// How long a copy takes, in milliseconds.
    #[pin]
    delay: Mutex<i64>,
}

#[vtable]
impl MemoryOperations for Memory {
    fn copy(memory: &DeviceMemory<Self>, mut dst: Block<'_>, src: &Block<'_>) -> Result {
        let (to, from) = (memory.position(&dst), memory.position(src));
        let offset = if to.found() {
            to.offset()
        } else {
            from.offset()
        };
        let size = dst.pages() * PAGE_SIZE;
        let delay = *memory.data().delay.lock();
        fsleep(Delta::from_millis(delay));
        let mut ram = memory.data().ram.lock();
        let ram = ram.get_mut(offset..offset + size).ok_or(EIO)?;

        for (index, ram) in ram.chunks_exact_mut(PAGE_SIZE).enumerate() {
            if to.found() {
                src.page(index, |page| page.read(0, ram)).ok_or(EIO)??;
            } else {
                dst.page_mut(index, |page| page.write(0, ram))
                    .ok_or(EIO)??;
            }
        }
        Ok(())
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        let offset = memory.position(&page).offset();
        let mut ram = memory.data().ram.lock();
        let ram = ram.get_mut(offset..offset + page.pages() * PAGE_SIZE);

        ram.ok_or(EIO)?.fill(0);
        Ok(())
    }

    /// The mirror may have ended.
    fn release(memory: &DeviceMemory<Self>, _data: *const c_void) {
        let mirror = memory.data().mirror.lock().take();

        if let Some(mirror) = mirror {
            let range = KBox::pin_init(MirrorRange::new(mirror.clone(), Span::ALL), GFP_KERNEL);
            let page = Span::new(PAGE_SIZE, 2 * PAGE_SIZE);
            let _ = mirror.populate(page, Access::Snapshot, |_, _| Ok(()));
            drop(range);
        }
    }
}

/// An open file.
struct Opened;

impl Opened {
    fn mirror() -> Result<Arc<Mirror<Table>>> {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let mirror = Mirror::new(mm, core::ptr::null(), Table::default());

        Arc::pin_init(mirror, GFP_KERNEL)
    }

    /// Memory with the page at `addr` in it, if it could migrate.
    fn memory(addr: usize, delay: i64) -> Result<Arc<DeviceMemory<Memory>>> {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let data = try_pin_init!(Memory {
            ram <- new_mutex!(VVec::from_elem(0, SZ_2M, GFP_KERNEL)?),
            mirror <- new_mutex!(None),
            delay <- new_mutex!(delay),
        }? Error);
        let memory = DeviceMemory::new(MemoryType::PRIVATE, 1, c"hmm_left", data);
        let memory = Arc::pin_init(memory, GFP_KERNEL)?;

        memory.add(SZ_2M, core::ptr::null())?;
        memory.migrate(mm, Span::new(addr, addr + PAGE_SIZE))?;
        Ok(memory)
    }

    /// Migrates all of the memory's size from `addr` on, and one page more: there is room for it at once, and some more
    /// is made in the background, by copies that take a second.
    fn fill(memory: &DeviceMemory<Memory>, addr: usize) -> Result {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;

        memory.migrate(mm, Span::new(addr, addr + SZ_2M))?;
        // The pages stay for a time slice.
        fsleep(Delta::from_millis(200));
        *memory.data().delay.lock() = 30;
        memory.migrate(mm, Span::new(addr + SZ_2M, addr + SZ_2M + PAGE_SIZE))?;
        Ok(())
    }
}

#[vtable]
impl MiscDevice for Opened {
    type Ptr = Pin<KBox<Self>>;

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        let range = MirrorRange::new(Self::mirror()?, Span::ALL);
        let range = KBox::pin_init(range, GFP_KERNEL)?;

        core::mem::forget(range);
        KBox::pin(Opened, GFP_KERNEL).map_err(Into::into)
    }

    /// Migrates the page at address `arg`, and returns how many bytes are in use then. The memory
    ///
    /// * 0: is leaked.
    /// * 1: refers to a mirror that is older, and that one to it.
    /// * 2: refers to a mirror that is younger, and that one to it.
    /// * 3: refers to a mirror, and is dropped; it has ended a second later, as its copies take that long.
    /// * 4: is leaked while room is made in it in the background, which takes a second.
    /// * 5: as 4, but it is dropped.
    /// * 6: is leaked, and a mirror has a range that refers to it.
    /// * 7: is leaked, and a range is in a `static`.
    fn ioctl(_opened: Pin<&Self>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        let older = Self::mirror()?;
        let delay = if cmd & 0xff == 3 { 1000 } else { 0 };
        let memory = Self::memory(arg, delay)?;
        let used = SZ_2M - memory.available();

        match cmd & 0xff {
            0 => core::mem::forget(memory),
            4 => {
                Self::fill(&memory, arg)?;
                core::mem::forget(memory);
            }
            5 => Self::fill(&memory, arg)?,
            1 => {
                *memory.data().mirror.lock() = Some(older.clone());
                older.with_lock(|table| table.memory = Some(memory))?;
            }
            2 => {
                let younger = Self::mirror()?;

                *memory.data().mirror.lock() = Some(younger.clone());
                younger.with_lock(|table| table.memory = Some(memory))?;
            }
            3 => *memory.data().mirror.lock() = Some(older),
            6 => {
                let range = MirrorRange::new(older.clone(), Span::ALL);
                let range = KBox::pin_init(range, GFP_KERNEL)?;

                core::mem::forget(memory);
                older.with_lock(|table| table.range = Some(range))?;
            }
            7 => {
                core::mem::forget(memory);
                LEFT.populate(KBox::pin_init(
                    MirrorRange::new(older, Span::ALL),
                    GFP_KERNEL,
                )?);
            }
            _ => return Err(ENOTTY),
        }
        Ok(used as isize)
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
