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

/// Moves pages, unless the device refuses after they were copied.
fn take<T: MemoryOperations>(
    memory: &DeviceMemory<T>,
    mm: &MmWithUser,
    span: Span,
    accept: impl Fn(Span) -> Result,
) -> Result<usize> {
    Migration::collect(memory, mm, span, |collected| {
        let copied = collected.copy();
        // If `accept` fails, the migration ends here and no page has moved.
        accept(copied.span())?;
        Ok(copied.commit().moved())
    })?
}
