use kernel::{
    hmm::{
        mirror::Operations,
        Access,
        AnyMemory,
        Invalidation,
        Mirror,
        Span, //
    },
    prelude::*,
    time::msecs_to_jiffies, //
};

/// A device that knows how many pages are in its own memory.
#[derive(Default)]
struct Table {
    own: usize,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, _inv: &Invalidation) -> bool {
        self.own = 0;
        true
    }
}

/// The device has faulted: the pages move to its memory, and it maps them before the CPU can.
fn fault(mirror: &Mirror<Table>, memory: &AnyMemory, span: Span) -> Result {
    mirror.populate_in(span, Access::Write, memory, |pages, table| {
        for run in pages.runs() {
            table.own += run.frames().filter(|page| page.is_private()).count();
        }
        Ok(())
    })
}

/// The same, for a device that waits 10 ms at most.
fn fault_soon(mirror: &Mirror<Table>, memory: &AnyMemory, span: Span) -> Result {
    let soon = msecs_to_jiffies(10);
    mirror.populate_in_with(span, Access::Write, memory, soon, |pages, table| {
        table.as_pin().own += pages.runs().count();
        Ok(())
    })
}
# let _ = (Table::default(), fault, fault_soon);
