// SPDX-License-Identifier: GPL-2.0
/// The address of memory for a device, which a kernel without DMA does not have.
pub mod dma {
    pub type DmaAddress = u64;
}
