// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/hmm_compat_2017.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/hmm_compat_2017.h`](srctree/include/linux/hmm_compat_2017.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// Where a page is in some device memory.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Place(pub(crate) bindings::hmm2017_place);

impl Place {
    /// Makes a `struct hmm2017_place`.
    #[inline]
    pub const fn new(here: bool, offset: usize) -> Self {
        Self(bindings::hmm2017_place { here, offset })
    }

    /// Whether it is there at all.
    #[inline]
    pub fn here(&self) -> bool {
        self.0.here
    }

    /// From the beginning, in bytes.
    #[inline]
    pub fn offset(&self) -> usize {
        self.0.offset
    }
}

/// What only the driver of the device can do.
///
/// The implementing type is the data that the [`DeviceMemory`] holds.
#[vtable]
pub trait PageOperations: Sized + Send + Sync + 'static {
    /// Copy ``PAGE_SIZE << order`` bytes from `src` to `dst`, one of which is of this memory
    /// and the other of system memory. The pages are locked, and mapped nowhere. Returns 0 or a
    /// negative errno, upon which the data stays where it was; if it is what a CPU has touched,
    /// it is lost, and whoever touches it gets SIGBUS. With -`ENOMEM` the CPU tries again. May
    /// sleep.
    fn copy(
        memory: &DeviceMemory<Self>,
        dst: super::page::Block<'_>,
        src: super::page::Block<'_>,
    ) -> Result;
    /// Zero ``PAGE_SIZE << order`` bytes of this memory; as `copy`.
    fn clear(memory: &DeviceMemory<Self>, page: super::page::Block<'_>) -> Result;
}

/// Device memory that the CPU cannot reach.
///
/// # Invariants
///
/// `inner` is a `struct hmm2017_memory` that its constructor has initialised; it stays where it
/// is until it is dropped.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         compat_2017::{
///             DeviceMemory,
///             PageOperations, //
///         },
///         page::Block, //
///     },
///     page::PAGE_SIZE,
///     prelude::*,
///     sizes::SZ_2M, //
/// };
///
/// /// A device that cannot be reached: what is to be moved there stays where it is.
/// struct Device;
///
/// #[vtable]
/// impl PageOperations for Device {
///     fn copy(_memory: &DeviceMemory<Self>, _dst: Block<'_>, _src: Block<'_>) -> Result {
///         Err(EIO)
///     }
///
///     fn clear(_memory: &DeviceMemory<Self>, _page: Block<'_>) -> Result {
///         Err(EIO)
///     }
/// }
///
/// let memory = DeviceMemory::new(SZ_2M, c"example", Device);
/// let memory = KBox::pin_init(memory, GFP_KERNEL)?;
/// # // SAFETY: A test runs in a thread of its own, which has no memory yet.
/// # unsafe { kernel::bindings::kunit_attach_mm() };
/// let current = current!();
/// let mm = current.mm().ok_or(EINVAL)?;
/// // At the first page of an address space nothing is mapped.
/// assert!(memory.migrate(mm, 0, PAGE_SIZE) == Err(EINVAL));
/// assert_eq!(memory.used(), 0);
/// # Ok::<(), Error>(())
/// ```
#[pin_data(PinnedDrop)]
pub struct DeviceMemory<T: PageOperations> {
    #[pin]
    inner: Opaque<bindings::hmm2017_memory>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: PageOperations + Send> Send for DeviceMemory<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: PageOperations + Send + Sync> Sync for DeviceMemory<T> {}

impl<T: PageOperations> DeviceMemory<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::hmm2017_memory_ops = bindings::hmm2017_memory_ops {
        copy: Some(Self::copy_callback),
        clear: Some(Self::clear_callback),
        ..pin_init::zeroed()
    };
    /// Plug in device memory.
    ///
    /// Context: Process context; may sleep.
    ///
    /// `size`: In bytes; rounded up to what memory is plugged in by. Set by the driver.
    ///
    /// `name`: Of the device that it is plugged into, which no other has. Set by the driver.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` if something is missing; `ENODEV` if there is such a device already;
    /// `ENOMEM`; or what `hmm2017_devmem_add()` says. On an error nothing is left behind.
    pub fn new<E>(
        size: usize,
        name: &'static CStr,
        data: impl PinInit<T, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::hmm2017_memory| {
            // SAFETY: `slot` is room for a `struct hmm2017_memory`. C finds what is `given`, and
            // zeros around it.
            unsafe {
                slot.write_bytes(0, 1);
                (&raw mut (*slot).size).write(size);
                (&raw mut (*slot).name).write(name.as_char_ptr());
                (&raw mut (*slot).ops).write(&Self::OPERATIONS);
            }
            // SAFETY: `slot` is a `struct hmm2017_memory` that does not move, with the fields set
            // that are `given`.
            to_result(unsafe { bindings::hmm2017_memory_init(slot) })
        });
        try_pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// The data.
    #[inline]
    pub fn data(&self) -> &T {
        // SAFETY: The data is only ever shared.
        unsafe { &*self.data.get() }
    }

    /// Returns a raw pointer to the `struct hmm2017_memory`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm2017_memory {
        self.inner.get()
    }

    /// Move pages of a process to the memory.
    ///
    /// Addresses that nothing is mapped at get cleared pages. Pages that are busy, in a
    /// device's memory, or for which there is no room, stay where they are; that is no error.
    /// What the process touches comes home.
    ///
    /// Returns how many pages have moved; -`EINVAL` where the addresses are misaligned,
    /// reversed or not in one VMA, or its pages cannot move; -`ESRCH` if the process is gone;
    /// -`EINTR`; -`ENOMEM`. What was moved before the error has moved.
    ///
    /// Context: Process context; may sleep. Takes the mmap lock.
    ///
    /// # Errors
    ///
    /// Fails with the error that the C function returns.
    #[inline]
    pub fn migrate(&self, mm: &crate::mm::MmWithUser, start: usize, end: usize) -> Result<usize> {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm2017_memory`; `mm` is a
        // reference and so valid for the call.
        let value =
            unsafe { bindings::hmm2017_memory_migrate(self.as_raw(), mm.as_raw(), start, end) };
        if value < 0 {
            return Err(Error::from_errno(value as c_int));
        }
        Ok(value as usize)
    }

    /// How many pages are in use.
    ///
    /// Returns how many, at this moment.
    ///
    /// Context: Any.
    #[inline]
    pub fn used(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm2017_memory`.
        unsafe { bindings::hmm2017_memory_used(self.as_raw()) }
    }

    /// Where a page is in the memory.
    ///
    /// Returns whether it is there, and where.
    ///
    /// Context: Any.
    #[inline]
    pub fn place(&self, page: &super::page::Block<'_>) -> Place {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm2017_memory`; `page` is a
        // reference and so valid for the call.
        let value = unsafe { bindings::hmm2017_memory_place(self.as_raw(), page.as_raw()) };
        Place(value)
    }

    /// # Safety
    ///
    /// C must call this as the contract of `copy` says, on the `inner` of an object of this
    /// type.
    unsafe extern "C" fn copy_callback(
        memory: *mut bindings::hmm2017_memory,
        dst: *mut bindings::page,
        src: *mut bindings::page,
        order: u32,
    ) -> c_int {
        // SAFETY: C calls back with the `struct hmm2017_memory` that the constructor was given,
        // and not after the destructor has returned.
        let object = unsafe { Self::around(memory) };
        // SAFETY: By the contract (`block(dst, order)`) C passes the first of `1 << order` in a
        // row, good for the call and nobody else's meanwhile.
        let dst = unsafe { <super::page::Block<'_>>::from_raw(dst, order) };
        // SAFETY: By the contract (`block(src, order)`) C passes the first of `1 << order` in a
        // row, good for the call and nobody else's meanwhile.
        let src = unsafe { <super::page::Block<'_>>::from_raw(src, order) };
        match <T as PageOperations>::copy(object, dst, src) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this as the contract of `clear` says, on the `inner` of an object of this
    /// type.
    unsafe extern "C" fn clear_callback(
        memory: *mut bindings::hmm2017_memory,
        page: *mut bindings::page,
        order: u32,
    ) -> c_int {
        // SAFETY: C calls back with the `struct hmm2017_memory` that the constructor was given,
        // and not after the destructor has returned.
        let object = unsafe { Self::around(memory) };
        // SAFETY: By the contract (`block(page, order)`) C passes the first of `1 << order` in a
        // row, good for the call and nobody else's meanwhile.
        let page = unsafe { <super::page::Block<'_>>::from_raw(page, order) };
        match <T as PageOperations>::clear(object, page) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// The object around a `struct hmm2017_memory`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::hmm2017_memory) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: PageOperations> PinnedDrop for DeviceMemory<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `hmm2017_memory_exit`).
        unsafe { bindings::hmm2017_memory_exit(self.inner.get()) };
    }
}
