// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `kinds.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/kinds.h`](srctree/include/kinds.h)

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
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ops::{
        Deref,
        DerefMut, //
    }, //
};
use pin_init::Wrapper;

/// What a visitor may do.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// Nothing.
    Look = bindings::visit_VISIT_LOOK,
    /// Water the beds.
    Water = bindings::visit_VISIT_WATER,
}

/// One of the garden's beds.
///
/// It is valid inside its section, and cannot leave it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Bed<'s>(pub(crate) bindings::bed, PhantomData<fn(&'s ()) -> &'s ()>);

impl Bed<'_> {
    /// Counted from 1.
    #[inline]
    pub fn number(&self) -> u32 {
        self.0.number
    }
}

/// What grows in a bed.
///
/// It is valid inside its section, and cannot leave it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Fruit<'s>(
    pub(crate) bindings::fruit,
    PhantomData<fn(&'s ()) -> &'s ()>,
);

impl Fruit<'_> {
    /// In grams.
    #[inline]
    pub fn weight(&self) -> u32 {
        self.0.weight
    }
}

/// The kernel's `garden`.
///
/// # Invariants
///
/// `inner` is a `bindings::garden` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Garden<T> {
    #[pin]
    inner: Opaque<bindings::garden>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for Garden<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send> Sync for Garden<T> {}

impl<T> Garden<T> {
    /// Makes one with `bindings::garden_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::garden| {
            // SAFETY: `slot` is storage for a `struct garden` that does not move.
            unsafe { bindings::garden_init(slot) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::garden`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::garden {
        self.inner.get()
    }

    /// Takes the lock with `bindings::garden_lock`.
    #[inline]
    pub fn lock(&self) -> GateGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct garden`.
        unsafe { bindings::garden_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        GateGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// A walk through the garden, whose gate is shut meanwhile.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// # Errors
    ///
    /// As [`Self::walk_with`], to which it gives zero for `hours`.
    #[inline]
    pub fn walk(
        &self,
        visit: Visit,
        body: impl for<'s> FnMut(&Walk<'s>, &mut WalkData<'s, T>) -> Result,
    ) -> Result {
        self.walk_with(visit, 0, body)
    }

    /// A walk through the garden, whose gate is shut meanwhile.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`, or with the error that ended the section.
    pub fn walk_with(
        &self,
        visit: Visit,
        hours: u32,
        mut body: impl for<'s> FnMut(&Walk<'s>, &mut WalkData<'s, T>) -> Result,
    ) -> Result {
        let mut state = WalkState(bindings::walk {
            garden: self.as_raw(),
            visit: visit as bindings::visit,
            hours,
            ..pin_init::zeroed()
        });
        loop {
            // SAFETY: The state is set up as `struct walk` requires, for the object `self`; no
            // view of an earlier batch exists.
            let inside = unsafe { bindings::walk_next(&mut state.0) };
            if !inside {
                break;
            }
            let shown = Walk {
                state: &state.0,
                _brand: PhantomData,
            };
            // SAFETY: By the contract (`enter`, `holds(GateGuard)`) the lock is held, so no other
            // thread accesses the data.
            let data = unsafe { &mut *self.data.get() };
            // SAFETY: The data is pinned with its object, and does not move.
            let data = unsafe { Pin::new_unchecked(data) };
            body(
                &shown,
                &mut WalkData {
                    data,
                    _brand: PhantomData,
                },
            )?;
        }
        // SAFETY: The state is valid, and no view of it exists any more.
        to_result(unsafe { bindings::walk_error(&state.0) })
    }

    /// A walk through the garden, whose gate is shut meanwhile.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `visit` is `VISIT_ALONE`: Have a bed to oneself.
    ///
    /// # Errors
    ///
    /// As [`Self::retreat_with`], to which it gives zero for `hours`.
    #[inline]
    pub fn retreat(
        &self,
        body: impl for<'s> FnMut(&Retreat<'s>, &mut RetreatData<'s, T>) -> Result,
    ) -> Result {
        self.retreat_with(0, body)
    }

    /// A walk through the garden, whose gate is shut meanwhile.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `visit` is `VISIT_ALONE`: Have a bed to oneself.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`, or with the error that ended the section.
    pub fn retreat_with(
        &self,
        hours: u32,
        mut body: impl for<'s> FnMut(&Retreat<'s>, &mut RetreatData<'s, T>) -> Result,
    ) -> Result {
        let mut state = WalkState(bindings::walk {
            garden: self.as_raw(),
            hours,
            visit: bindings::visit_VISIT_ALONE,
            ..pin_init::zeroed()
        });
        loop {
            // SAFETY: The state is set up as `struct walk` requires, for the object `self`; no
            // view of an earlier batch exists.
            let inside = unsafe { bindings::walk_next(&mut state.0) };
            if !inside {
                break;
            }
            let shown = Retreat {
                state: &state.0,
                _brand: PhantomData,
            };
            // SAFETY: By the contract (`enter`, `holds(GateGuard)`) the lock is held, so no other
            // thread accesses the data.
            let data = unsafe { &mut *self.data.get() };
            // SAFETY: The data is pinned with its object, and does not move.
            let data = unsafe { Pin::new_unchecked(data) };
            body(
                &shown,
                &mut RetreatData {
                    data,
                    _brand: PhantomData,
                },
            )?;
        }
        // SAFETY: The state is valid, and no view of it exists any more.
        to_result(unsafe { bindings::walk_error(&state.0) })
    }

    /// A walk through the garden, whose gate is shut meanwhile.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `basket`: Has to be empty.
    ///
    /// # Errors
    ///
    /// As [`Self::harvest_with`], to which it gives zero for `hours`.
    #[inline]
    pub fn harvest(
        &self,
        visit: Visit,
        basket: &Basket,
        body: impl for<'s> FnMut(&Harvest<'s>, &mut HarvestData<'s, T>) -> Result,
    ) -> Result {
        self.harvest_with(visit, basket, 0, body)
    }

    /// A walk through the garden, whose gate is shut meanwhile.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// `basket`: Has to be empty.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`, or with the error that ended the section.
    pub fn harvest_with(
        &self,
        visit: Visit,
        basket: &Basket,
        hours: u32,
        mut body: impl for<'s> FnMut(&Harvest<'s>, &mut HarvestData<'s, T>) -> Result,
    ) -> Result {
        let mut state = WalkState(bindings::walk {
            garden: self.as_raw(),
            visit: visit as bindings::visit,
            hours,
            basket: basket.as_raw(),
            ..pin_init::zeroed()
        });
        loop {
            // SAFETY: The state is set up as `struct walk` requires, for the object `self`; no
            // view of an earlier batch exists.
            let inside = unsafe { bindings::walk_next(&mut state.0) };
            if !inside {
                break;
            }
            let shown = Harvest {
                state: &state.0,
                _brand: PhantomData,
            };
            // SAFETY: By the contract (`enter`, `holds(GateGuard)`) the lock is held, so no other
            // thread accesses the data.
            let data = unsafe { &mut *self.data.get() };
            // SAFETY: The data is pinned with its object, and does not move.
            let data = unsafe { Pin::new_unchecked(data) };
            body(
                &shown,
                &mut HarvestData {
                    data,
                    _brand: PhantomData,
                },
            )?;
        }
        // SAFETY: The state is valid, and no view of it exists any more.
        to_result(unsafe { bindings::walk_error(&state.0) })
    }
}

#[pinned_drop]
impl<T> PinnedDrop for Garden<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `garden_exit`).
        unsafe { bindings::garden_exit(self.inner.get()) };
    }
}

/// A lock of [`Garden`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct GateGuard<'a, T> {
    owner: &'a Garden<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T> Deref for GateGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `GateGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> GateGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(GateGuard = exclusive)`) no other
        // one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T> DerefMut for GateGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T> Drop for GateGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::garden_unlock(self.owner.as_raw()) };
    }
}

/// A walk through the garden, whose gate is shut meanwhile.
///
/// It exists only inside [`Garden::walk`], and values from it cannot be kept.
///
/// # Invariants
///
/// The section is entered for as long as this exists.
pub struct Walk<'s> {
    state: &'s bindings::walk,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

/// The state of a section; the section is left when this is dropped (`walk_leave`).
struct WalkState(bindings::walk);

impl Drop for WalkState {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the contract (`leave`) `walk_leave` may be called inside the section and
        // after it.
        unsafe { bindings::walk_leave(&mut self.0) };
    }
}

impl<'s> Walk<'s> {
    /// Iterates with `bindings::walk_bed`.
    #[inline]
    pub fn beds(&self) -> Beds<'s> {
        let mut item: bindings::bed = pin_init::zeroed();
        item.number = self.state.now;
        Beds {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }
}

/// The data of a [`Garden`] inside [`Garden::walk`]; values of one section cannot be used with
/// the data of another.
pub struct WalkData<'s, T> {
    data: Pin<&'s mut T>,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<T> WalkData<'_, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        self.data.as_mut()
    }
}

impl<T> Deref for WalkData<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: Unpin> DerefMut for WalkData<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// Steps through the items of a [`Walk`].
pub struct Beds<'s> {
    state: &'s bindings::walk,
    item: bindings::bed,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Iterator for Beds<'s> {
    type Item = Bed<'s>;
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The section is entered for all of `'s`, and `item` is as the previous step left
        // it.
        let more = unsafe { bindings::walk_bed(self.state, &mut self.item) };
        more.then_some(Bed(self.item, PhantomData))
    }
}

/// A walk through the garden, whose gate is shut meanwhile.
///
/// It exists only inside [`Garden::retreat`], and values from it cannot be kept.
///
/// # Invariants
///
/// The section is entered for as long as this exists.
pub struct Retreat<'s> {
    state: &'s bindings::walk,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Retreat<'s> {
    /// Iterates with `bindings::walk_bed`.
    #[inline]
    pub fn beds(&self) -> Beds<'s> {
        let mut item: bindings::bed = pin_init::zeroed();
        item.number = self.state.now;
        Beds {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }
}

/// The data of a [`Garden`] inside [`Garden::retreat`]; values of one section cannot be used
/// with the data of another.
pub struct RetreatData<'s, T> {
    data: Pin<&'s mut T>,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<T> RetreatData<'_, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        self.data.as_mut()
    }
}

impl<T> Deref for RetreatData<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: Unpin> DerefMut for RetreatData<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// A walk through the garden, whose gate is shut meanwhile.
///
/// It exists only inside [`Garden::harvest`], and values from it cannot be kept.
///
/// # Invariants
///
/// The section is entered for as long as this exists.
pub struct Harvest<'s> {
    state: &'s bindings::walk,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Harvest<'s> {
    /// Iterates with `bindings::walk_bed`.
    #[inline]
    pub fn beds(&self) -> Beds<'s> {
        let mut item: bindings::bed = pin_init::zeroed();
        item.number = self.state.now;
        Beds {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }

    /// Iterates with `bindings::walk_fruit`.
    #[inline]
    pub fn fruits(&self) -> Fruits<'s> {
        let item: bindings::fruit = pin_init::zeroed();
        Fruits {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }
}

/// The data of a [`Garden`] inside [`Garden::harvest`]; values of one section cannot be used
/// with the data of another.
pub struct HarvestData<'s, T> {
    data: Pin<&'s mut T>,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<T> HarvestData<'_, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        self.data.as_mut()
    }
}

impl<T> Deref for HarvestData<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: Unpin> DerefMut for HarvestData<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// Steps through the items of a [`Harvest`].
pub struct Fruits<'s> {
    state: &'s bindings::walk,
    item: bindings::fruit,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Iterator for Fruits<'s> {
    type Item = Fruit<'s>;
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The section is entered for all of `'s`, and `item` is as the previous step left
        // it.
        let more = unsafe { bindings::walk_fruit(self.state, &mut self.item) };
        more.then_some(Fruit(self.item, PhantomData))
    }
}

/// What is picked goes in it.
///
/// # Invariants
///
/// `inner` is a `bindings::basket` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data]
pub struct Basket {
    #[pin]
    inner: Opaque<bindings::basket>,
    _not_send: NotThreadSafe,
}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Basket {}

impl Basket {
    /// Makes one with `bindings::basket_init`.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::basket| {
            // SAFETY: `slot` is storage for a `struct basket` that does not move.
            unsafe { bindings::basket_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns a raw pointer to the `bindings::basket`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::basket {
        self.inner.get()
    }
}
