// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/clk.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/clk.h`](srctree/include/linux/clk.h)

use crate::{
    bindings,
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    sync::aref::ARef, //
};
use core::ptr::NonNull;

/// A clock signal.
///
/// # Invariants
///
/// `ptr` points to a `bindings::clk` that belongs to this value.
pub struct Clock {
    ptr: NonNull<bindings::clk>,
    #[allow(dead_code)]
    dev: ARef<crate::device::Device>,
}

/// What the object keeps may be used on any thread, as it may.
const _: fn() = || {
    fn on_any_thread<T: Send + Sync>() {}
    on_any_thread::<ARef<crate::device::Device>>();
};

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Clock {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Clock {}

impl Clock {
    /// Find a clock of a device.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::clk_get`.
    #[inline]
    pub fn new(
        dev: &crate::device::Device<crate::device::Bound>,
        id: Option<&CStr>,
    ) -> Result<Option<Clock>> {
        let dev: ARef<crate::device::Device> = dev.into();
        let raw_dev = dev.as_raw();
        // SAFETY: `dev` is kept alive by the object (`keeps`); `id` is a reference and so valid
        // for the call.
        let ptr = from_err_ptr(unsafe {
            bindings::clk_get(
                raw_dev,
                id.map_or(core::ptr::null(), |text| text.as_char_ptr()),
            )
        })?;
        let Some(ptr) = NonNull::new(ptr) else {
            return Ok(None);
        };
        Ok(Some(Clock { ptr, dev }))
    }

    /// Returns a raw pointer to the `bindings::clk`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::clk {
        self.ptr.as_ptr()
    }

    /// Ask how fast it is.
    ///
    /// Returns the rate in Hz.
    ///
    /// May sleep.
    #[inline]
    pub fn rate(&self) -> usize {
        // SAFETY: By the type's invariants `self` is a valid `struct clk`.
        unsafe { bindings::clk_get_rate(self.as_raw()) }
    }

    /// Change how fast it is.
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::clk_set_rate`.
    #[inline]
    pub fn set_rate(&self, rate: usize) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct clk`.
        to_result(unsafe { bindings::clk_set_rate(self.as_raw(), rate) })
    }

    /// Do what may sleep before the clock can be enabled.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::clk_prepare`.
    #[inline]
    pub fn prepare(&self) -> Result<Prepared<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct clk`.
        to_result(unsafe { bindings::clk_prepare(self.as_raw()) })?;
        // INVARIANT: It was just taken.
        Ok(Prepared { owner: self })
    }
}

impl Drop for Clock {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `clk_put`).
        unsafe { bindings::clk_put(self.ptr.as_ptr()) };
    }
}

/// A [`Clock`] in use.
///
/// The use ends when this is dropped, on any thread.
///
/// # Invariants
///
/// It was taken, and is not released as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct Prepared<'a> {
    owner: &'a Clock,
}

impl<'a> Prepared<'a> {
    /// Have the clock run.
    ///
    /// Never sleeps.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::clk_enable`.
    #[inline]
    pub fn enable(&self) -> Result<Enabled<'_>> {
        // SAFETY: By its invariants `self.owner` is a valid `struct clk`; `requires(Prepared)`
        // holds because `self` is that guard.
        to_result(unsafe { bindings::clk_enable(self.owner.as_raw()) })?;
        // INVARIANT: It was just taken.
        Ok(Enabled { owner: self.owner })
    }
}

impl<'a> Drop for Prepared<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants it was taken, and is released once, here.
        unsafe { bindings::clk_unprepare(self.owner.as_raw()) };
    }
}

/// A [`Clock`] in use.
///
/// The use ends when this is dropped, on any thread.
///
/// # Invariants
///
/// It was taken, and is not released as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct Enabled<'a> {
    owner: &'a Clock,
}

impl<'a> Drop for Enabled<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants it was taken, and is released once, here.
        unsafe { bindings::clk_disable(self.owner.as_raw()) };
    }
}
