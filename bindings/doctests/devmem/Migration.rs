use kernel::{
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations,
            Migration, //
        },
        Span, //
    },
    mm::MmWithUser,
    prelude::*, //
};

/// Moves pages, and has the device know of them before the process can touch them.
fn take<T: MemoryOperations>(
    memory: &DeviceMemory<T>,
    mm: &MmWithUser,
    span: Span,
    tell: impl Fn(Span) -> Result,
) -> Result<usize> {
    let copied = Migration::collect(memory, mm, span)?.copy();
    // Left here, or by `?` below, none of them has moved.
    tell(copied.span())?;
    Ok(copied.commit().moved())
}
