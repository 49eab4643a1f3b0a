// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `keyword.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/keyword.h`](srctree/include/keyword.h)

use crate::{
    bindings,
    container_of,
    error::{
        to_result, //
        VTABLE_DEFAULT_ERROR,
    },
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
use core::{
    cell::UnsafeCell,
    ptr::NonNull, //
};
use pin_init::Wrapper;

/// A value of `bindings::state`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// `STATE_OFF`.
    Off = bindings::state_STATE_OFF,
    /// `STATE_ON`.
    On = bindings::state_STATE_ON,
}

impl State {
    /// `STATE_FIRST`.
    pub const FIRST: Self = Self::Off;

    /// `STATE_LAST`.
    pub const LAST: Self = Self::On;
}

/// A combination of the bits of `bindings::rate`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates(pub(crate) u32);

impl Rates {
    /// `RATE_NONE`.
    pub const NONE: Self = Self(bindings::rate_RATE_NONE);

    /// `RATE_1000BASET`.
    pub const N1000BASET: Self = Self(bindings::rate_RATE_1000BASET);

    /// `RATE_ALL`.
    pub const ALL: Self = Self(bindings::rate_RATE_ALL);

    /// Whether all bits of `other` are set in `self`.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The integer.
    #[inline]
    pub const fn into_raw(self) -> u32 {
        self.0
    }
}

impl core::ops::BitOr for Rates {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitAnd for Rates {
    type Output = Self;
    #[inline]
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The callbacks of a [`Trait`], which its user implements.
///
/// The implementing type is the data that the [`Trait`] holds.
#[vtable]
pub trait TraitOperations: Sized + Send + Sync + 'static {
    /// Called by C as `type`.
    fn type_(&self, in_: i32, match_: bool) -> Result;

    /// Called by C as `name`.
    fn name(&self) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Called by C as `member`.
    fn member(&self, _self: i32) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// Something whose name is a keyword.
///
/// # Invariants
///
/// `inner` is a `bindings::trait` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Trait<T: TraitOperations> {
    #[pin]
    inner: Opaque<bindings::trait_>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: TraitOperations + Send> Send for Trait<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl<T: TraitOperations + Send + Sync> Sync for Trait<T> {}

impl<T: TraitOperations> Trait<T> {
    /// The table that C calls through; another kernel's may have more in it.
    #[allow(clippy::needless_update)]
    const OPERATIONS: bindings::trait_ops = bindings::trait_ops {
        type_: Some(Self::type_callback),
        name: if T::HAS_NAME {
            Some(Self::name_callback)
        } else {
            None
        },
        member: if T::HAS_MEMBER {
            Some(Self::member_callback)
        } else {
            None
        },
        ..pin_init::zeroed()
    };
    /// Makes one with `bindings::trait_init`.
    ///
    /// `type`
    ///
    /// `slot_`
    ///
    /// `ops_`
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::trait_init`.
    pub fn new<E>(
        type_: i32,
        slot_: u32,
        ops_: u32,
        data: impl PinInit<T, E>,
    ) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        let inner = Opaque::try_ffi_init(move |slot: *mut bindings::trait_| {
            // SAFETY: `slot` is storage for a `struct trait`, in which the `given` fields are set
            // and the others are zero.
            unsafe {
                slot.write_bytes(0, 1);
                (&raw mut (*slot).type_).write(type_);
                (&raw mut (*slot).slot).write(slot_);
                (&raw mut (*slot).ops).write(ops_);
            }
            // SAFETY: `slot` is a `struct trait` that does not move, with the fields set that are
            // `given`.
            to_result(unsafe { bindings::trait_init(slot, &Self::OPERATIONS) })
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

    /// Returns a raw pointer to the `bindings::trait`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::trait_ {
        self.inner.get()
    }

    /// The member `match`.
    #[inline]
    pub fn match_(&self) -> i32 {
        // SAFETY: By the type's invariants `self` is a valid `struct trait`, and by the contract
        // (`constant`) nobody writes to the member, or to what it points to, while it exists.
        unsafe { (*self.as_raw()).match_ }
    }

    /// Calls `bindings::trait_become`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::trait_become`.
    #[inline]
    pub fn become_(&self, fn_: State, dyn_: Rates) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct trait`.
        to_result(unsafe { bindings::trait_become(self.as_raw(), fn_ as bindings::state, dyn_.0) })
    }

    /// Tries to take the lock with `bindings::trait_await`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::trait_await`.
    #[inline]
    pub fn await_(&self) -> Result<Awaited<'_, T>> {
        // SAFETY: By the type's invariants `self` is a valid `struct trait`.
        to_result(unsafe { bindings::trait_await(self.as_raw()) })?;
        // INVARIANT: The lock was just taken.
        Ok(Awaited {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        })
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `type`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn type_callback(
        trait_: *mut bindings::trait_,
        in_: i32,
        match_: bool,
    ) -> c_int {
        // SAFETY: C calls back with the `struct trait` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(trait_) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        match <T as TraitOperations>::type_(data, in_, match_) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `name`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn name_callback(trait_: *mut bindings::trait_) {
        // SAFETY: C calls back with the `struct trait` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(trait_) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as TraitOperations>::name(data)
    }

    /// # Safety
    ///
    /// C must call this according to the contract of `member`, on the `inner` of an object of
    /// this type.
    unsafe extern "C" fn member_callback(trait_: *mut bindings::trait_, self_: i32) {
        // SAFETY: C calls back with the `struct trait` that the constructor was given, and not
        // after the destructor has returned, which waits for this (`waits`).
        let object = unsafe { Self::around(trait_) };
        // SAFETY: The data is only ever shared.
        let data = unsafe { &*object.data.get() };
        <T as TraitOperations>::member(data, self_)
    }

    /// The object around a `bindings::trait`.
    ///
    /// # Safety
    ///
    /// `ptr` must point to the `inner` of a live object of this type, which must live for all
    /// of `'a`.
    #[inline]
    unsafe fn around<'a>(ptr: *mut bindings::trait_) -> &'a Self {
        let inner = Opaque::cast_from(ptr).cast_mut();
        // SAFETY: The caller promises that `ptr` is the `inner` of an object of this type.
        let this = unsafe { container_of!(inner, Self, inner) };
        // SAFETY: The caller promises that the object lives for all of `'a`.
        unsafe { &*this }
    }
}

#[pinned_drop]
impl<T: TraitOperations> PinnedDrop for Trait<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and by the
        // contract (`waits`) `trait_exit` returns only when none of its callbacks runs or will
        // run, so nothing can reach it after.
        let _ = unsafe { bindings::trait_exit(self.inner.get()) };
    }
}

/// A lock of [`Trait`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct Awaited<'a, T: TraitOperations> {
    owner: &'a Trait<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T: TraitOperations> Drop for Awaited<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        let _ = unsafe { bindings::trait_final(self.owner.as_raw()) };
    }
}

/// The kernel's `box`.
///
/// # Invariants
///
/// A value of this type is a `bindings::box` with a reference count, reached by reference only.
#[repr(transparent)]
pub struct Parcel(Opaque<bindings::box_>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Parcel {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Parcel {}

impl Parcel {
    /// Returns a raw pointer to the `bindings::box`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::box_ {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::box` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::box_) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }
}

// SAFETY: By the contract (`get`, `put`) every `struct box` has a count, and lives while it is
// not zero.
unsafe impl AlwaysRefCounted for Parcel {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is a reference, so the count is not zero.
        let _ = unsafe { bindings::box_get(self.as_raw()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller passes on the reference that it owns.
        let _ = unsafe { bindings::box_put(obj.cast().as_ptr()) };
    }
}
