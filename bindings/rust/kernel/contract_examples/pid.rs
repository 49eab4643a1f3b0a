// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/pid.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/pid.h`](srctree/include/linux/pid.h)

use crate::{
    bindings,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::Opaque, //
};
use core::ptr::NonNull;

/// What the kernel knows a process by.
///
/// Unlike a number it is never used again for another process.
///
/// # Invariants
///
/// A value of this type is a `bindings::pid` with a reference count, reached by reference only.
#[repr(transparent)]
pub struct Pid(Opaque<bindings::pid>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Pid {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Pid {}

impl Pid {
    /// Returns a raw pointer to the `bindings::pid`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::pid {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::pid` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::pid) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Look a process up by its number.
    ///
    /// Returns the process's identity, or nothing when there is no such process.
    #[inline]
    pub fn find_get_pid(nr: i32) -> Option<ARef<Pid>> {
        // SAFETY: The contract requires nothing of the caller.
        let ptr = NonNull::new(unsafe { bindings::find_get_pid(nr) })?;
        // SAFETY: By the contract (`owned`) the caller owns the reference.
        Some(unsafe { ARef::from_raw(ptr.cast()) })
    }

    /// The number of a process.
    ///
    /// Returns the number in the initial namespace, or 0 when it has ended.
    #[inline]
    pub fn number(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct pid`.
        unsafe { bindings::pid_nr(self.as_raw()) }
    }
}

// SAFETY: By the contract (`get`, `put`) every `struct pid` has a count, and lives while it is
// not zero.
unsafe impl AlwaysRefCounted for Pid {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is a reference, so the count is not zero.
        let _ = unsafe { bindings::get_pid(self.as_raw()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller passes on the reference that it owns.
        unsafe { bindings::put_pid(obj.cast().as_ptr()) };
    }
}
