use kernel::hmm::devmem::Position;

let position = Position::new(true, 2, 4096);
assert!(position.found());
assert_eq!(position.chunk(), 2);
assert_eq!(position.offset(), 4096);
