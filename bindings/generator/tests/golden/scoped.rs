// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `scoped.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/scoped.h`](srctree/include/scoped.h)

use crate::{
    bindings,
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    sync::aref::AlwaysRefCounted,
    types::{
        NotThreadSafe,
        Opaque,
        ScopeGuard, //
    }, //
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ops::{
        Deref,
        DerefMut, //
    },
    ptr::NonNull, //
};
use pin_init::Wrapper;

/// Something that must not stay locked.
///
/// # Invariants
///
/// `inner` is a `bindings::tank` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Tank<T> {
    #[pin]
    inner: Opaque<bindings::tank>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for Tank<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send> Sync for Tank<T> {}

impl<T> Tank<T> {
    /// Makes one with `bindings::tank_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::tank| {
            // SAFETY: `slot` is storage for a `struct tank` that does not move.
            unsafe { bindings::tank_init(slot) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::tank`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::tank {
        self.inner.get()
    }

    /// Calls `bindings::tank_show`.
    #[inline]
    pub fn show(&self, look: &Look<'_>) {
        // SAFETY: By the type's invariants `self` is a valid `struct tank`; `look` is a reference
        // and so valid for the call.
        unsafe { bindings::tank_show(self.as_raw(), look.as_raw()) }
    }

    /// Open the tank.
    ///
    /// `body` runs under the lock, which is released when it returns; its result is returned.
    ///
    /// May sleep.
    #[inline]
    pub fn open<R>(&self, body: impl FnOnce(&mut TankGuard<'_, T>) -> R) -> R {
        // SAFETY: By the type's invariants `self` is a valid `struct tank`.
        unsafe { bindings::tank_open(self.as_raw()) };
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = TankGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        body(&mut guard)
    }

    /// Open the tank, if nobody kills the caller.
    ///
    /// `body` runs under the lock, if that was taken, and the lock is released when it returns;
    /// its result is returned.
    ///
    /// # Errors
    ///
    /// The errors include `EINTR`.
    #[inline]
    pub fn open_killable<R>(&self, body: impl FnOnce(&mut TankGuard<'_, T>) -> R) -> Result<R> {
        // SAFETY: By the type's invariants `self` is a valid `struct tank`.
        to_result(unsafe { bindings::tank_open_killable(self.as_raw()) })?;
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = TankGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        Ok(body(&mut guard))
    }

    /// Tries to take the lock with `bindings::tank_try_open`.
    ///
    /// `body` runs under the lock, if that was taken, and the lock is released when it returns;
    /// its result is returned.
    #[must_use = "the closure may not have run"]
    #[inline]
    pub fn try_open<R>(&self, body: impl FnOnce(&mut TankGuard<'_, T>) -> R) -> Option<R> {
        // SAFETY: By the type's invariants `self` is a valid `struct tank`.
        let taken = unsafe { bindings::tank_try_open(self.as_raw()) };
        if !taken {
            return None;
        }
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = TankGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        Some(body(&mut guard))
    }

    /// Tries to take the lock with `bindings::tank_poll_open`.
    ///
    /// `body` runs under the lock, if that was taken, and the lock is released when it returns;
    /// its result is returned.
    #[must_use = "the closure may not have run"]
    #[inline]
    pub fn poll_open<R>(&self, body: impl FnOnce(&mut TankGuard<'_, T>) -> R) -> Option<R> {
        // SAFETY: By the type's invariants `self` is a valid `struct tank`.
        let taken = unsafe { bindings::tank_poll_open(self.as_raw()) };
        if taken == 0 {
            return None;
        }
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = TankGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        Some(body(&mut guard))
    }
}

#[pinned_drop]
impl<T> PinnedDrop for Tank<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `tank_exit`).
        unsafe { bindings::tank_exit(self.inner.get()) };
    }
}

/// A lock of [`Tank`] that is held.
///
/// It exists while a closure runs, which does not own it and so cannot leak it.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
pub struct TankGuard<'a, T> {
    owner: &'a Tank<T>,
    _not_send: NotThreadSafe,
}

impl<'a, T> TankGuard<'a, T> {
    /// Calls `bindings::tank_level`.
    #[inline]
    pub fn level(&self) -> u32 {
        // SAFETY: By its invariants `self.owner` is a valid `struct tank`; `requires(TankGuard)`
        // holds because `self` is that guard.
        unsafe { bindings::tank_level(self.owner.as_raw()) }
    }

    /// Takes the lock with `bindings::tank_quiet`.
    ///
    /// `body` runs under the lock, which is released when it returns; its result is returned.
    #[inline]
    pub fn quiet<R>(&self, line: i32, body: impl FnOnce(&mut Quiet<'_, T>) -> R) -> R {
        // SAFETY: By its invariants `self.owner` is a valid `struct tank`; `requires(TankGuard)`
        // holds because `self` is that guard.
        let cookie = unsafe { bindings::tank_quiet(self.owner.as_raw(), line) };
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = Quiet {
            owner: self.owner,
            cookie,
            _not_send: NotThreadSafe,
        };
        body(&mut guard)
    }
}

impl<'a, T> Deref for TankGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `TankGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> TankGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(TankGuard = exclusive)`) no other
        // one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T> DerefMut for TankGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T> Drop for TankGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::tank_close(self.owner.as_raw()) };
    }
}

/// A lock of [`Tank`] that is held.
///
/// It exists while a closure runs, which does not own it and so cannot leak it.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists, and `cookie` is what
/// taking it returned.
pub struct Quiet<'a, T> {
    owner: &'a Tank<T>,
    cookie: usize,
    _not_send: NotThreadSafe,
}

impl<'a, T> Drop for Quiet<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock; `cookie` is the value that
        // the lock returned (`cookie`).
        unsafe { bindings::tank_loud(self.owner.as_raw(), self.cookie) };
    }
}

/// The kernel's `cask`.
///
/// # Invariants
///
/// `inner` is a `bindings::cask` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Cask {
    #[pin]
    inner: Opaque<bindings::cask>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Cask {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Cask {}

impl Cask {
    /// Makes one with `bindings::cask_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::cask| {
            // SAFETY: `slot` is storage for a `struct cask` that does not move.
            unsafe { bindings::cask_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::cask`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::cask {
        self.inner.get()
    }

    /// Takes the lock with `bindings::cask_open`.
    ///
    /// `body` runs under the lock, which is released when it returns; its result is returned.
    #[inline]
    pub fn open<R>(&self, body: impl FnOnce(&mut CaskGuard<'_>) -> R) -> R {
        // SAFETY: By the type's invariants `self` is a valid `struct cask`.
        unsafe { bindings::cask_open(self.as_raw()) };
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = CaskGuard {
            owner: self,
            _not_send: NotThreadSafe,
        };
        body(&mut guard)
    }
}

#[pinned_drop]
impl PinnedDrop for Cask {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `cask_exit`).
        unsafe { bindings::cask_exit(self.inner.get()) };
    }
}

/// A lock of [`Cask`] that is held.
///
/// It exists while a closure runs, which does not own it and so cannot leak it.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
pub struct CaskGuard<'a> {
    owner: &'a Cask,
    _not_send: NotThreadSafe,
}

impl<'a> Drop for CaskGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::cask_close(self.owner.as_raw()) };
    }
}

/// The kernel's `vat`.
///
/// # Invariants
///
/// `inner` is a `bindings::vat` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Vat {
    #[pin]
    inner: Opaque<bindings::vat>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Vat {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Vat {}

impl Vat {
    /// Makes one with `bindings::vat_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::vat| {
            // SAFETY: `slot` is storage for a `struct vat` that does not move.
            unsafe { bindings::vat_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::vat`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::vat {
        self.inner.get()
    }
}

#[pinned_drop]
impl PinnedDrop for Vat {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `vat_exit`).
        unsafe { bindings::vat_exit(self.inner.get()) };
    }
}

/// The stage of a [`Dive`] after [`Dive::begin`].
pub enum Surface {}

/// The stage of a [`Dive`] after [`Dive::down`].
pub enum Deep {}

/// Something that must not go on for ever.
///
/// Others wait for its end.
///
/// It exists while a closure runs, which is given this value. It ends when the closure returns,
/// also if that leaks the value (`mem::forget`).
///
/// # Invariants
///
/// `ptr` points to a `bindings::dive` that lives for all of `'a`, and no other value points to
/// that.
#[must_use = "it is ended when the closure returns, in any stage"]
pub struct Dive<'a, S> {
    ptr: NonNull<bindings::dive>,
    _marker: PhantomData<(*mut &'a (), S)>,
}

impl<'a> Dive<'a, Surface> {
    /// Begin a dive.
    ///
    /// `body` is given the [`Dive`], if one was made, and its result is returned. The [`Dive`]
    /// ends when `body` returns, in any stage, also if `body` leaked it (`mem::forget`).
    ///
    /// May sleep.
    ///
    /// # Errors
    ///
    /// The errors include `EAGAIN`.
    #[inline]
    pub fn begin<T, R>(
        tank: &Tank<T>,
        body_: u32,
        body: impl FnOnce(Dive<'_, Surface>) -> R,
    ) -> Result<R> {
        // SAFETY: `tank` is a reference and so outlives the object, which ends before this
        // returns (`outlives`, `scoped`).
        let ptr = from_err_ptr(unsafe { bindings::dive_begin(tank.as_raw(), body_) })?;
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        let _end = ScopeGuard::new(|| {
            // SAFETY: The object was made above, and is ended once, here, after `body` has
            // returned (`destructor` of `dive_end`); what `body` was given has a lifetime of its
            // own (`scoped`), so nothing can reach the object after.
            let _ = unsafe { bindings::dive_end(ptr.as_ptr()) };
        });
        // INVARIANT: The object was just made, lives until `body` has returned, and is given to
        // nobody else.
        Ok(body(Dive {
            ptr,
            _marker: PhantomData,
        }))
    }

    /// Dive.
    ///
    /// # Errors
    ///
    /// The errors include `EDOM`.
    #[inline]
    pub fn down(self, metres: u32) -> Result<Dive<'a, Deep>> {
        // SAFETY: By the type's invariants `self` is a valid `struct dive`.
        to_result(unsafe { bindings::dive_down(self.as_raw(), metres) })?;
        Ok(self.into_stage())
    }
}

impl<'a> Dive<'a, Deep> {
    /// Calls `bindings::dive_up`.
    #[inline]
    pub fn up(self) -> Dive<'a, Surface> {
        // SAFETY: By the type's invariants `self` is a valid `struct dive`.
        unsafe { bindings::dive_up(self.as_raw()) };
        self.into_stage()
    }

    /// Calls `bindings::dive_depth`.
    #[inline]
    pub fn depth(&self) -> u32 {
        // SAFETY: By the type's invariants `self` is a valid `struct dive`.
        unsafe { bindings::dive_depth(self.as_raw()) }
    }
}

impl<'a, S> Dive<'a, S> {
    /// Returns a raw pointer to the `bindings::dive`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::dive {
        self.ptr.as_ptr()
    }

    /// Calls `bindings::dive_air`.
    #[inline]
    pub fn air(&self) -> u32 {
        // SAFETY: By the type's invariants `self` is a valid `struct dive`.
        unsafe { bindings::dive_air(self.as_raw()) }
    }

    #[inline]
    fn into_stage<N>(self) -> Dive<'a, N> {
        Dive {
            ptr: self.ptr,
            _marker: PhantomData,
        }
    }
}

/// The kernel's `look`.
///
/// It exists while a closure runs, which is given this value. It ends when the closure returns,
/// also if that leaks the value (`mem::forget`).
///
/// # Invariants
///
/// `ptr` points to a `bindings::look` that lives for all of `'a`, and no other value points to
/// that.
pub struct Look<'a> {
    ptr: NonNull<bindings::look>,
    _marker: PhantomData<*mut &'a ()>,
}

impl<'a> Look<'a> {
    /// Makes one with `bindings::look_in`.
    ///
    /// `body` is given the [`Look`], if one was made, and its result is returned. The [`Look`]
    /// ends when `body` returns, also if `body` leaked it (`mem::forget`).
    #[must_use = "the closure may not have run"]
    #[inline]
    pub fn with<T, R>(tank: &Tank<T>, body: impl FnOnce(Look<'_>) -> R) -> Option<R> {
        // SAFETY: `tank` is a reference and so outlives the object, which ends before this
        // returns (`outlives`, `scoped`).
        let ptr = NonNull::new(unsafe { bindings::look_in(tank.as_raw()) })?;
        let _end = ScopeGuard::new(|| {
            // SAFETY: The object was made above, and is ended once, here, after `body` has
            // returned (`destructor` of `look_end`); what `body` was given has a lifetime of its
            // own (`scoped`), so nothing can reach the object after.
            unsafe { bindings::look_end(ptr.as_ptr()) };
        });
        // INVARIANT: The object was just made, lives until `body` has returned, and is given to
        // nobody else.
        Some(body(Look {
            ptr,
            _marker: PhantomData,
        }))
    }

    /// Makes one with `bindings::look_again`.
    ///
    /// `body` is given the [`Look`], if one was made, and its result is returned. The [`Look`]
    /// ends when `body` returns, also if `body` leaked it (`mem::forget`).
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::look_again`.
    #[must_use = "the closure may not have run"]
    #[inline]
    pub fn again<R>(body: impl FnOnce(Look<'_>) -> R) -> Result<Option<R>> {
        // SAFETY: The contract requires nothing of the caller.
        let ptr = from_err_ptr(unsafe { bindings::look_again() })?;
        let Some(ptr) = NonNull::new(ptr) else {
            return Ok(None);
        };
        let _end = ScopeGuard::new(|| {
            // SAFETY: The object was made above, and is ended once, here, after `body` has
            // returned (`destructor` of `look_end`); what `body` was given has a lifetime of its
            // own (`scoped`), so nothing can reach the object after.
            unsafe { bindings::look_end(ptr.as_ptr()) };
        });
        // INVARIANT: The object was just made, lives until `body` has returned, and is given to
        // nobody else.
        Ok(Some(body(Look {
            ptr,
            _marker: PhantomData,
        })))
    }

    /// Makes one with `bindings::look_surely`.
    ///
    /// `body` is given the [`Look`], and its result is returned. The [`Look`] ends when `body`
    /// returns, also if `body` leaked it (`mem::forget`).
    #[inline]
    pub fn surely<R>(body: impl FnOnce(Look<'_>) -> R) -> R {
        // SAFETY: The contract requires nothing of the caller.
        let ptr = unsafe { bindings::look_surely() };
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        let _end = ScopeGuard::new(|| {
            // SAFETY: The object was made above, and is ended once, here, after `body` has
            // returned (`destructor` of `look_end`); what `body` was given has a lifetime of its
            // own (`scoped`), so nothing can reach the object after.
            unsafe { bindings::look_end(ptr.as_ptr()) };
        });
        // INVARIANT: The object was just made, lives until `body` has returned, and is given to
        // nobody else.
        body(Look {
            ptr,
            _marker: PhantomData,
        })
    }

    /// Makes one with `bindings::look_into`.
    ///
    /// `body` is given the [`Look`], if one was made, and its result is returned. The [`Look`]
    /// ends when `body` returns, also if `body` leaked it (`mem::forget`).
    ///
    /// # Errors
    ///
    /// Fails with the error of `bindings::look_into`.
    #[inline]
    pub fn into<R>(body: impl FnOnce(Look<'_>) -> R) -> Result<R> {
        let mut look = core::ptr::null_mut::<bindings::look>();
        // SAFETY: `look` is storage for the result.
        to_result(unsafe { bindings::look_into(&raw mut look) })?;
        let ptr = NonNull::new(look).ok_or(ENOMEM)?;
        let _end = ScopeGuard::new(|| {
            // SAFETY: The object was made above, and is ended once, here, after `body` has
            // returned (`destructor` of `look_end`); what `body` was given has a lifetime of its
            // own (`scoped`), so nothing can reach the object after.
            unsafe { bindings::look_end(ptr.as_ptr()) };
        });
        // INVARIANT: The object was just made, lives until `body` has returned, and is given to
        // nobody else.
        Ok(body(Look {
            ptr,
            _marker: PhantomData,
        }))
    }

    /// Makes one with `bindings::look_blindly`.
    ///
    /// `body` is given the [`Look`], and its result is returned. The [`Look`] ends when `body`
    /// returns, also if `body` leaked it (`mem::forget`).
    ///
    /// # Safety
    ///
    /// The caller must promise that there is something at `at`.
    #[inline]
    pub unsafe fn blindly<R>(at: i32, body: impl FnOnce(Look<'_>) -> R) -> R {
        // SAFETY: The caller promises that there is something at `at`.
        let ptr = unsafe { bindings::look_blindly(at) };
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        let _end = ScopeGuard::new(|| {
            // SAFETY: The object was made above, and is ended once, here, after `body` has
            // returned (`destructor` of `look_end`); what `body` was given has a lifetime of its
            // own (`scoped`), so nothing can reach the object after.
            unsafe { bindings::look_end(ptr.as_ptr()) };
        });
        // INVARIANT: The object was just made, lives until `body` has returned, and is given to
        // nobody else.
        body(Look {
            ptr,
            _marker: PhantomData,
        })
    }
}

impl<'a> Look<'a> {
    /// Returns a raw pointer to the `bindings::look`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::look {
        self.ptr.as_ptr()
    }

    /// Calls `bindings::look_at`.
    #[inline]
    pub fn at(&self) -> u32 {
        // SAFETY: By the type's invariants `self` is a valid `struct look`.
        unsafe { bindings::look_at(self.as_raw()) }
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
