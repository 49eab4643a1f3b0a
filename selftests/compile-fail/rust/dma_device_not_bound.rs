// SPDX-License-Identifier: GPL-2.0

//! Create device addresses for a device that may be unbound from its driver.

include!("fixture/mirror_driver.rs");

use kernel::{
    device::{
        Bound,
        Device, //
    },
    hmm::mirror::DmaMap, //
};

pub fn map(
    mirror: Arc<Mirror<Table>>,
    dev: &Device,
    bound: &Device<Bound>,
    span: Span,
) -> Result<Pin<KBox<DmaMap<Table>>>> {
    #[cfg(misuse)]
    let bound = dev;
    let _ = dev;
    KBox::pin_init(DmaMap::new(mirror, bound, span), GFP_KERNEL) //~ E0308 mismatched types
}
