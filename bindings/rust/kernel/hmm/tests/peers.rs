// SPDX-License-Identifier: GPL-2.0

//! Memory that another device accesses where it is.

use super::{
    dma::Device,
    memory::*, //
};
use crate::{
    dma::DmaAddress,
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            MemoryType,
            PeerAccess, //
        },
        mirror::{
            Access,
            DmaMap,
            Invalidation,
            Mirror,
            MirrorRange,
            Operations,
            PfnFlags,
            Span, //
        },
        page::Block, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sizes::SZ_4M,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    }, //
};

/// Where the memory begins on the bus: nothing is there.
const BASE: DmaAddress = 1 << 40;
/// The data of the one chunk.
const CHUNK: usize = 7;

/// Memory that other devices access by its position.
#[pin_data]
struct Reachable {
    #[pin]
    buffer: Buffer,
    /// The device that may; another one may not.
    device: Atomic<usize>,
    /// How many addresses others have.
    given: Atomic<usize>,
    /// Whether one was taken back that was not given.
    wrong: Atomic<bool>,
}

#[vtable]
impl MemoryOperations for Reachable {
    fn copy(memory: &DeviceMemory<Self>, dst: Block<'_>, src: &Block<'_>) -> Result {
        let (to, from) = (memory.position(&dst), memory.position(src));
        let to = to.found().then(|| to.offset());
        memory.data().buffer.copy(to, from.offset(), dst, src)
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        let offset = memory.position(&page).offset();
        memory.data().buffer.clear(offset, page)
    }

    fn peer_dma_map(memory: &DeviceMemory<Self>, access: &PeerAccess) {
        let (data, position) = (memory.data(), access.position());
        assert!(position.found() && position.chunk() == CHUNK);
        assert_eq!(access.address(), DmaAddress::MAX);
        if access.device().as_raw() as usize != data.device.load(Relaxed) {
            return;
        }
        data.given.fetch_add(1, Relaxed);
        // SAFETY: The device of the test accesses nothing by it.
        unsafe { access.set_address(BASE + position.offset() as DmaAddress) };
    }

    fn peer_dma_unmap(memory: &DeviceMemory<Self>, access: &PeerAccess) {
        let data = memory.data();
        if access.address() != BASE + access.position().offset() as DmaAddress {
            data.wrong.store(true, Relaxed);
        }
        data.given.fetch_sub(1, Relaxed);
    }
}

fn reachable() -> Result<Pin<KBox<DeviceMemory<Reachable>>>> {
    let data = try_pin_init!(Reachable {
        buffer <- Buffer::new(SZ_4M),
        device: Atomic::new(0),
        given: Atomic::new(0),
        wrong: Atomic::new(false),
    }? Error);
    let memory = DeviceMemory::new(MemoryType::PRIVATE, 1, c"hmm_rust_reachable", data);
    let memory = KBox::pin_init(memory, GFP_KERNEL)?;
    memory.add(SZ_4M, CHUNK as *const c_void)?;
    Ok(memory)
}

/// The table of a device: how many pages of others it has the addresses of.
#[derive(Default)]
struct Table {
    peers: usize,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        self.peers = 0;
        true
    }
}

/// Another device, with its mirror of the process.
struct Other {
    map: Pin<KBox<DmaMap<Table>>>,
    _range: Pin<KBox<MirrorRange<Table>>>,
    mirror: Arc<Mirror<Table>>,
    device: Device,
}

impl Other {
    fn new(span: Span) -> Result<Self> {
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let device = Device::new()?;
        let mirror = Mirror::new(mm, core::ptr::null(), Table::default());
        let mirror = Arc::pin_init(mirror, GFP_KERNEL)?;
        let range = KBox::pin_init(MirrorRange::new(mirror.clone(), span), GFP_KERNEL)?;
        let map = DmaMap::new(mirror.clone(), device.get(), span);
        let map = KBox::pin_init(map, GFP_KERNEL)?;
        map.accept_peers()?;
        Ok(Self {
            map,
            _range: range,
            mirror,
            device,
        })
    }

    /// Has the device fault on a span. Returns how many pages it has by addresses of others,
    /// each of them the next one after the address before, from that of `first` on.
    fn peers(&self, span: Span, first: DmaAddress) -> Result<usize> {
        self.mirror
            .populate_dma(span, Access::Write, &self.map, |pages, table| {
                let mut next = first;
                for run in pages.addresses().filter(|run| run.peer()) {
                    assert!(run.flags().contains(PfnFlags::WRITE));
                    assert_eq!(run.address(), next);
                    next += (run.span().pages() * PAGE_SIZE) as DmaAddress;
                    table.peers += run.span().pages();
                }
                Ok(())
            })?;
        self.mirror.with_lock(|table| table.peers)
    }
}

#[macros::kunit_tests(hmm_rust_peers)]
mod tests {
    use super::*;

    #[test]
    fn pages_stay_and_have_addresses() -> Result {
        let (memory, span) = (reachable()?, numbered()?);
        let other = Other::new(span)?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        let data = memory.data();
        data.device
            .store(other.device.get().as_raw() as usize, Relaxed);
        assert_eq!(memory.migrate(mm, span)?, PAGES);
        let free = memory.available();
        assert_eq!(other.peers(span, BASE)?, PAGES);
        assert_eq!(data.given.load(Relaxed), PAGES);
        assert_eq!(memory.available(), free);
        // A CPU access migrates them to system memory, and takes the addresses back before.
        assert_eq!(numbers(span)?, NUMBERS);
        assert_eq!(other.mirror.with_lock(|table| table.peers)?, 0);
        assert_eq!(data.given.load(Relaxed), 0);
        assert_eq!(memory.available(), SZ_4M);
        assert!(!data.wrong.load(Relaxed));
        Ok(())
    }

    #[test]
    fn a_page_without_an_address_goes_to_system_memory() -> Result {
        let (memory, span) = (reachable()?, numbered()?);
        let other = Other::new(span)?;
        let current = current!();
        let mm = current.mm().ok_or(EINVAL)?;
        assert_eq!(memory.migrate(mm, span)?, PAGES);
        assert_eq!(other.peers(span, BASE)?, 0);
        assert_eq!(memory.available(), SZ_4M);
        assert_eq!(memory.data().given.load(Relaxed), 0);
        assert_eq!(numbers(span)?, NUMBERS);
        Ok(())
    }

    /// The map of the other device ends, or the memory does, while there are addresses.
    #[test]
    fn all_addresses_come_back() -> Result {
        for memory_first in [false, true] {
            let (memory, span) = (reachable()?, numbered()?);
            let other = Other::new(span)?;
            let current = current!();
            let mm = current.mm().ok_or(EINVAL)?;
            let data = memory.data();
            data.device
                .store(other.device.get().as_raw() as usize, Relaxed);
            assert_eq!(memory.migrate(mm, span)?, PAGES);
            assert_eq!(other.peers(span, BASE)?, PAGES);
            match memory_first {
                true => memory.remove(100)?,
                false => drop(other),
            }
            assert_eq!(data.given.load(Relaxed), 0);
            assert!(!data.wrong.load(Relaxed));
            assert_eq!(numbers(span)?, NUMBERS);
        }
        Ok(())
    }
}
