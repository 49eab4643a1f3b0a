use kernel::{
    hmm::{
        attributes::Attribute,
        Span, //
    },
    page::PAGE_SIZE, //
};

let span = Span::new(16 * PAGE_SIZE, 32 * PAGE_SIZE);
let attribute = Attribute::new(span, Attribute::SYSTEM, true, false);
assert_eq!(attribute.span().pages(), 16);
assert_eq!(attribute.location(), Attribute::SYSTEM);
assert!(attribute.read_mostly());
assert!(!attribute.accessed_by());
