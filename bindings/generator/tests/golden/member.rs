// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `member.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/member.h`](srctree/include/member.h)

use crate::{
    bindings,
    container_of,
    error::{
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
    prelude::*,
    types::Opaque, //
};
use core::cell::UnsafeCell;
use pin_init::Wrapper;

/// The callbacks of a [`Later`], which its user implements.
///
/// The implementing type is the data that the [`Later`] holds.
#[vtable]
pub trait Task: Sized + Send + Sync + 'static {
    /// Does the task
    fn run(&self);
}

/// A task that waits for its time.
///
/// # Invariants
///
/// `inner` is a `bindings::later` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Later<T: Task> {
    #[pin]
    inner: Opaque<bindings::later>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Task + Send> Send for Later<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Task + Send + Sync> Sync for Later<T> {}

impl<T: Task> Later<T> {
    /// Make one that does not wait yet.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::later| {
            // SAFETY: `slot` is storage for a `struct later` that does not move.
            unsafe { bindings::later_init(slot, Some(Self::run_callback)) }
        });
        pin_init!(Self {
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

    /// Returns a raw pointer to the `bindings::later`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::later {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `run`, on the `inner` of an object of this
    /// type.
    unsafe extern "C" fn run_callback(arg0: *mut bindings::task) {
        // SAFETY: C calls back with `task` (`member`) of the `struct later` that the constructor
        // was given, and not after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(container_of!(arg0, bindings::later, task)) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Task>::run(data)
    }

    /// The object around a `bindings::later`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::later) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Task> PinnedDrop for Later<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `later_cancel` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::later_cancel(self.inner.get()) };
    }
}

/// The callbacks of a [`Deep`], which its user implements.
///
/// The implementing type is the data that the [`Deep`] holds.
#[vtable]
pub trait DeepOperations: Sized + Send + Sync + 'static {
    /// Called by C as `poll`.
    fn poll(&self, budget: i32) -> i32;

    /// Called by C as `stop`.
    fn stop(&self) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// Has its task further down.
///
/// # Invariants
///
/// `inner` is a `bindings::deep` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Deep<T: DeepOperations> {
    #[pin]
    inner: Opaque<bindings::deep>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: DeepOperations + Send> Send for Deep<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: DeepOperations + Send + Sync> Sync for Deep<T> {}

impl<T: DeepOperations> Deep<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::deep_ops = bindings::deep_ops {
        poll: Some(Self::poll_callback),
        stop: if T::HAS_STOP {
            Some(Self::stop_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::deep_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::deep| {
            // SAFETY: `slot` is storage for a `struct deep` that does not move.
            unsafe { bindings::deep_init(slot, &Self::OPERATIONS) }
        });
        pin_init!(Self {
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

    /// Returns a raw pointer to the `bindings::deep`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::deep {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `poll`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn poll_callback(budget: i32, task: *const bindings::task) -> i32 {
        // SAFETY: C calls back with `inner.task` (`member`) of the `struct deep` that the
        // constructor was given, and not after the destructor has returned, which waits for this
        // (`waits`).
        let object =
            unsafe { Self::around(container_of!(task.cast_mut(), bindings::deep, inner.task)) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as DeepOperations>::poll(data, budget)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `stop`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn stop_callback(deep: *mut bindings::deep) {
        // SAFETY: C calls back with the `struct deep` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(deep) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as DeepOperations>::stop(data)
    }

    /// The object around a `bindings::deep`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::deep) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: DeepOperations> PinnedDrop for Deep<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `deep_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::deep_exit(self.inner.get()) };
    }
}

/// The callbacks of a [`Line`], which its user implements.
///
/// The implementing type is the data that the [`Line`] holds.
#[vtable]
pub trait Handler: Sized + Send + Sync + 'static {
    /// Called by C as `handle`.
    fn handle(&self, arg0: i32) -> i32;
}

/// An interrupt.
///
/// # Invariants
///
/// `inner` is a `bindings::line` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Line<T: Handler> {
    #[pin]
    inner: Opaque<bindings::line>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Handler + Send> Send for Line<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Handler + Send + Sync> Sync for Line<T> {}

impl<T: Handler> Line<T> {
    /// Makes one with `bindings::line_request`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::line_request`.
    pub fn new<E>(number: u32, data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::line| {
            // SAFETY: `slot` is storage for a `struct line` that does not move; the address that
            // C gives to the callbacks is the object's (`closure`).
            to_result(unsafe {
                bindings::line_request(
                    slot,
                    number,
                    Some(Self::handle_callback),
                    slot.cast::<c_void>(),
                )
            })
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

    /// Returns a raw pointer to the `bindings::line`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::line {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `handle`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn handle_callback(arg0: i32, arg1: *mut c_void) -> i32 {
        // SAFETY: C calls back with the address (`closure`) of the `struct line` that the
        // constructor was given, and not after the destructor has returned, which waits for this
        // (`waits`).
        let object = unsafe { Self::around(arg1.cast()) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Handler>::handle(data, arg0)
    }

    /// The object around a `bindings::line`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::line) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Handler> PinnedDrop for Line<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `line_free` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        unsafe { bindings::line_free(self.inner.get()) };
    }
}

/// The callbacks of a [`Listener`], which its user implements.
///
/// The implementing type is the data that the [`Listener`] holds.
#[vtable]
pub trait Listen: Sized + Send + Sync + 'static {
    /// Called for an event
    fn heard(&self, event: usize) -> i32;
}

/// A callback for events.
///
/// # Invariants
///
/// `inner` is a `bindings::listener` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Listener<T: Listen> {
    #[pin]
    inner: Opaque<bindings::listener>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Listen + Send> Send for Listener<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: Listen + Send + Sync> Sync for Listener<T> {}

impl<T: Listen> Listener<T> {
    /// Makes one with `bindings::listener_register`.
    ///
    /// `priority`: Those with more are called first.
    ///
    /// # Safety
    ///
    /// The caller must promise that it is dropped before its module is unloaded.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::listener_register`.
    pub unsafe fn new<E>(priority: i32, data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::listener| {
            // SAFETY: `slot` is storage for a `struct listener`, in which the `given` fields are
            // set and the others are zero.
            unsafe {
                slot.write_bytes(0, 1);
                (&raw mut (*slot).call).write(Some(Self::heard_callback));
                (&raw mut (*slot).priority).write(priority);
            }
            // SAFETY: `slot` is a `struct listener` that does not move, with the fields set that
            // are `given`; the caller promises that it is dropped before its module is unloaded.
            to_result(unsafe { bindings::listener_register(slot) })
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

    /// Returns a raw pointer to the `bindings::listener`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::listener {
        self.inner.get()
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `heard`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn heard_callback(listener: *mut bindings::listener, event: usize) -> i32 {
        // SAFETY: C calls back with the `struct listener` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(listener) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as Listen>::heard(data, event)
    }

    /// The object around a `bindings::listener`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::listener) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: Listen> PinnedDrop for Listener<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `listener_unregister` returns only when none of its callbacks runs
        // or will run, so nothing can reach it after.
        unsafe { bindings::listener_unregister(self.inner.get()) };
    }
}
