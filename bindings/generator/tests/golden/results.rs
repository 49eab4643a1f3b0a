// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `results.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/results.h`](srctree/include/results.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    sync::aref::ARef,
    types::{
        NotThreadSafe,
        Opaque, //
    }, //
};

/// The kernel's `shade`.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Shade(pub(crate) bindings::shade);

impl Shade {}

/// The kernel's `slats`.
#[repr(transparent)]
pub struct Slats(pub(crate) bindings::slats);

impl Slats {
    /// The member `nr`.
    #[inline]
    pub fn nr(&self) -> i32 {
        self.0.nr
    }

    /// The member `widths`, with `nr` elements.
    #[inline]
    pub fn widths(&self) -> &[u32] {
        let first = self.0.widths.cast::<u32>();
        if first.is_null() {
            return &[];
        }
        // SAFETY: C passes a `struct slats` with `nr` elements in `widths` (`slice`), and they
        // live as long as it does, which cannot be copied. The pointer was not NULL.
        unsafe { core::slice::from_raw_parts(first, self.0.nr.max(0) as usize) }
    }
}

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

    /// Calls `bindings::hatch_Fit`.
    #[inline]
    pub fn fit(&self, slats: &Slats, min_mv: i32) {
        // SAFETY: By the type's invariants `self` is a valid `struct hatch`; `slats` is a
        // reference and so valid for the call.
        unsafe { bindings::hatch_Fit(self.as_raw(), &slats.0, min_mv) }
    }

    /// Takes the lock with `bindings::hatch_enter`.
    #[inline]
    pub fn enter(&self) -> HatchGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct hatch`.
        unsafe { bindings::hatch_enter(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        HatchGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Tries to take the lock with `bindings::hatch_try`.
    #[must_use = "the lock is left at once when the guard is not used"]
    #[inline]
    pub fn try_(&self) -> Option<HatchGuard<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct hatch`.
        let taken = unsafe { bindings::hatch_try(self.as_raw()) };
        if taken != 0 {
            // INVARIANT: The lock was just taken.
            Some(HatchGuard {
                owner: self,
                _not_send: NotThreadSafe,
                _task: ARef::from(&**crate::current!()),
            })
        } else {
            None
        }
    }

    /// Tries to take the lock with `bindings::hatch_enter_killable`.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::hatch_enter_killable`.
    #[inline]
    pub fn enter_killable(&self) -> Result<HatchGuard<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct hatch`.
        to_result(unsafe { bindings::hatch_enter_killable(self.as_raw()) })?;
        // INVARIANT: The lock was just taken.
        Ok(HatchGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        })
    }

    /// Takes the lock with `bindings::hatch_lock`.
    ///
    /// May sleep.
    #[inline]
    pub fn lock(&self) -> LockGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct hatch`.
        unsafe { bindings::hatch_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        LockGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Tries to take the lock with `bindings::hatch_lock_nonzero`.
    ///
    /// Never sleeps.
    #[must_use = "the lock is left at once when the guard is not used"]
    #[inline]
    pub fn lock_nonzero(&self) -> Option<LockGuard<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct hatch`.
        let taken = unsafe { bindings::hatch_lock_nonzero(self.as_raw()) };
        if taken != 0 {
            // INVARIANT: The lock was just taken.
            Some(LockGuard {
                owner: self,
                _not_send: NotThreadSafe,
                _task: ARef::from(&**crate::current!()),
            })
        } else {
            None
        }
    }

    /// Tries to take the lock with `bindings::hatch_lock_zero`.
    ///
    /// Never sleeps.
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::hatch_lock_zero`.
    #[inline]
    pub fn lock_zero(&self) -> Result<LockGuard<'_>> {
        // SAFETY: By the type's invariants `self` is a valid `struct hatch`.
        to_result(unsafe { bindings::hatch_lock_zero(self.as_raw()) })?;
        // INVARIANT: The lock was just taken.
        Ok(LockGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        })
    }
}

#[pinned_drop]
impl PinnedDrop for Hatch {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `hatch_exit`).
        let _ = unsafe { bindings::hatch_exit(self.inner.get()) };
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
        unsafe { bindings::hatch_leave(self.owner.as_raw()) };
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
pub struct LockGuard<'a> {
    owner: &'a Hatch,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> LockGuard<'a> {
    /// Calls `bindings::hatch_pause`.
    #[inline]
    pub fn pause(&self) {
        // SAFETY: By its invariants `self.owner` is a valid `struct hatch`; `requires(LockGuard)`
        // holds because `self` is that guard.
        unsafe { bindings::hatch_pause(self.owner.as_raw()) }
    }
}

impl<'a> Drop for LockGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::hatch_unlock(self.owner.as_raw()) };
    }
}
