// SPDX-License-Identifier: GPL-2.0

//! hmm_dmirror, a sample driver: the memory of a unit.
//!
//! A unit has memory of its own, in chunks that are added as they are needed. The kernel has a
//! `struct page` for each page of it, and a process's page can be there. There are two kinds:
//!
//! *Private* memory cannot be reached by the CPU. Its physical addresses are made up; they only
//! serve to have page frame numbers. When the CPU accesses a page that is there it faults, and
//! the page migrates to system memory. A device has memory of its own behind these numbers; here,
//! where there is no device, each chunk has an allocation of system memory.
//!
//! *Coherent* memory can be reached by both, at real addresses that the firmware reports or, here,
//! the module's parameters give.
//!
//! [`DeviceMemory`] allocates and migrates the pages. The driver's part is in this file: how to
//! copy and clear, and where more memory comes from. `ioctl.rs` migrates pages to the device and
//! back on request; the CPU's faults need nothing from the driver.

#![forbid(unsafe_code)]

use crate::sim::{
    board::{
        Bus,
        BUS_WINDOW, //
    },
    ram::{
        self,
        HasReserved,
        Ram,
        Reserved, //
    }, //
};
use kernel::{
    dma::DmaAddress,
    hmm::{
        batch::Batch,
        devmem::{
            DeviceMemory,
            MemoryOperations,
            MemoryType,
            Peer,
            PeerAccess,
            Position, //
        },
        page::{
            Block,
            Bytes, //
        }, //
    },
    new_mutex,
    page::PAGE_SIZE,
    prelude::*,
    sizes::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex,
        SetOnce, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
    warn_on, //
};

const DM_PRIVATE_CHUNK: usize = BUS_WINDOW;
pub(crate) const DM_COHERENT_CHUNK: usize = SZ_256M;

/// The largest number of chunks of private memory.
const DM_MAX_CHUNKS: usize = u64::BITS as usize;

/// The number of a chunk of coherent memory, whose bytes the CPU can access without it.
const DM_COHERENT: usize = usize::MAX;

/// How many pages a CPU fault on one of them migrates.
const DM_FAULT_AROUND: usize = 16;

/// The private memory of all units. Each unit can read that of the others, so chunks are numbered
/// for all units together.
#[pin_data]
pub(crate) struct DmChunks {
    /// The bytes of each chunk, by its number. Like a device's own memory they exist as long as the
    /// devices do, so that a page is accessed without a lock or a count (benchmark: driver-to-ram).
    chunks: KVec<SetOnce<Ram>>,
    /// A bit for each number that no chunk has.
    #[pin]
    idle: Mutex<u64>,
    /// By which the units access each other's memory.
    pub(crate) bus: Arc<Bus>,
}

impl DmChunks {
    /// Creates the state without any chunk.
    pub(crate) fn new(bus: Arc<Bus>) -> Result<Arc<Self>> {
        let mut chunks = KVec::with_capacity(DM_MAX_CHUNKS, GFP_KERNEL)?;

        for _ in 0..DM_MAX_CHUNKS {
            chunks.push(SetOnce::new(), GFP_KERNEL)?;
        }
        Arc::pin_init(
            try_pin_init!(Self {
                chunks,
                idle <- new_mutex!(u64::MAX),
                bus,
            }? Error),
            GFP_KERNEL,
        )
    }

    /// Gives a chunk a free number, and allocates its bytes the first time.
    fn number(&self) -> Result<usize> {
        let mut idle = self.idle.lock();
        let nr = idle.trailing_zeros() as usize;
        let chunk = self.chunks.get(nr).ok_or(ENOMEM)?;

        if chunk.as_ref().is_none() {
            chunk.populate(Ram::new(DM_PRIVATE_CHUNK)?);
        }
        *idle &= !(1 << nr);
        Ok(nr)
    }

    /// Frees the number of a chunk that was removed.
    fn free_number(&self, nr: usize) {
        if nr != DM_COHERENT {
            *self.idle.lock() |= 1 << nr;
        }
    }

    /// The bytes of the chunk of a page of private memory, and the offset in them; `None` for any
    /// other page.
    fn at(&self, position: Position) -> Option<(&Ram, usize)> {
        let ram = self.chunks.get(position.chunk())?.as_ref()?;

        position.found().then(|| (ram, position.offset()))
    }

    /// The bytes of the chunk at an address on the bus, and the offset in them.
    fn on_bus(&self, address: DmaAddress) -> Option<(&Ram, usize)> {
        let (nr, offset) = Bus::find(address)?;
        let ram = self.chunks.get(nr)?.as_ref()?;

        Some((ram, offset))
    }
}

/// The driver's data of a unit's memory.
#[pin_data]
pub(crate) struct DmMemory {
    /// Where the one chunk of coherent memory is, or `None` for private memory.
    reserved: Option<Reserved>,
    /// The chunks of all units.
    chunks: Arc<DmChunks>,
    /// The number of the first chunk.
    first: Atomic<usize>,
    /// How much memory the unit may have, in bytes.
    limit: Atomic<usize>,
    /// The thread whose next copy or clear of a large folio finds no memory, for a test; 0 for
    /// none.
    fail_for: Atomic<i32>,
    /// How long to wait before each batch of copies, in milliseconds, for a test.
    copy_delay: Atomic<i64>,
    /// Offset in the first chunk of a page whose contents are lost; `usize::MAX` if there is none.
    lost: Atomic<usize>,
    /// Whether a batch was copied since the last [`Self::set_copy_delay`].
    copied: Atomic<i32>,
    /// Other units get no address of the memory, for a test.
    refuse_peers: Atomic<bool>,
    /// The addresses that other units have.
    peers: DmPeers,
}

/// How many addresses of pages other units have.
struct DmPeers(Atomic<i64>);

impl Drop for DmPeers {
    fn drop(&mut self) {
        // The memory has ended, so no page is in use any more.
        warn_on!(self.0.load(Relaxed) != 0);
    }
}

impl DmMemory {
    /// Creates the data of a unit without memory.
    pub(crate) fn init(
        reserved: Option<Reserved>,
        chunks: Arc<DmChunks>,
    ) -> impl PinInit<DeviceMemory<Self>, Error> {
        let kind = match reserved {
            None => MemoryType::PRIVATE,
            Some(_) => MemoryType::COHERENT,
        };
        let data = try_pin_init!(Self {
            reserved,
            chunks,
            first: Atomic::new(DM_COHERENT),
            limit: Atomic::new(usize::MAX),
            fail_for: Atomic::new(0),
            copy_delay: Atomic::new(0),
            lost: Atomic::new(usize::MAX),
            copied: Atomic::new(0),
            refuse_peers: Atomic::new(false),
            peers: DmPeers(Atomic::new(0)),
        }? Error);
        DeviceMemory::new(kind, DM_FAULT_AROUND, c"hmm_dmirror", data)
    }

    /// How much memory the unit can have, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        match self.reserved {
            None => DM_MAX_CHUNKS * DM_PRIVATE_CHUNK,
            Some(_) => DM_COHERENT_CHUNK,
        }
    }

    /// Limits the memory that is added from now on.
    pub(crate) fn set_limit(&self, bytes: usize) {
        self.limit.store(bytes, Relaxed);
    }

    /// Waits before each batch of copies from now on. Returns the most batches that there have been
    /// at once since the last call: they are copied before [`MemoryOperations::copy_batch`]
    /// returns.
    pub(crate) fn set_copy_delay(&self, milliseconds: i64) -> i32 {
        self.copy_delay.store(milliseconds, Relaxed);
        self.copied.xchg(0, Relaxed)
    }

    /// Gives other units no addresses from now on, or does again. Returns how many they have.
    pub(crate) fn refuse_peers(&self, refuse: bool) -> i64 {
        self.refuse_peers.store(refuse, Relaxed);
        self.peers.0.load(Relaxed)
    }

    /// The first large folio that this thread copies or clears finds no memory; its pages then
    /// migrate one by one.
    pub(crate) fn fail_once(&self) {
        self.fail_for.store(current!().pid(), Relaxed);
    }

    /// Ends what [`Self::fail_once`] began, if there was no large folio to copy.
    pub(crate) fn fail_no_more(&self) {
        let _ = self.fail_for.cmpxchg(current!().pid(), 0, Relaxed);
    }

    /// Fails once for a large folio if a test has requested that of this thread.
    fn check_failure(&self, pages: usize) -> Result {
        let thread = self.fail_for.load(Relaxed);

        if pages > 1 && thread != 0 && thread == current!().pid() {
            self.fail_no_more();
            return Err(ENOMEM);
        }
        Ok(())
    }
}

/// Reports the page at an offset in the first chunk as bad, as a device's error interrupt would. If
/// it is lost, it can no longer be copied either.
pub(crate) fn dm_memory_retire(
    memory: &DeviceMemory<DmMemory>,
    offset: usize,
    lost: bool,
) -> Result {
    if lost {
        memory.data().lost.store(offset, Relaxed);
    }
    memory.retire(memory.data().first.load(Relaxed) as *const c_void, offset)
}

/// Whether a block has a page whose contents are lost.
fn dm_is_lost(memory: &DeviceMemory<DmMemory>, block: &Block<'_>) -> bool {
    let lost = memory.data().lost.load(Relaxed);

    if lost == usize::MAX {
        return false;
    }
    let position = memory.position(block);
    let size = block.pages() * PAGE_SIZE;
    position.found()
        && position.chunk() == memory.data().first.load(Relaxed)
        && (position.offset()..position.offset() + size).contains(&lost)
}

/// The bytes of the chunk of a private page of some unit, and the offset in them; `None` for any
/// other page.
fn dm_ram<'a>(memory: &'a DeviceMemory<DmMemory>, block: &Block<'_>) -> Option<(&'a Ram, usize)> {
    memory.data().chunks.at(memory.position(block))
}

/// Calls `f` with the bytes of a page of a block, in system or device memory.
pub(crate) fn dm_page<R>(
    memory: &DeviceMemory<DmMemory>,
    block: &Block<'_>,
    index: usize,
    f: impl FnOnce(&Bytes<'_>) -> Result<R>,
) -> Result<R> {
    match dm_ram(memory, block) {
        Some((ram, offset)) => ram.with(offset + index * PAGE_SIZE, PAGE_SIZE, |bytes| f(bytes))?,
        None => block.page(index, f).ok_or(EIO)?,
    }
}

/// As [`dm_page`], to be written.
pub(crate) fn dm_page_mut<R>(
    memory: &DeviceMemory<DmMemory>,
    block: &mut Block<'_>,
    index: usize,
    f: impl FnOnce(&mut Bytes<'_>) -> Result<R>,
) -> Result<R> {
    match dm_ram(memory, block) {
        Some((ram, offset)) => ram.with(offset + index * PAGE_SIZE, PAGE_SIZE, f)?,
        None => block.page_mut(index, f).ok_or(EIO)?,
    }
}

/// Calls `f` with the bytes of a page in the memory of another unit, of which this one has the
/// address.
pub(crate) fn dm_peer<R>(
    memory: &DeviceMemory<DmMemory>,
    address: DmaAddress,
    f: impl FnOnce(&mut Bytes<'_>) -> Result<R>,
) -> Result<R> {
    let (ram, offset) = memory.data().chunks.on_bus(address).ok_or(EIO)?;

    ram.with(offset, PAGE_SIZE, f)?
}

impl HasReserved for DmMemory {
    fn reserved(&self) -> Option<&Reserved> {
        self.reserved.as_ref()
    }
}

#[vtable]
impl MemoryOperations for DmMemory {
    /// A device would have its copy engine do this, and drop the batch in the engine's interrupt
    /// handler.
    fn copy_batch(memory: &DeviceMemory<Self>, mut batch: Batch) {
        let delay = memory.data().copy_delay.load(Relaxed);

        memory.data().copied.store(1, Relaxed);
        if delay != 0 {
            fsleep(Delta::from_millis(delay));
        }
        batch.copy_each(|dst, src| match src {
            Some(src) => Self::copy(memory, dst, src),
            None => Self::clear(memory, dst),
        });
    }

    /// A device would have its copy engine do this, for all of the block at once. There are two
    /// cases: from memory that the CPU cannot reach, this unit's or another's, and from all other.
    fn copy(memory: &DeviceMemory<Self>, mut dst: Block<'_>, src: &Block<'_>) -> Result {
        memory.data().check_failure(dst.pages())?;
        if dm_is_lost(memory, src) {
            return Err(EIO);
        }
        let peer = || memory.data().chunks.at(memory.peer_position(src));
        let ram = dm_ram(memory, src).or_else(peer);

        for index in 0..dst.pages() {
            match ram {
                Some((ram, offset)) => ram.with(offset + index * PAGE_SIZE, PAGE_SIZE, |from| {
                    dm_page_mut(memory, &mut dst, index, |to| to.copy_from(from))
                })?,
                None => src
                    .page(index, |from| {
                        dm_page_mut(memory, &mut dst, index, |to| to.copy_from(from))
                    })
                    .ok_or(EIO)?,
            }?;
        }
        Ok(())
    }

    fn clear(memory: &DeviceMemory<Self>, mut page: Block<'_>) -> Result {
        memory.data().check_failure(page.pages())?;
        for index in 0..page.pages() {
            dm_page_mut(memory, &mut page, index, |to| {
                to.clear();
                Ok(())
            })?;
        }
        Ok(())
    }

    /// All units can read each other's memory. A device would know of a link between the two, or
    /// ask the PCI core.
    fn can_copy_from(_memory: &DeviceMemory<Self>, peer: &Peer) -> bool {
        peer.same_driver()
    }

    /// Gives another unit the address of a page on the bus between the units. A device would have
    /// a window in a BAR, or a link. The mirror of the other unit forgets the address before the
    /// page can be freed.
    fn peer_dma_map(memory: &DeviceMemory<Self>, access: &PeerAccess) {
        let data = memory.data();

        if data.refuse_peers.load(Relaxed) {
            return;
        }
        if data.chunks.bus.give(access) {
            data.peers.0.fetch_add(1, Relaxed);
        }
    }

    fn peer_dma_unmap(memory: &DeviceMemory<Self>, _access: &PeerAccess) {
        memory.data().peers.0.fetch_sub(1, Relaxed);
    }

    /// Adds a chunk; of coherent memory there is only one.
    fn grow(memory: &DeviceMemory<Self>) -> Result {
        let left = memory
            .data()
            .limit
            .load(Relaxed)
            .saturating_sub(memory.size());

        if left == 0 {
            return Err(ENOMEM);
        }
        if memory.size() == 0 {
            memory.data().lost.store(usize::MAX, Relaxed);
        }
        if memory.data().reserved.is_some() {
            let data = DM_COHERENT as *const c_void;

            return ram::add_coherent(memory, left.min(DM_COHERENT_CHUNK), data);
        }
        let nr = memory.data().chunks.number()?;

        if memory.size() == 0 {
            memory.data().first.store(nr, Relaxed);
        }
        memory
            .add(left.min(DM_PRIVATE_CHUNK), nr as *const c_void)
            .inspect_err(|_| memory.data().chunks.free_number(nr))
    }

    fn release(memory: &DeviceMemory<Self>, nr: *const c_void) {
        memory.data().chunks.free_number(nr as usize);
    }
}
