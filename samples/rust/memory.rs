// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: the memory of a unit.
//!
//! A unit has memory of its own, in chunks that are added as they are needed. The kernel has a `struct page` for each
//! page of it, and a process's page can live there. There are two kinds:
//!
//! *Private* memory cannot be reached by the CPU. Its physical addresses are made up; they only serve to have page frame
//! numbers. When the CPU touches a page that lives there it faults, and the page is brought home. What is behind the
//! numbers is the device's business; here, where there is no device, each chunk has a block of ordinary memory.
//!
//! *Coherent* memory can be reached by both, at real addresses that the firmware reports or, here, the module's
//! parameters give.
//!
//! [`DeviceMemory`] keeps account of the pages and moves them. What is left to a driver is in this file: how to copy and
//! clear, and where more memory comes from. Moving pages there and home is one call each, in `ioctl.rs`, and the CPU's
//! faults need nothing at all.

use kernel::{
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            MemoryType, //
        },
        page::{
            Block,
            Bytes,
            Ram, //
        }, //
    },
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sizes::*,
    sync::{
        Arc,
        Mutex, //
    }, //
};

const DM_PRIVATE_CHUNK: usize = SZ_128M;
const DM_COHERENT_CHUNK: usize = SZ_256M;

/// As many chunks as there can be. Room for them is made once: the lock on it is taken under the mirrors' update locks,
/// which reclaim can wait for, so nothing may be allocated under it.
const DM_MAX_CHUNKS: usize = 64;

/// How many pages come along when the CPU faults on one of them.
const DM_FAULT_AROUND: usize = 16;

/// What the driver knows of a unit's memory.
#[pin_data]
pub(crate) struct DmMemory {
    /// Physical address of the one chunk of coherent memory, or 0 for private memory.
    coherent_base: u64,
    /// What is behind the addresses of chunks, by their number; nothing when they are real.
    #[pin]
    chunks: Mutex<KVec<Option<Arc<Ram>>>>,
}

impl DmMemory {
    /// A unit without memory as yet.
    pub(crate) fn init(coherent_base: u64) -> impl PinInit<DeviceMemory<Self>, Error> {
        let kind = match coherent_base {
            0 => MemoryType::PRIVATE,
            _ => MemoryType::COHERENT,
        };
        let data = try_pin_init!(Self {
            coherent_base,
            chunks <- new_mutex!(KVec::with_capacity(DM_MAX_CHUNKS, GFP_KERNEL)?),
        }? Error);
        DeviceMemory::new(kind, DM_FAULT_AROUND, c"hmm_dmirror", data)
    }

    /// Numbers what is behind a chunk.
    fn number(&self, ram: Arc<Ram>) -> Result<usize> {
        let mut chunks = self.chunks.lock();
        let nr = chunks.iter().position(Option::is_none);
        let nr = nr.unwrap_or(chunks.len());

        if nr == chunks.len() {
            chunks.push_within_capacity(None).map_err(|_| ENOMEM)?;
        }
        chunks[nr] = Some(ram);
        Ok(nr)
    }

    fn forget(&self, nr: usize) -> Option<Arc<Ram>> {
        self.chunks.lock().get_mut(nr)?.take()
    }
}

/// What is behind a page of a unit's private memory, and where in it.
fn dm_ram(memory: &DeviceMemory<DmMemory>, block: &Block<'_>) -> Result<(Arc<Ram>, usize)> {
    let place = memory.place(block);
    let chunks = memory.data().chunks.lock();
    let ram = chunks.get(place.chunk()).cloned().flatten();

    match ram {
        Some(ram) if place.here() => Ok((ram, place.offset())),
        _ => Err(EIO),
    }
}

/// Shows what is in a page of a block, wherever it is.
pub(crate) fn dm_page<R>(
    memory: &DeviceMemory<DmMemory>,
    block: &Block<'_>,
    index: usize,
    f: impl FnOnce(&Bytes<'_>) -> Result<R>,
) -> Result<R> {
    if !block.frame().is_private() {
        return block.page(index, f).ok_or(EIO)?;
    }
    let (ram, offset) = dm_ram(memory, block)?;
    ram.with(offset + index * PAGE_SIZE, PAGE_SIZE, |bytes| f(bytes))?
}

/// The same, to be written.
pub(crate) fn dm_page_mut<R>(
    memory: &DeviceMemory<DmMemory>,
    block: &mut Block<'_>,
    index: usize,
    f: impl FnOnce(&mut Bytes<'_>) -> Result<R>,
) -> Result<R> {
    if !block.frame().is_private() {
        return block.page_mut(index, f).ok_or(EIO)?;
    }
    let (ram, offset) = dm_ram(memory, block)?;
    ram.with(offset + index * PAGE_SIZE, PAGE_SIZE, f)?
}

#[vtable]
impl MemoryOperations for DmMemory {
    /// A device would have its copy engine do this, for all of the block at once.
    fn copy(memory: &DeviceMemory<Self>, mut dst: Block<'_>, src: Block<'_>) -> Result {
        for index in 0..dst.pages() {
            dm_page(memory, &src, index, |from| {
                dm_page_mut(memory, &mut dst, index, |to| to.copy_from(from))
            })?;
        }
        Ok(())
    }

    fn clear(memory: &DeviceMemory<Self>, mut page: Block<'_>) -> Result {
        for index in 0..page.pages() {
            dm_page_mut(memory, &mut page, index, |to| {
                to.clear();
                Ok(())
            })?;
        }
        Ok(())
    }

    /// One chunk more; of coherent memory there is only one.
    fn grow(memory: &DeviceMemory<Self>) -> Result {
        let base = memory.data().coherent_base;

        if base != 0 {
            return memory.add(base, DM_COHERENT_CHUNK, core::ptr::null());
        }
        let ram = Arc::new(Ram::new(DM_PRIVATE_CHUNK)?, GFP_KERNEL)?;
        let nr = memory.data().number(ram)?;
        memory
            .add(0, DM_PRIVATE_CHUNK, nr as *const c_void)
            .inspect_err(|_| drop(memory.data().forget(nr)))
    }

    fn release(memory: &DeviceMemory<Self>, nr: *const c_void) {
        memory.data().forget(nr as usize);
    }
}
