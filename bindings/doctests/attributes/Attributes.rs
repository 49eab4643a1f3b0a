use kernel::{
    hmm::{
        attributes::{
            Advice,
            Attribute,
            Attributes, //
        },
        Span, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::Arc, //
};

let attributes = Arc::pin_init(Attributes::new(), GFP_KERNEL)?;
let buffer = Span::new(16 * PAGE_SIZE, 32 * PAGE_SIZE);

// A program advises that the first half is to be in the memory of device 0.
let half = Span::new(16 * PAGE_SIZE, 24 * PAGE_SIZE);
assert!(!attributes.any());
attributes.advise(half, Advice::SetPreferredLocation, 0)?;
assert!(attributes.any());

// A driver looks up what to do with the first pages of a fault.
let first = attributes.get(buffer);
assert_eq!(first.location(), 0);
assert_eq!(first.span().end(), half.end());

// What the device is going to access is to be mapped in advance, once.
attributes.advise(buffer, Advice::SetAccessedBy, Attribute::NOWHERE)?;
assert_eq!(attributes.take_stale().pages(), 8);
assert_eq!(attributes.take_stale().pages(), 8);
assert_eq!(attributes.take_stale().pages(), 0);

// What was invalidated is to be mapped again.
attributes.invalidate(Span::new(20 * PAGE_SIZE, 21 * PAGE_SIZE));
assert_eq!(attributes.take_stale().start(), 20 * PAGE_SIZE);
# Ok::<(), Error>(())
