// SPDX-License-Identifier: GPL-2.0

//! Create a range that may outlive its mirror.

include!("fixture/mirror_driver.rs");

pub fn cover(mirror: &Arc<Mirror<Table>>, span: Span) -> Result<Pin<KBox<MirrorRange<Table>>>> {
    #[cfg(misuse)]
    let kept = &**mirror;
    #[cfg(not(misuse))]
    let kept = mirror.clone();
    KBox::pin_init(
        MirrorRange::new(
            kept, //~ E0308 mismatched types
            span,
        ),
        GFP_KERNEL,
    )
}
