use kernel::{
    hmm::{
        mirror::Operations,
        Invalidation, //
    },
    prelude::*, //
};

/// A device's page table, of which nothing is kept but how much there is.
#[derive(Default)]
struct Table {
    pages: usize,
}

#[vtable]
impl Operations for Table {
    fn invalidate(mut self: Pin<&mut Self>, inv: &Invalidation) -> bool {
        self.pages -= self.pages.min(inv.span().pages());
        true
    }
}
# let _ = Table::default();
