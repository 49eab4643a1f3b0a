use kernel::{
    hmm::{
        devmem::{
            DeviceMemory,
            MemoryOperations, //
        },
        page::Block, //
    },
    page::PAGE_SIZE,
    prelude::*,
    sync::Mutex, //
};

/// A device with one chunk of memory, which is a buffer of the kernel's here.
#[pin_data]
struct Chunk {
    #[pin]
    ram: Mutex<VVec<u8>>,
}

#[vtable]
impl MemoryOperations for Chunk {
    fn copy(memory: &DeviceMemory<Self>, mut dst: Block<'_>, src: &Block<'_>) -> Result {
        let (to, from) = (memory.position(&dst), memory.position(src));
        let mut ram = memory.data().ram.lock();
        let offset = if to.found() { to.offset() } else { from.offset() };
        let size = dst.pages() * PAGE_SIZE;
        let ram = ram.get_mut(offset..offset + size).ok_or(EIO)?;

        for (index, ram) in ram.chunks_exact_mut(PAGE_SIZE).enumerate() {
            if to.found() {
                src.page(index, |page| page.read(0, ram)).ok_or(EIO)??;
            } else {
                dst.page_mut(index, |page| page.write(0, ram)).ok_or(EIO)??;
            }
        }
        Ok(())
    }

    fn clear(memory: &DeviceMemory<Self>, page: Block<'_>) -> Result {
        let offset = memory.position(&page).offset();
        let mut ram = memory.data().ram.lock();
        let ram = ram.get_mut(offset..offset + page.pages() * PAGE_SIZE);

        ram.ok_or(EIO)?.fill(0);
        Ok(())
    }
}
