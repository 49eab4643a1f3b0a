// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `stage.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/stage.h`](srctree/include/stage.h)

use crate::{
    bindings,
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};

/// The kernel's `depot`.
///
/// # Invariants
///
/// A value of this type is a live `bindings::depot`, reached by reference only.
#[repr(transparent)]
pub struct Depot(Opaque<bindings::depot>, NotThreadSafe);

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Depot {}

impl Depot {
    /// Returns a raw pointer to the `bindings::depot`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::depot {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::depot` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::depot) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Calls `bindings::depot_price`.
    #[inline]
    pub fn price(&self, ticket: &Ticket<'_>) -> u32 {
        // SAFETY: By the type's invariants `self` is a valid `struct depot`; `ticket` is a
        // reference and so valid for the call.
        unsafe { bindings::depot_price(self.as_raw(), ticket.as_raw()) }
    }
}

/// The stage of a [`Parcel`] after [`Parcel::new`].
pub enum Packed {}

/// The stage of a [`Parcel`] after [`Parcel::send`].
pub enum Sent {}

/// The stage of a [`Parcel`] after [`Parcel::arrive`].
pub enum Arrived {}

/// Something on its way.
///
/// # Invariants
///
/// `ptr` points to a `bindings::parcel` that belongs to this value.
///
/// # Examples
///
/// ```
/// use kernel::{
///     golden::{
///         Depot,
///         Parcel, //
///     },
///     prelude::*, //
/// };
///
/// fn deliver(depot: &Depot) -> Result<usize> {
///     let parcel = Parcel::new(depot)?.send(7)?;
///     Ok(parcel.arrive().days())
/// }
/// ```
#[must_use = "it is ended when it is dropped, in any stage"]
pub struct Parcel<'a, S> {
    ptr: NonNull<bindings::parcel>,
    _marker: PhantomData<(&'a (), S)>,
}

impl<'a> Parcel<'a, Packed> {
    /// Pack a parcel.
    ///
    /// # Errors
    ///
    /// The errors include `ENOMEM`.
    #[inline]
    pub fn new(depot: &'a Depot) -> Result<Self> {
        // SAFETY: `depot` outlives the object, which has its lifetime (`outlives`).
        let ptr = from_err_ptr(unsafe { bindings::parcel_pack(depot.as_raw()) })?;
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        Ok(Parcel {
            ptr,
            _marker: PhantomData,
        })
    }

    /// Send it.
    ///
    /// # Errors
    ///
    /// The errors include `ENOENT`.
    #[inline]
    pub fn send(self, to: u32) -> Result<Parcel<'a, Sent>> {
        // SAFETY: By the type's invariants `self` is a valid `struct parcel`.
        to_result(unsafe { bindings::parcel_send(self.as_raw(), to) })?;
        Ok(self.into_stage())
    }

    /// Have it fetched, by another way to the same stage.
    ///
    /// # Errors
    ///
    /// The errors include `ENOENT`.
    #[inline]
    pub fn fetch(self, by: u32) -> Result<Parcel<'a, Arrived>> {
        // SAFETY: By the type's invariants `self` is a valid `struct parcel`.
        to_result(unsafe { bindings::parcel_fetch(self.as_raw(), by) })?;
        Ok(self.into_stage())
    }
}

impl<'a> Parcel<'a, Sent> {
    /// Calls `bindings::parcel_arrive`.
    #[inline]
    pub fn arrive(self) -> Parcel<'a, Arrived> {
        // SAFETY: By the type's invariants `self` is a valid `struct parcel`.
        unsafe { bindings::parcel_arrive(self.as_raw()) };
        self.into_stage()
    }
}

impl<'a> Parcel<'a, Arrived> {
    /// How long it took.
    ///
    /// Returns in days.
    #[inline]
    pub fn days(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct parcel`.
        unsafe { bindings::parcel_days(self.as_raw()) }
    }
}

impl<'a, S> Parcel<'a, S> {
    /// Returns a raw pointer to the `bindings::parcel`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::parcel {
        self.ptr.as_ptr()
    }

    /// How heavy it is.
    ///
    /// Returns in grams.
    #[inline]
    pub fn weight(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct parcel`.
        unsafe { bindings::parcel_weight(self.as_raw()) }
    }

    #[inline]
    fn into_stage<N>(self) -> Parcel<'a, N> {
        let this = ManuallyDrop::new(self);
        Parcel {
            ptr: this.ptr,
            _marker: PhantomData,
        }
    }
}

impl<'a, S> Drop for Parcel<'a, S> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `parcel_return`).
        unsafe { bindings::parcel_return(self.ptr.as_ptr()) };
    }
}

/// A place in a queue.
///
/// # Invariants
///
/// `ptr` points to a `bindings::ticket` that belongs to this value.
pub struct Ticket<'a> {
    ptr: NonNull<bindings::ticket>,
    _marker: PhantomData<&'a ()>,
}

impl<'a> Ticket<'a> {
    /// Makes one with `bindings::ticket_draw`.
    #[inline]
    pub fn new(depot: &'a Depot) -> Option<Self> {
        // SAFETY: `depot` outlives the object, which has its lifetime (`outlives`).
        let ptr = NonNull::new(unsafe { bindings::ticket_draw(depot.as_raw()) })?;
        Some(Ticket {
            ptr,
            _marker: PhantomData,
        })
    }
}

impl<'a> Ticket<'a> {
    /// Returns a raw pointer to the `bindings::ticket`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::ticket {
        self.ptr.as_ptr()
    }
}

impl<'a> Drop for Ticket<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `ticket_drop`).
        unsafe { bindings::ticket_drop(self.ptr.as_ptr()) };
    }
}

/// The kernel's `stub`.
///
/// # Invariants
///
/// `ptr` points to a `bindings::stub` that belongs to this value.
pub struct Stub<'a> {
    ptr: NonNull<bindings::stub>,
    _marker: PhantomData<&'a ()>,
}

impl<'a> Stub<'a> {
    /// Makes one with `bindings::stub_tear`.
    #[inline]
    pub fn new(ticket: &'a Ticket<'_>) -> Option<Self> {
        // SAFETY: `ticket` outlives the object, which has its lifetime (`outlives`).
        let ptr = NonNull::new(unsafe { bindings::stub_tear(ticket.as_raw()) })?;
        Some(Stub {
            ptr,
            _marker: PhantomData,
        })
    }
}

impl<'a> Stub<'a> {
    /// Returns a raw pointer to the `bindings::stub`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::stub {
        self.ptr.as_ptr()
    }
}

impl<'a> Drop for Stub<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `stub_drop`).
        unsafe { bindings::stub_drop(self.ptr.as_ptr()) };
    }
}

/// The stage of a [`Reel`] after [`Reel::new`].
pub enum Wound {}

/// The stage of a [`Reel`] after [`Reel::run`].
pub enum Unwound {}

/// The kernel's `reel`.
///
/// # Invariants
///
/// `ptr` points to a `bindings::reel` that belongs to this value.
#[must_use = "it is ended when it is dropped, in any stage"]
pub struct Reel<S> {
    ptr: NonNull<bindings::reel>,
    _marker: PhantomData<S>,
}

impl Reel<Wound> {
    /// Makes one with `bindings::reel_new`.
    #[inline]
    pub fn new() -> Option<Self> {
        // SAFETY: The contract requires nothing of the caller.
        let ptr = NonNull::new(unsafe { bindings::reel_new() })?;
        Some(Reel {
            ptr,
            _marker: PhantomData,
        })
    }

    /// Calls `bindings::reel_run`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::reel_run`.
    #[inline]
    pub fn run(self) -> Result<Reel<Unwound>> {
        // SAFETY: By the type's invariants `self` is a valid `struct reel`.
        to_result(unsafe { bindings::reel_run(self.as_raw()) })?;
        Ok(self.into_stage())
    }
}

impl Reel<Unwound> {
    /// Calls `bindings::reel_wind`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::reel_wind`.
    #[inline]
    pub fn wind(self) -> Result<Reel<Wound>> {
        // SAFETY: By the type's invariants `self` is a valid `struct reel`.
        to_result(unsafe { bindings::reel_wind(self.as_raw()) })?;
        Ok(self.into_stage())
    }
}

impl<S> Reel<S> {
    /// Returns a raw pointer to the `bindings::reel`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::reel {
        self.ptr.as_ptr()
    }

    #[inline]
    fn into_stage<N>(self) -> Reel<N> {
        let this = ManuallyDrop::new(self);
        Reel {
            ptr: this.ptr,
            _marker: PhantomData,
        }
    }
}

impl<S> Drop for Reel<S> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `reel_free`).
        unsafe { bindings::reel_free(self.ptr.as_ptr()) };
    }
}
