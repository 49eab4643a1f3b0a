// SPDX-License-Identifier: GPL-2.0
// What the kernel crate would have if bindings_helper.h included linux/dmapool.h. For bindings/foreign.
use crate::ffi::*;
#[repr(C)]
pub struct dma_pool {
    _private: [u8; 0],
}
unsafe extern "C" {
    pub fn dma_pool_create(n: *const c_char, d: *mut device, s: usize, a: usize, b: usize) -> *mut dma_pool;
    pub fn dma_pool_destroy(pool: *mut dma_pool);
}
