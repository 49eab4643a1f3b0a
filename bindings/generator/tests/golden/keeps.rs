// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `keeps.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/keeps.h`](srctree/include/keeps.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    sync::{
        aref::{
            ARef,
            AlwaysRefCounted, //
        }, //
        Arc,
    },
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::ptr::NonNull;

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

/// The kernel's `window`.
///
/// # Invariants
///
/// `inner` is a `bindings::window` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Window {
    #[pin]
    inner: Opaque<bindings::window>,
    space: ARef<Space>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Window {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Window {}

impl Window {
    /// Makes one with `bindings::window_init`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::window_init`.
    pub fn new(space: ARef<Space>, owner: *const c_void) -> impl PinInit<Self, Error> {
        let raw_space = space.as_raw();
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::window| {
            // SAFETY: `slot` is storage for a `struct window` that does not move; `space` is kept
            // alive by the object (`keeps`).
            to_result(unsafe { bindings::window_init(slot, raw_space, owner.cast_mut()) })
        });
        try_pin_init!(Self {
            space,
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::window`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::window {
        self.inner.get()
    }

    /// Calls `bindings::window_shows`.
    #[inline]
    pub fn shows(&self, other: Option<&Space>) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct window`; `other` is a
        // reference and so valid for the call.
        unsafe {
            bindings::window_shows(
                self.as_raw(),
                other.map_or(core::ptr::null_mut(), |object| object.as_raw()),
            )
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Window {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `window_exit`).
        unsafe { bindings::window_exit(self.inner.get()) };
    }
}

/// The kernel's `pane`.
///
/// # Invariants
///
/// `inner` is a `bindings::pane` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Pane {
    #[pin]
    inner: Opaque<bindings::pane>,
    window: Arc<Window>,
    _not_send: NotThreadSafe,
}

impl Pane {
    /// Makes one with `bindings::pane_init`.
    pub fn new(window: Arc<Window>) -> impl PinInit<Self> {
        let raw_window = window.as_raw();
        let inner = Opaque::ffi_init(move |slot: *mut bindings::pane| {
            // SAFETY: `slot` is storage for a `struct pane` that does not move; `window` is kept
            // alive by the object (`keeps`).
            unsafe { bindings::pane_init(slot, raw_window) }
        });
        pin_init!(Self {
            window,
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::pane`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::pane {
        self.inner.get()
    }
}
