// SPDX-License-Identifier: GPL-2.0

//! Keep device addresses for longer than their mirror.

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
    dev: &Device<Bound>,
    span: Span,
) -> Result<Pin<KBox<DmaMap<Table>>>> {
    #[cfg(misuse)]
    return KBox::pin_init(DmaMap::new(&*mirror, dev, span), GFP_KERNEL); //~ E0308 mismatched types
    #[cfg(not(misuse))]
    KBox::pin_init(DmaMap::new(mirror, dev, span), GFP_KERNEL)
}
