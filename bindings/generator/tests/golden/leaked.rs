// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `leaked.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/leaked.h`](srctree/include/leaked.h)

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

/// The kernel's `hatch`.
///
/// # Invariants
///
/// `inner` is a `bindings::hatch` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Hatch {
    #[pin]
    inner: Opaque<bindings::hatch>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Hatch {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Hatch {}

impl Hatch {
    /// Makes one with `bindings::hatch_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::hatch| {
            // SAFETY: `slot` is storage for a `struct hatch` that does not move.
            unsafe { bindings::hatch_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::hatch`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hatch {
        self.inner.get()
    }

    /// Takes the lock with `bindings::hatch_open`.
    #[inline]
    pub fn open(&self) -> HatchGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct hatch`.
        unsafe { bindings::hatch_open(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        HatchGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Hatch {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `hatch_exit`).
        unsafe { bindings::hatch_exit(self.inner.get()) };
    }
}

/// A lock of [`Hatch`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct HatchGuard<'a> {
    owner: &'a Hatch,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for HatchGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::hatch_close(self.owner.as_raw()) };
    }
}

/// The kernel's `lift`.
///
/// # Invariants
///
/// `inner` is a `bindings::lift` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Lift {
    #[pin]
    inner: Opaque<bindings::lift>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Lift {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Lift {}

impl Lift {
    /// Makes one with `bindings::lift_init`.
    ///
    /// # Safety
    ///
    /// The caller must promise that no `LiftGuard` is leaked.
    pub unsafe fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::lift| {
            // SAFETY: `slot` is storage for a `struct lift` that does not move; the caller
            // promises that no `LiftGuard` is leaked.
            unsafe { bindings::lift_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::lift`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::lift {
        self.inner.get()
    }

    /// Takes the lock with `bindings::lift_stop`.
    #[inline]
    pub fn stop(&self) -> LiftGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct lift`.
        unsafe { bindings::lift_stop(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        LiftGuard {
            owner: self,
            _not_send: NotThreadSafe,
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Lift {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `lift_exit`).
        unsafe { bindings::lift_exit(self.inner.get()) };
    }
}

/// A lock of [`Lift`] that is held.
///
/// It is released when this is dropped.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct LiftGuard<'a> {
    owner: &'a Lift,
    _not_send: NotThreadSafe,
}

impl<'a> Drop for LiftGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::lift_go(self.owner.as_raw()) };
    }
}

/// The kernel's `latch`.
///
/// # Invariants
///
/// `inner` is a `bindings::latch` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Latch {
    #[pin]
    inner: Opaque<bindings::latch>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Latch {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Latch {}

impl Latch {
    /// Makes one with `bindings::latch_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::latch| {
            // SAFETY: `slot` is storage for a `struct latch` that does not move.
            unsafe { bindings::latch_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::latch`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::latch {
        self.inner.get()
    }
}

/// The kernel's `gate`.
///
/// # Invariants
///
/// `inner` is a `bindings::gate` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Gate {
    #[pin]
    inner: Opaque<bindings::gate>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Gate {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Gate {}

impl Gate {
    /// Makes one with `bindings::gate_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::gate| {
            // SAFETY: `slot` is storage for a `struct gate` that does not move.
            unsafe { bindings::gate_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::gate`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::gate {
        self.inner.get()
    }
}

#[pinned_drop]
impl PinnedDrop for Gate {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `gate_exit`).
        unsafe { bindings::gate_exit(self.inner.get()) };
    }
}

/// The kernel's `ramp`.
///
/// # Invariants
///
/// `inner` is a `bindings::ramp` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Ramp {
    #[pin]
    inner: Opaque<bindings::ramp>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Ramp {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Ramp {}

impl Ramp {
    /// Makes one with `bindings::ramp_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::ramp| {
            // SAFETY: `slot` is storage for a `struct ramp` that does not move.
            unsafe { bindings::ramp_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::ramp`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::ramp {
        self.inner.get()
    }
}

#[pinned_drop]
impl PinnedDrop for Ramp {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `ramp_exit`).
        unsafe { bindings::ramp_exit(self.inner.get()) };
    }
}

/// The kernel's `berth`.
///
/// # Invariants
///
/// A value of this type is a `bindings::berth` with a reference count, reached by reference
/// only.
#[repr(transparent)]
pub struct Berth(Opaque<bindings::berth>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Berth {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Berth {}

impl Berth {
    /// Returns a raw pointer to the `bindings::berth`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::berth {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::berth` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::berth) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }
}

// SAFETY: By the contract (`get`, `put`) every `struct berth` has a count, and lives while it is
// not zero.
unsafe impl AlwaysRefCounted for Berth {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is a reference, so the count is not zero.
        unsafe { bindings::berth_get(self.as_raw()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller passes on the reference that it owns.
        unsafe { bindings::berth_put(obj.cast().as_ptr()) };
    }
}

/// The kernel's `tide`.
///
/// # Invariants
///
/// `ptr` points to a `bindings::tide` that belongs to this value.
pub struct Tide {
    ptr: NonNull<bindings::tide>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Tide {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Tide {}

impl Tide {
    /// Makes one with `bindings::tide_find`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::tide_find`.
    #[inline]
    pub fn new(sea: i32) -> Result<Option<Tide>> {
        // SAFETY: The contract requires nothing of the caller.
        let ptr = from_err_ptr(unsafe { bindings::tide_find(sea) })?;
        let Some(ptr) = NonNull::new(ptr) else {
            return Ok(None);
        };
        Ok(Some(Tide { ptr }))
    }

    /// Returns a raw pointer to the `bindings::tide`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::tide {
        self.ptr.as_ptr()
    }

    /// Calls `bindings::tide_berth`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::tide_berth`.
    #[inline]
    pub fn berth(&self) -> Result<Option<ARef<Berth>>> {
        // SAFETY: By the type's invariants `self` is a valid `struct tide`.
        let ptr = from_err_ptr(unsafe { bindings::tide_berth(self.as_raw()) })?;
        let Some(ptr) = NonNull::new(ptr) else {
            return Ok(None);
        };
        // SAFETY: By the contract (`owned`) the caller owns the reference.
        Ok(Some(unsafe { ARef::from_raw(ptr.cast()) }))
    }

    /// Calls `bindings::tide_other`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::tide_other`.
    #[inline]
    pub fn other(&self) -> Result<ARef<Berth>> {
        // SAFETY: By the type's invariants `self` is a valid `struct tide`.
        let ptr = from_err_ptr(unsafe { bindings::tide_other(self.as_raw()) })?;
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        // SAFETY: By the contract (`owned`) the caller owns the reference.
        Ok(unsafe { ARef::from_raw(ptr.cast()) })
    }
}

impl Drop for Tide {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `tide_put`).
        unsafe { bindings::tide_put(self.ptr.as_ptr()) };
    }
}

/// The kernel's `door`.
///
/// # Invariants
///
/// `inner` is a `bindings::door` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Door {
    #[pin]
    inner: Opaque<bindings::door>,
    _not_send: NotThreadSafe,
}

impl Door {
    /// Makes one with `bindings::door_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::door| {
            // SAFETY: `slot` is storage for a `struct door` that does not move.
            unsafe { bindings::door_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::door`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::door {
        self.inner.get()
    }

    /// Takes the lock with `bindings::door_open`.
    #[inline]
    pub fn open(&self) -> DoorGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct door`.
        unsafe { bindings::door_open(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        DoorGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
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
pub struct DoorGuard<'a> {
    owner: &'a Door,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for DoorGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::door_close(self.owner.as_raw()) };
    }
}

/// The kernel's `flap`.
///
/// # Invariants
///
/// `inner` is a `bindings::flap` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Flap {
    #[pin]
    inner: Opaque<bindings::flap>,
    _not_send: NotThreadSafe,
}

impl Flap {
    /// Makes one with `bindings::flap_init`.
    ///
    /// # Safety
    ///
    /// The caller must promise that no `FlapGuard` is leaked.
    pub unsafe fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::flap| {
            // SAFETY: `slot` is storage for a `struct flap` that does not move; the caller
            // promises that no `FlapGuard` is leaked.
            unsafe { bindings::flap_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::flap`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::flap {
        self.inner.get()
    }

    /// Takes the lock with `bindings::flap_open`.
    #[inline]
    pub fn open(&self) -> FlapGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct flap`.
        unsafe { bindings::flap_open(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        FlapGuard {
            owner: self,
            _not_send: NotThreadSafe,
        }
    }
}

/// A lock of [`Flap`] that is held.
///
/// It is released when this is dropped.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct FlapGuard<'a> {
    owner: &'a Flap,
    _not_send: NotThreadSafe,
}

impl<'a> Drop for FlapGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::flap_close(self.owner.as_raw()) };
    }
}
