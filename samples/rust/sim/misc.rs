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
    sync::SetOnce,
    types::Opaque, //
};

/// The file operations of a misc device, in a static of the driver's: a file that is open uses them
/// also after its device was unregistered, and holds the module that the static is in.
pub(crate) struct FileOperations<T>(SetOnce<Owned>, PhantomData<fn() -> T>);

/// File operations with an owner.
struct Owned(bindings::file_operations);

// SAFETY: They are not changed once they were made, and what they refer to is the driver's code.
unsafe impl Send for Owned {}

// SAFETY: As above.
unsafe impl Sync for Owned {}

impl<T: MiscDevice> FileOperations<T> {
    /// Creates them, without an owner yet.
    pub(crate) const fn new() -> Self {
        Self(SetOnce::new(), PhantomData)
    }

    /// Those of `device`, with the module as their owner. Fails with `EBUSY` while another thread
    /// makes them.
    fn of(
        &'static self,
        device: &bindings::miscdevice,
        module: &'static ThisModule,
    ) -> Result<*const bindings::file_operations> {
        if self.0.as_ref().is_none() {
            // SAFETY: They are a constant of the kernel's `MiscDevice` for `T`.
            let mut operations = unsafe { *device.fops };

            operations.owner = module.as_ptr();
            self.0.populate(Owned(operations));
        }
        Ok(&raw const self.0.as_ref().ok_or(EBUSY)?.0)
    }
}

/// A registered misc device: [`MiscDeviceRegistration`] with the module as the owner.
///
/// # Invariants
///
/// `device` is registered, and its operations are in a static of the module that owns them.
#[pin_data(PinnedDrop)]
pub(crate) struct MiscRegistration<T: MiscDevice> {
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
        operations: &'static FileOperations<T>,
    ) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            device <- Opaque::try_ffi_init(move |slot: *mut bindings::miscdevice| {
                let mut device = options.into_raw::<T>();

                device.fops = operations.of(&device, module)?;
                // SAFETY: The slot may be written. The value is pinned, and `drop` unregisters the
                // device.
                unsafe {
                    slot.write(device);
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
