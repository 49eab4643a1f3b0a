use kernel::{
    hmm::Span,
    page::PAGE_SIZE, //
};

let span = Span::new(16 * PAGE_SIZE, 20 * PAGE_SIZE);
assert_eq!(span.pages(), 4);
assert_eq!(span.end() - span.start(), 4 * PAGE_SIZE);
assert!(span.is_user());
