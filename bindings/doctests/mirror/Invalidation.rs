use kernel::{
    hmm::{
        mirror::Operations,
        Event,
        Invalidation, //
    },
    prelude::*, //
};

/// A device that counts the pages which it loses, and how often the process has ended.
#[derive(Default)]
struct Table {
    lost: usize,
    ended: usize,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        if inv.event() == Event::RELEASE {
            self.ended += 1;
        }
        // A device that has to wait for its TLB requests another try where it must not.
        if !inv.may_block() {
            return false;
        }
        self.lost += inv.span().pages();
        true
    }
}
# let _ = Table::default();
