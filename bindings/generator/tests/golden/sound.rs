// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `sound.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/sound.h`](srctree/include/sound.h)

use crate::{
    bindings,
    error::from_err_ptr,
    prelude::*,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::ptr::NonNull;

/// The kernel's `note`.
#[repr(transparent)]
pub struct Note(pub(crate) bindings::note);

impl Note {
    /// The member `page`.
    #[inline]
    pub fn page(&self) -> i32 {
        self.0.page
    }

    /// Calls `bindings::note_page`.
    #[inline]
    pub fn number(&self) -> i32 {
        // SAFETY: A reference to a `struct note` comes from C, and its pointers are valid as long
        // as it is.
        unsafe { bindings::note_page(&raw const self.0) }
    }
}

/// The kernel's `space`.
///
/// # Invariants
///
/// A value of this type is a `bindings::space` with a reference count, reached by reference
/// only.
#[repr(transparent)]
pub struct Space(Opaque<bindings::space>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Space {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Space {}

impl Space {
    /// Returns a raw pointer to the `bindings::space`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::space {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::space` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::space) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }
}

// SAFETY: By the contract (`get`, `put`) every `struct space` has a count, and lives while it is
// not zero.
unsafe impl AlwaysRefCounted for Space {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is a reference, so the count is not zero.
        unsafe { bindings::space_get(self.as_raw()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller passes on the reference that it owns.
        unsafe { bindings::space_put(obj.cast().as_ptr()) };
    }
}

/// The kernel's `view`.
///
/// # Invariants
///
/// `ptr` points to a `bindings::view` that belongs to this value.
pub struct View {
    ptr: NonNull<bindings::view>,
    #[allow(dead_code)]
    space: ARef<Space>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for View {}

impl View {
    /// Makes one with `bindings::view_open`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::view_open`.
    #[inline]
    pub fn new(space: ARef<Space>) -> Result<View> {
        let raw_space = space.as_raw();
        // SAFETY: `space` is kept alive by the object (`keeps`).
        let ptr = from_err_ptr(unsafe { bindings::view_open(raw_space) })?;
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        Ok(View { ptr, space })
    }

    /// Returns a raw pointer to the `bindings::view`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::view {
        self.ptr.as_ptr()
    }
}

impl Drop for View {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `view_close`).
        unsafe { bindings::view_close(self.ptr.as_ptr()) };
    }
}

/// The kernel's `door`.
///
/// # Invariants
///
/// `inner` is a `bindings::door` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Door {
    #[pin]
    inner: Opaque<bindings::door>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Door {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Door {}

impl Door {
    /// Makes one with `bindings::door_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::door| {
            // SAFETY: `slot` is storage for a `struct door` that does not move.
            unsafe { bindings::door_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::door`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::door {
        self.inner.get()
    }

    /// Calls `bindings::door_seek`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::door_seek`.
    #[inline]
    pub fn seek(&self, to: i64) -> Result<u64> {
        // SAFETY: By the type's invariants `self` is a valid `struct door`.
        let value = unsafe { bindings::door_seek(self.as_raw(), to) };
        if value < 0 {
            return Err(Error::from_errno(value as c_int));
        }
        Ok(value as u64)
    }

    /// Calls `bindings::door_name`.
    #[inline]
    pub fn name(&self, name: Option<&CStr>) {
        // SAFETY: By the type's invariants `self` is a valid `struct door`; `name` is a reference
        // and so valid for the call.
        unsafe {
            bindings::door_name(
                self.as_raw(),
                name.map_or(core::ptr::null(), |text| text.as_char_ptr()),
            )
        }
    }

    /// Calls `bindings::door_set_space`.
    #[inline]
    pub fn set_space(&self, space: &Space) {
        // SAFETY: By the type's invariants `self` is a valid `struct door`; `space` is a
        // reference and so valid for the call.
        unsafe { bindings::door_set_space(self.as_raw(), space.as_raw()) }
    }

    /// Takes the lock with `bindings::door_lock`.
    #[inline]
    pub fn lock(&self) -> OuterGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct door`.
        unsafe { bindings::door_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        OuterGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Door {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `door_exit`).
        unsafe { bindings::door_exit(self.inner.get()) };
    }
}

/// A lock of [`Door`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct OuterGuard<'a> {
    owner: &'a Door,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> OuterGuard<'a> {
    /// Takes the lock with `bindings::door_inner`.
    #[inline]
    pub fn inner(&self) -> InnerGuard<'_> {
        // SAFETY: By its invariants `self.owner` is a valid `struct door`; `requires(OuterGuard)`
        // holds because `self` is that guard.
        unsafe { bindings::door_inner(self.owner.as_raw()) };
        // INVARIANT: The lock was just taken.
        InnerGuard {
            owner: self.owner,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

impl<'a> Drop for OuterGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::door_unlock(self.owner.as_raw()) };
    }
}

/// A lock of [`Door`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct InnerGuard<'a> {
    owner: &'a Door,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> InnerGuard<'a> {
    /// Calls `bindings::door_count`.
    #[inline]
    pub fn count(&self) -> i32 {
        // SAFETY: By its invariants `self.owner` is a valid `struct door`; `requires(InnerGuard)`
        // holds because `self` is that guard.
        unsafe { bindings::door_count(self.owner.as_raw()) }
    }
}

impl<'a> Drop for InnerGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::door_outer(self.owner.as_raw()) };
    }
}
