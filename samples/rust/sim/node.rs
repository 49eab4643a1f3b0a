// SPDX-License-Identifier: GPL-2.0

//! Device nodes with a device behind them.
//!
//! [`kernel::miscdevice`] gives `open` nothing of the driver's, so that `open` could not
//! distinguish several nodes.

use kernel::{
    bindings,
    container_of,
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

use super::misc::{
    FileOperations,
    MiscRegistration, //
};

/// Whether the current task may do what concerns all users of a device (`CAP_SYS_ADMIN`).
pub(crate) fn is_admin() -> bool {
    // SAFETY: It may be called in any task.
    unsafe { bindings::capable(bindings::CAP_SYS_ADMIN as i32) }
}

/// An open file of a [`Node`].
pub(crate) trait OpenFile: Sized + Send + Sync + 'static {
    /// The device behind a node.
    type Device: Send + Sync + 'static;

    /// Opens the node for the current process.
    fn open(device: &Arc<Self::Device>) -> Result<Pin<KBox<Self>>>;

    /// Carries out a command; see [`kernel::ioctl`].
    fn ioctl(&self, cmd: u32, arg: usize) -> Result<isize>;

    /// Maps the file.
    fn mmap(&self, vma: &VmaNew) -> Result;
}

/// The file operations of a driver's nodes, in a static of its own.
pub(crate) struct NodeOperations<F: OpenFile>(FileOperations<Registered<F>>);

impl<F: OpenFile> NodeOperations<F> {
    /// Creates them.
    pub(crate) const fn new() -> Self {
        Self(FileOperations::new())
    }
}

/// A device node, registered for as long as this exists.
pub(crate) struct Node<F: OpenFile> {
    _registered: Pin<KBox<Registered<F>>>,
}

impl<F: OpenFile> Node<F> {
    /// Makes the node `/dev/<name>`.
    ///
    /// # Errors
    ///
    /// Fails with `EEXIST` if there is a node of that name, and with `EBUSY` or `ENOMEM`.
    pub(crate) fn new(
        name: &'static CStr,
        device: Arc<F::Device>,
        module: &'static ThisModule,
        operations: &'static NodeOperations<F>,
    ) -> Result<Self> {
        // The node can be opened as soon as it is registered, so registration comes last.
        let options = MiscDeviceOptions { name };
        let registered = try_pin_init!(Registered {
            device,
            misc <- MiscRegistration::register(options, module, &operations.0),
        });

        Ok(Self {
            _registered: KBox::pin_init(registered, GFP_KERNEL)?,
        })
    }
}

/// A registration and the device that belongs to it.
///
/// The type is private to this module, and so is its [`MiscDevice`] implementation: nothing else
/// can register one.
///
/// # Invariants
///
/// Every `MiscRegistration<Registered<F>>` is the field `misc` of a `Registered<F>`, and there is no
/// other `MiscDeviceRegistration<Registered<F>>`.
#[pin_data]
struct Registered<F: OpenFile> {
    #[pin]
    misc: MiscRegistration<Self>,
    device: Arc<F::Device>,
}

#[vtable]
impl<F: OpenFile> MiscDevice for Registered<F> {
    type Ptr = Pin<KBox<F>>;

    fn open(_file: &File, misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        // SAFETY: By the type's invariants `misc` is that of a `MiscRegistration`, and this the field
        // of a `Registered`, which is not freed before the node was unregistered, and that waits for
        // `open`.
        let registered = unsafe {
            let misc = core::ptr::from_ref(MiscRegistration::of(misc));

            &*container_of!(misc.cast_mut(), Self, misc)
        };
        F::open(&registered.device)
    }

    fn ioctl(opened: Pin<&F>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        opened.ioctl(cmd, arg)
    }

    fn mmap(opened: Pin<&F>, _file: &File, vma: &VmaNew) -> Result {
        opened.mmap(vma)
    }
}
