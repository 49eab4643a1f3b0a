// SPDX-License-Identifier: GPL-2.0

//! A node of the sample driver's is registered without the device that its files find behind it.

include!("fixture/devmem_driver.rs");

use kernel::{
    miscdevice::{
        MiscDeviceOptions,
        MiscDeviceRegistration, //
    },
    mm::virt::VmaNew, //
};
use sim::node::{
    Node,
    NodeOperations,
    OpenFile, //
};

/// An open file.
pub struct File;

impl OpenFile for File {
    type Device = u64;

    fn open(_device: &Arc<u64>) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::pin(File, GFP_KERNEL)?)
    }

    fn ioctl(&self, _cmd: u32, _arg: usize) -> Result<isize> {
        Err(ENOTTY)
    }

    fn mmap(&self, _vma: &VmaNew) -> Result {
        Err(EINVAL)
    }
}

/// The operations of open files.
static OPERATIONS: NodeOperations<File> = NodeOperations::new();

#[cfg(misuse)]
pub fn register(_module: &'static ThisModule) -> Result {
    let options = MiscDeviceOptions { name: c"lost" };
    let lost = MiscDeviceRegistration::<Node<File>>::register(options); //~ E0599 its trait bounds were not satisfied
    let _ = KBox::pin_init(lost, GFP_KERNEL)?;
    Ok(())
}

#[cfg(not(misuse))]
pub fn register(module: &'static ThisModule) -> Result {
    let _ = (MiscDeviceOptions { name: c"found" }, |_: &MiscDeviceRegistration<Never>| ());
    let _ = Node::<File>::new(c"found", Arc::new(0, GFP_KERNEL)?, module, &OPERATIONS)?;
    Ok(())
}

/// A misc device that nobody registers.
#[cfg(not(misuse))]
struct Never;

#[cfg(not(misuse))]
#[vtable]
impl kernel::miscdevice::MiscDevice for Never {
    type Ptr = Pin<KBox<Self>>;

    fn open(
        _file: &kernel::fs::File,
        _misc: &MiscDeviceRegistration<Self>,
    ) -> Result<Self::Ptr> {
        Err(ENODEV)
    }
}
