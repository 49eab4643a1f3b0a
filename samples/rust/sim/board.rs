// SPDX-License-Identifier: GPL-2.0

//! The device that the kernel knows.

use core::ptr::NonNull;
use kernel::{
    bindings,
    device::{
        Bound,
        Device, //
    },
    prelude::*, //
};

/// A device on no bus, in place of the one that a bus would give to the driver's `probe`.
///
/// # Invariants
///
/// It was created, and is destroyed when this is dropped.
pub(crate) struct Board(NonNull<bindings::faux_device>);

// SAFETY: A `struct device` may be used, and destroyed, in any thread.
unsafe impl Send for Board {}

// SAFETY: As above; a shared reference gives nothing but the `Device`, which any number of threads
// may use.
unsafe impl Sync for Board {}

impl Board {
    /// Creates the device `name`.
    ///
    /// # Errors
    ///
    /// Fails with `ENODEV` if it cannot be created.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        // SAFETY: The name is copied, and nothing else is given.
        let board = unsafe {
            bindings::faux_device_create(
                name.as_char_ptr(),
                core::ptr::null_mut(),
                core::ptr::null(),
            )
        };

        // INVARIANT: It was just created.
        Ok(Self(NonNull::new(board).ok_or(ENODEV)?))
    }

    /// The device.
    pub(crate) fn device(&self) -> &Device<Bound> {
        // SAFETY: By the type's invariants it exists, and it is bound as long as it does.
        unsafe { Device::from_raw(&raw mut (*self.0.as_ptr()).dev) }
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // SAFETY: By the type's invariants it exists, and it is not used any more.
        unsafe { bindings::faux_device_destroy(self.0.as_ptr()) };
    }
}
