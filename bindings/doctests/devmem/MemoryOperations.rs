use kernel::{
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations, //
        },
        page::{
            Block,
            Ram, //
        }, //
    },
    page::PAGE_SIZE,
    prelude::*, //
};

/// A device with one chunk of memory, which here is ordinary memory.
struct Chunk(Ram);

#[vtable]
impl MemoryOperations for Chunk {
    fn copy(memory: &DeviceMemory<Self>, mut dst: Block<'_>, src: Block<'_>) -> Result {
        let (to, from) = (memory.place(&dst), memory.place(&src));
        let ram = &memory.data().0;
        for index in 0..dst.pages() {
            let at = index * PAGE_SIZE;
            if to.here() {
                ram.with(to.offset() + at, PAGE_SIZE, |bytes| {
                    src.page(index, |from| bytes.copy_from(from)).ok_or(EIO)?
                })??;
            } else {
                ram.with(from.offset() + at, PAGE_SIZE, |bytes| {
                    dst.page_mut(index, |to| to.copy_from(bytes)).ok_or(EIO)?
                })??;
            }
        }
        Ok(())
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        let at = memory.place(&page).offset();
        let size = page.pages() * PAGE_SIZE;
        memory.data().0.with(at, size, |bytes| bytes.clear())
    }
}
