// SPDX-License-Identifier: GPL-2.0

//! A driver that leaves a mirror and device memory behind. Its only unsafe code is for a device that reaches all memory,
//! which a driver has from its bus.
//!
//! A process that opens `/dev/hmm_left` is mirrored, and the mirror is never dropped. The ioctl migrates a page of it to
//! device memory. What happens to that, and what refers to what, is the command's choice; see [`Opened::ioctl`].

#![deny(unsafe_code)]

use core::ffi::c_void;
use kernel::{
    bindings,
    device::{
        Bound,
        Device, //
    },
    error::to_result,
    fs::File,
    hmm::{
        devmem::{DeviceMemory, MemoryOperations, MemoryType},
        mirror::{
            Access,
            DmaMap,
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
        aref::ARef,
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
    map: Option<Pin<KBox<DmaMap<Table>>>>,
    /// How long an invalidation takes, in milliseconds.
    delay: i64,
}

/// What is never dropped.
static LEFT: SetOnce<Pin<KBox<MirrorRange<Table>>>> = SetOnce::new();

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        self.last = Some(inv.span());
        fsleep(Delta::from_millis(self.delay));
        true
    }

    /// The memory may have ended. The map refers to the mirror, which nothing else drops.
    fn release(mirror: &Mirror<Self>) {
        let memory = mirror.with_lock(|table| table.memory.take()).ok().flatten();

        drop(mirror.with_lock(|table| table.map.take()));
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

/// Gives a device to which no driver is bound all of memory.
#[expect(unsafe_code)]
fn reach_all_memory(device: &Device) -> Result<&Device<Bound>> {
    let raw: *mut bindings::device = core::ptr::from_ref(device).cast_mut().cast();
    // SAFETY: The device is there, and only this driver uses it for DMA.
    unsafe { (*raw).dma_mask = &raw mut (*raw).coherent_dma_mask };
    // SAFETY: As above.
    to_result(unsafe { bindings::dma_set_mask_and_coherent(raw, u64::MAX) })?;
    // SAFETY: There is no driver that could be unbound.
    Ok(unsafe { device.as_bound() })
}

/// An open file.
struct Opened {
    device: ARef<Device>,
}

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

    /// Drops a map that has the last reference to its mirror. The map ends after a range that is dropped before it, whose
    /// invalidation takes a second.
    fn drop_map(&self) -> Result {
        let mirror = Self::mirror()?;
        let span = Span::new(PAGE_SIZE, 2 * PAGE_SIZE);
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        let device = reach_all_memory(&self.device)?;
        let map = KBox::pin_init(DmaMap::new(mirror.clone(), device, span), GFP_KERNEL)?;

        mirror.populate(span, Access::Snapshot, |_, _| Ok(()))?;
        mirror.with_lock(|table| {
            table.delay = 1000;
            drop(range);
            drop(map);
        })
    }

    /// Leaves a mirror that has a map of itself. The map's end takes some time: it has room for 16 GiB.
    fn leave_map(&self) -> Result {
        let mirror = Self::mirror()?;
        let span = Span::new(PAGE_SIZE, PAGE_SIZE + (16 << 30));
        let device = reach_all_memory(&self.device)?;
        let map = KBox::pin_init(DmaMap::new(mirror.clone(), device, span), GFP_KERNEL)?;

        mirror.with_lock(|table| table.map = Some(map))
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

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        let range = MirrorRange::new(Self::mirror()?, Span::ALL);
        let range = KBox::pin_init(range, GFP_KERNEL)?;

        core::mem::forget(range);
        let device = misc.device().into();
        KBox::pin(Opened { device }, GFP_KERNEL).map_err(Into::into)
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
    /// * 8: is dropped, and so is a map, which ends in the background, a second later.
    /// * 9: is dropped, and a mirror is left, which drops its map when it ends.
    fn ioctl(opened: Pin<&Self>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
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
            8 => opened.drop_map()?,
            9 => opened.leave_map()?,
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
