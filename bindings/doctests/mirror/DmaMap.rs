use kernel::{
    device::{
        Bound,
        Device, //
    },
    hmm::{
        mirror::{
            DmaMap,
            Operations, //
        },
        Access,
        Invalidation,
        Mirror,
        Span, //
    },
    prelude::*,
    sync::Arc,
    time::msecs_to_jiffies, //
};

/// A device's page table, of which nothing is kept but the address that was entered last.
#[derive(Default)]
struct Table {
    last: u64,
}

#[vtable]
impl Operations for Table {
    /// Only clear the device's own entries: C unmaps the addresses when this has returned.
    fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        self.last = 0;
        true
    }
}

type Map = Pin<KBox<DmaMap<Table>>>;

/// Room for the device addresses of a buffer, of which other devices may have a part in their
/// memory.
fn map(mirror: Arc<Mirror<Table>>, dev: &Device<Bound>, span: Span) -> Result<Map> {
    let map = KBox::pin_init(DmaMap::new(mirror, dev, span), GFP_KERNEL)?;

    map.accept_peers()?;
    Ok(map)
}

/// The device has faulted: its table gets the pages' device addresses.
fn fault(mirror: &Mirror<Table>, dma: &DmaMap<Table>, span: Span) -> Result {
    mirror.populate_dma(span, Access::Write, dma, |pages, table| {
        for run in pages.addresses() {
            // A device that caches what it reads does not cache the memory of another.
            if !run.peer() {
                table.last = run.address();
            }
        }
        Ok(())
    })
}

/// The same, for a device that waits 10 ms at most.
fn fault_soon(mirror: &Mirror<Table>, dma: &DmaMap<Table>, span: Span) -> Result {
    let soon = msecs_to_jiffies(10);
    mirror.populate_dma_with(span, Access::Write, dma, soon, |pages, table| {
        let mut table = table.as_pin();
        for run in pages.addresses() {
            table.last = run.address();
        }
        Ok(())
    })
}
# let _ = (Table::default(), map, fault, fault_soon);
