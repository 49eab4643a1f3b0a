// SPDX-License-Identifier: GPL-2.0

//! Device nodes with something of the driver's behind them.
//!
//! [`crate::miscdevice`] gives what opens a file nothing of the driver's; with it, several nodes could not be told apart.

use crate::{
    fs::File,
    miscdevice::{
        MiscDevice,
        MiscDeviceOptions,
        MiscDeviceRegistration, //
    },
    mm::virt::VmaNew,
    prelude::*,
    sync::Arc, //
};

/// An open file of a [`Node`].
#[vtable]
pub trait OpenFile: Sized + Send + Sync + 'static {
    /// What is behind a node.
    type Device: Send + Sync + 'static;

    /// The node is being opened by the current process.
    fn open(device: &Arc<Self::Device>) -> Result<Pin<KBox<Self>>>;

    /// A command; see [`crate::ioctl`].
    fn ioctl(&self, cmd: u32, arg: usize) -> Result<isize>;

    /// The file is being mapped.
    fn mmap(&self, vma: &VmaNew) -> Result;
}

/// A device node, there for as long as this exists.
#[pin_data]
pub struct Node<F: OpenFile> {
    #[pin]
    misc: MiscDeviceRegistration<Self>,
    device: Arc<F::Device>,
}

impl<F: OpenFile> Node<F> {
    /// Makes the node `/dev/<name>`.
    ///
    /// # Errors
    ///
    /// Fails with `EEXIST` when there is a node of that name, and `EBUSY` or `ENOMEM`.
    pub fn new(name: &'static CStr, device: Arc<F::Device>) -> impl PinInit<Self, Error> {
        // The node can be opened as soon as it is registered: that comes last.
        try_pin_init!(Self {
            device,
            misc <- MiscDeviceRegistration::register(MiscDeviceOptions { name }),
        })
    }
}

#[vtable]
impl<F: OpenFile> MiscDevice for Node<F> {
    type Ptr = Pin<KBox<F>>;
    #[cfg(CONFIG_HMM_RUST_OWNER_MODULE)]
    type OwnerModule = F::OwnerModule;

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        // SAFETY: Only `new` registers one, in a `Node`, which cannot go while one is opened.
        let node = unsafe { &*container_of!(core::ptr::from_ref(misc), Self, misc) };
        F::open(&node.device)
    }

    fn ioctl(opened: Pin<&F>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        opened.ioctl(cmd, arg)
    }

    fn mmap(opened: Pin<&F>, _file: &File, vma: &VmaNew) -> Result {
        opened.mmap(vma)
    }
}
