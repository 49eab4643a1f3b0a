// SPDX-License-Identifier: GPL-2.0
// What the kernel crate has where firmware loading is configured in, and its structure. For bindings/foreign.
use crate::ffi::*;
#[repr(C)]
pub struct firmware {
    pub size: usize,
    pub data: *const u8,
    pub priv_: *mut c_void,
}
unsafe extern "C" {
    pub fn request_firmware(f: *mut *const firmware, name: *const c_char, d: *mut device) -> c_int;
    pub fn release_firmware(f: *const firmware);
}
