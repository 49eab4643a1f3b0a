// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `ops.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/ops.h`](srctree/include/ops.h)

use crate::{
    bindings,
    container_of,
    error::{
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
    prelude::*,
    sync::aref::ARef,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::{
    cell::UnsafeCell,
    ops::{
        Deref,
        DerefMut, //
    }, //
};
use pin_init::Wrapper;

/// What an engine's driver knows.
///
/// The implementing type is the data that the [`Engine`] holds.
#[vtable]
pub trait Operations: Sized + Send + 'static {
    /// Start it. Required.
    ///
    /// May sleep.
    fn start(self: Pin<&mut Self>, speed: u32) -> Result;

    /// Stop it. Optional.
    fn stop(_engine: &Engine<Self>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// Something that turns.
///
/// # Invariants
///
/// `inner` is a `bindings::engine` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Engine<T: Operations> {
    #[pin]
    inner: Opaque<bindings::engine>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Operations + Send> Send for Engine<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Operations + Send> Sync for Engine<T> {}

impl<T: Operations> Engine<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::engine_ops = bindings::engine_ops {
        start: Some(Self::start_callback),
        stop: if T::HAS_STOP {
            Some(Self::stop_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::engine_init`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::engine_init`.
    pub fn new<E>(data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::engine| {
            // SAFETY: `slot` is storage for a `struct engine` that does not move.
            to_result(unsafe { bindings::engine_init(slot, &Self::OPERATIONS) })
        });
        try_pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::engine`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::engine {
        self.inner.get()
    }

    /// Calls `bindings::engine_turns`.
    #[inline]
    pub fn turns(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct engine`.
        unsafe { bindings::engine_turns(self.as_raw()) }
    }

    /// Takes the lock with `bindings::engine_lock`.
    #[inline]
    pub fn lock(&self) -> EngineGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct engine`.
        unsafe { bindings::engine_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        EngineGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `start`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn start_callback(engine: *mut bindings::engine, speed: u32) -> c_int {
        // SAFETY: C calls back with the `struct engine` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(engine) };
        // SAFETY: By the contract (`requires(EngineGuard)`) the lock is held, so no other thread
        // accesses the data.
        let data = unsafe { &mut *object.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        let data = unsafe { Pin::new_unchecked(data) };
        match <T as Operations>::start(data, speed) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `stop`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn stop_callback(engine: *mut bindings::engine) {
        // SAFETY: C calls back with the `struct engine` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(engine) };
        <T as Operations>::stop(object)
    }

    /// The object around a `bindings::engine`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::engine) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Operations> PinnedDrop for Engine<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `engine_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::engine_exit(self.inner.get()) };
    }
}

/// A lock of [`Engine`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct EngineGuard<'a, T: Operations> {
    owner: &'a Engine<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T: Operations> Deref for EngineGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `EngineGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T: Operations> EngineGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(EngineGuard = exclusive)`) no
        // other one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T: Operations> DerefMut for EngineGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T: Operations> Drop for EngineGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::engine_unlock(self.owner.as_raw()) };
    }
}
