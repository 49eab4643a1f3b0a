// SPDX-License-Identifier: GPL-2.0

//! Misc devices whose open files hold the driver's module.
//!
//! Up to Linux 7.2 the file operations of [`kernel::miscdevice`] have no owner: the module can be
//! unloaded while a file is open, and the next use of the file runs in freed text. With Linux
//! 7.3 [`MiscDeviceRegistration`] sets the owner itself.

use core::marker::PhantomData;
use kernel::{
    bindings,
    container_of,
    error::to_result,
    miscdevice::{
        MiscDevice,
        MiscDeviceOptions,
        MiscDeviceRegistration, //
    },
    prelude::*,
    types::Opaque, //
};

/// A registered misc device: [`MiscDeviceRegistration`] with the module as the owner.
///
/// # Invariants
///
/// `device` is registered, and its operations are `operations`, whose owner is the module that the
/// code of `T` is in.
#[pin_data(PinnedDrop)]
pub(crate) struct MiscRegistration<T: MiscDevice> {
    operations: bindings::file_operations,
    #[pin]
    device: Opaque<bindings::miscdevice>,
    _data: PhantomData<T>,
}

// SAFETY: `misc_deregister` may be called on another thread than `misc_register`.
unsafe impl<T: MiscDevice> Send for MiscRegistration<T> {}

// SAFETY: No method of a shared reference does more than compute an address.
unsafe impl<T: MiscDevice> Sync for MiscRegistration<T> {}

impl<T: MiscDevice> MiscRegistration<T> {
    /// Registers a misc device of the driver in `module`.
    ///
    /// # Errors
    ///
    /// Fails with `EEXIST` if there is a device of that name, and with `EBUSY` or `ENOMEM`.
    pub(crate) fn register(
        options: MiscDeviceOptions,
        module: &'static ThisModule,
    ) -> impl PinInit<Self, Error> {
        let device = options.into_raw::<T>();
        // SAFETY: They are a constant of the kernel's `MiscDevice` for `T`.
        let mut operations = unsafe { *device.fops };

        operations.owner = module.as_ptr();
        try_pin_init!(&this in Self {
            operations,
            device <- Opaque::try_ffi_init(move |slot: *mut bindings::miscdevice| {
                // SAFETY: `this` is being initialised, and `operations` is already.
                let fops = unsafe { &raw const (*this.as_ptr()).operations };

                // SAFETY: The slot may be written. The value is pinned, and `drop` unregisters the
                // device. Files that are open then would hold the module, which is not unloaded
                // before they are closed.
                unsafe {
                    slot.write(bindings::miscdevice { fops, ..device });
                    to_result(bindings::misc_register(slot))
                }
            }),
            _data: PhantomData,
        })
    }

    /// The registration that `open` was called for.
    ///
    /// # Safety
    ///
    /// [`Self::register`] registered it.
    pub(crate) unsafe fn of(misc: &MiscDeviceRegistration<T>) -> &Self {
        let device: *mut Opaque<bindings::miscdevice> = misc.as_raw().cast();

        // SAFETY: By the function's requirements this is the field of a registration, which exists
        // for as long as the device is registered.
        unsafe { &*container_of!(device, Self, device) }
    }
}

#[pinned_drop]
impl<T: MiscDevice> PinnedDrop for MiscRegistration<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type's invariants it is registered.
        unsafe { bindings::misc_deregister(self.device.get()) };
    }
}
