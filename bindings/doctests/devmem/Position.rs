use kernel::hmm::{
    devmem::{
        DeviceMemory,
        MemoryOperations,
        Position, //
    },
    page::Block, //
};

/// Where a page of this device is, or of a peer; the device has just accessed it.
fn accessed<T: MemoryOperations>(memory: &DeviceMemory<T>, page: &Block<'_>) -> Position {
    memory.mark_accessed(page);
    let own = memory.position(page);
    match own.found() {
        true => own,
        false => memory.peer_position(page),
    }
}

let position = Position::new(true, 2, 4096);
assert!(position.found());
assert_eq!(position.chunk(), 2);
assert_eq!(position.offset(), 4096);
