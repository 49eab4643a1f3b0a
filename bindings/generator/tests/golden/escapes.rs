// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `escapes.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/escapes.h`](srctree/include/escapes.h)

use crate::{
    bindings,
    error::to_result,
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
    marker::PhantomData,
    ptr::NonNull, //
};

/// The kernel's `bytes`.
#[repr(transparent)]
pub struct Bytes(pub(crate) bindings::bytes);

impl Bytes {
    /// The member `len`.
    #[inline]
    pub fn len(&self) -> u32 {
        self.0.len
    }

    /// The member `first`, with `len` elements.
    #[inline]
    pub fn first(&self) -> &[u8] {
        let first = self.0.first.cast::<u8>();
        if first.is_null() {
            return &[];
        }
        // SAFETY: C passes a `struct bytes` with `len` elements in `first` (`slice`), and they
        // live as long as it does, which cannot be copied. The pointer was not NULL.
        unsafe { core::slice::from_raw_parts(first, self.0.len as usize) }
    }
}

/// The kernel's `lent`.
///
/// It is valid inside its section, and cannot leave it.
#[repr(transparent)]
pub struct Lent<'s>(pub(crate) bindings::lent, PhantomData<fn(&'s ()) -> &'s ()>);

impl Lent<'_> {
    /// The member `len`.
    #[inline]
    pub fn len(&self) -> u32 {
        self.0.len
    }

    /// The member `first`, with `len` elements.
    #[inline]
    pub fn first(&self) -> &[u8] {
        let first = self.0.first.cast::<u8>();
        if first.is_null() {
            return &[];
        }
        // SAFETY: C passes a `struct lent` with `len` elements in `first` (`slice`), and they
        // live as long as it does, which cannot be copied. The pointer was not NULL.
        unsafe { core::slice::from_raw_parts(first, self.0.len as usize) }
    }
}

/// The `place` of a [`Row`]: a number that means something inside the section that it comes
/// from, and cannot leave it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place<'s>(pub(crate) usize, PhantomData<fn(&'s ()) -> &'s ()>);

impl Place<'_> {
    /// The number.
    ///
    /// # Safety
    ///
    /// The number is meaningless once the section has ended. The caller must not use it after
    /// that, unless something else keeps it valid.
    #[inline]
    pub unsafe fn into_raw(self) -> usize {
        self.0
    }
}

/// The kernel's `row`.
///
/// It is valid inside its section, and cannot leave it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Row<'s>(pub(crate) bindings::row, PhantomData<fn(&'s ()) -> &'s ()>);

impl<'s> Row<'s> {
    /// The member `width`.
    #[inline]
    pub fn width(&self) -> u32 {
        self.0.width
    }

    /// The member `place`.
    #[inline]
    pub fn place(&self) -> Place<'s> {
        Place(self.0.place, PhantomData)
    }
}

/// The kernel's `rows`.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Rows(pub(crate) bindings::rows);

impl Rows {
    /// The member `nr`.
    #[inline]
    pub fn nr(&self) -> u32 {
        self.0.nr
    }
}

/// The kernel's `old`.
#[repr(transparent)]
pub struct Old(pub(crate) bindings::old);

impl Old {
    /// The member `nr`.
    #[inline]
    pub fn nr(&self) -> u32 {
        self.0.nr
    }
}

/// The kernel's `either`.
#[repr(transparent)]
pub struct Either(pub(crate) bindings::either);

impl Either {}

/// The kernel's `slot`.
///
/// # Invariants
///
/// A value of this type is a live `bindings::slot`, reached by reference only.
#[repr(transparent)]
pub struct Slot(Opaque<bindings::slot>, NotThreadSafe);

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Slot {}

impl Slot {
    /// Returns a raw pointer to the `bindings::slot`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::slot {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::slot` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::slot) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Takes the lock with `bindings::slot_hold`.
    ///
    /// `body` runs under the lock, which is released when it returns; its result is returned.
    #[inline]
    pub fn hold<R>(&self, body: impl FnOnce(&mut HeldSlot<'_>) -> R) -> R {
        // SAFETY: By the type's invariants `self` is a valid `struct slot`.
        unsafe { bindings::slot_hold(self.as_raw()) };
        // INVARIANT: The lock was just taken, and this is dropped here.
        let mut guard = HeldSlot {
            owner: self,
            _not_send: NotThreadSafe,
        };
        body(&mut guard)
    }
}

/// A lock of [`Slot`] that is held.
///
/// It exists while a closure runs, which does not own it and so cannot leak it.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
pub struct HeldSlot<'a> {
    owner: &'a Slot,
    _not_send: NotThreadSafe,
}

impl<'a> Drop for HeldSlot<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::slot_release(self.owner.as_raw()) };
    }
}

/// The kernel's `shelf`.
///
/// # Invariants
///
/// `ptr` points to a `bindings::shelf` that belongs to this value.
pub struct Shelf {
    ptr: NonNull<bindings::shelf>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Shelf {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Shelf {}

impl Shelf {
    /// Makes one with `bindings::shelf_new`.
    #[inline]
    pub fn new() -> Option<Shelf> {
        // SAFETY: The contract requires nothing of the caller.
        let ptr = NonNull::new(unsafe { bindings::shelf_new() })?;
        Some(Shelf { ptr })
    }

    /// Returns a raw pointer to the `bindings::shelf`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::shelf {
        self.ptr.as_ptr()
    }

    /// Calls `bindings::shelf_slot`.
    #[inline]
    pub fn slot(&self, nr: u32) -> &Slot {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        let ptr = unsafe { bindings::shelf_slot(self.as_raw(), nr) };
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        // SAFETY: By the contract (`borrowed(shelf)`) it is valid as long as `self`.
        unsafe { <Slot>::from_raw(ptr.as_ptr()) }
    }

    /// Calls `bindings::shelf_put`.
    #[inline]
    pub fn put(&self, row: Row<'_>, x: i32, x_: i32) -> u32 {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        unsafe { bindings::shelf_put(self.as_raw(), row.0, x, x_) }
    }

    /// Takes the lock with `bindings::shelf_lock`.
    #[inline]
    pub fn lock(&self) -> ShelfGuard<'_> {
        // SAFETY: By the type's invariants `self` is a valid `struct shelf`.
        unsafe { bindings::shelf_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        ShelfGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Runs a section of `bindings::shelf`.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`, or with the error that ended the section.
    pub fn look(&self, body_: u32, mut body: impl for<'s> FnMut(&Look<'s>) -> Result) -> Result {
        let mut state = LookState(bindings::look {
            shelf: self.as_raw(),
            body: body_,
            ..pin_init::zeroed()
        });
        loop {
            // SAFETY: The state is set up as `struct look` requires, for the object `self`; no
            // view of an earlier batch exists.
            let inside = unsafe { bindings::look_next(&mut state.0) };
            if !inside {
                break;
            }
            let shown = Look {
                state: &state.0,
                _brand: PhantomData,
            };
            body(&shown)?;
        }
        // SAFETY: The state is valid, and no view of it exists any more.
        to_result(unsafe { bindings::look_error(&state.0) })
    }
}

impl Drop for Shelf {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `shelf_free`).
        unsafe { bindings::shelf_free(self.ptr.as_ptr()) };
    }
}

/// A lock of [`Shelf`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct ShelfGuard<'a> {
    owner: &'a Shelf,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a> Drop for ShelfGuard<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::shelf_unlock(self.owner.as_raw()) };
    }
}

/// The view that a `bindings::look` gives.
///
/// It exists only inside [`Shelf::look`], and values from it cannot be kept.
///
/// # Invariants
///
/// The section is entered for as long as this exists.
pub struct Look<'s> {
    state: &'s bindings::look,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

/// The state of a section; the section is left when this is dropped (`look_leave`).
struct LookState(bindings::look);

impl Drop for LookState {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the contract (`leave`) `look_leave` may be called inside the section and
        // after it.
        unsafe { bindings::look_leave(&mut self.0) };
    }
}

impl<'s> Look<'s> {
    /// Iterates with `bindings::look_lent`.
    #[inline]
    pub fn all_lent(&self) -> AllLent<'s> {
        let item: bindings::lent = pin_init::zeroed();
        AllLent {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }

    /// Iterates with `bindings::look_row`.
    #[inline]
    pub fn all_rows(&self) -> AllRows<'s> {
        let item: bindings::row = pin_init::zeroed();
        AllRows {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }
}

/// Steps through the items of a [`Look`].
pub struct AllLent<'s> {
    state: &'s bindings::look,
    item: bindings::lent,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Iterator for AllLent<'s> {
    type Item = Lent<'s>;
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The section is entered for all of `'s`, and `item` is as the previous step left
        // it.
        let more = unsafe { bindings::look_lent(self.state, &mut self.item) };
        more.then_some(Lent(self.item, PhantomData))
    }
}

/// Steps through the items of a [`Look`].
pub struct AllRows<'s> {
    state: &'s bindings::look,
    item: bindings::row,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Iterator for AllRows<'s> {
    type Item = Row<'s>;
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The section is entered for all of `'s`, and `item` is as the previous step left
        // it.
        let more = unsafe { bindings::look_row(self.state, &mut self.item) };
        more.then_some(Row(self.item, PhantomData))
    }
}

/// The kernel's `label`.
///
/// # Invariants
///
/// `ptr` points to a `bindings::label` that belongs to this value.
pub struct Label<'a> {
    ptr: NonNull<bindings::label>,
    _marker: PhantomData<&'a ()>,
}

impl<'a> Label<'a> {
    /// Makes one with `bindings::label_new`.
    #[inline]
    pub fn new(shelf: &'a Shelf) -> Option<Self> {
        // SAFETY: `shelf` outlives the object, which has its lifetime (`outlives`).
        let ptr = NonNull::new(unsafe { bindings::label_new(shelf.as_raw()) })?;
        Some(Label {
            ptr,
            _marker: PhantomData,
        })
    }
}

impl<'a> Label<'a> {
    /// Returns a raw pointer to the `bindings::label`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::label {
        self.ptr.as_ptr()
    }
}

impl<'a> Drop for Label<'a> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `label_free`).
        unsafe { bindings::label_free(self.ptr.as_ptr()) };
    }
}

/// The kernel's `clasp`.
///
/// # Invariants
///
/// A value of this type is a `bindings::clasp` with a reference count, reached by reference
/// only.
#[repr(transparent)]
pub struct Clasp(Opaque<bindings::clasp>, NotThreadSafe);

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Clasp {}

impl Clasp {
    /// Makes one with `bindings::clasp_new`.
    #[inline]
    pub fn new(name: &'static CStr) -> Option<ARef<Clasp>> {
        // SAFETY: `name` is freed with its module only, when C does not use the object any more
        // (`keeps`).
        let ptr = NonNull::new(unsafe { bindings::clasp_new(name.as_char_ptr()) })?;
        // SAFETY: By the contract (`owned`) the caller owns the reference.
        Some(unsafe { ARef::from_raw(ptr.cast()) })
    }

    /// Returns a raw pointer to the `bindings::clasp`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::clasp {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::clasp` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::clasp) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }
}

// SAFETY: By the contract (`get`, `put`) every `struct clasp` has a count, and lives while it is
// not zero.
unsafe impl AlwaysRefCounted for Clasp {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is a reference, so the count is not zero.
        unsafe { bindings::clasp_get(self.as_raw()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller passes on the reference that it owns.
        unsafe { bindings::clasp_put(obj.cast().as_ptr()) };
    }
}

/// The kernel's `seal`.
///
/// # Invariants
///
/// `ptr` points to a `bindings::seal` that belongs to this value.
pub struct Seal {
    ptr: NonNull<bindings::seal>,
}

impl Seal {
    /// Makes one with `bindings::seal_make`.
    ///
    /// # Safety
    ///
    /// The caller must promise that the module's seals end before it does.
    #[inline]
    pub unsafe fn make(name: &'static CStr) -> Option<Seal> {
        // SAFETY: `name` is freed with its module only, when C does not use the object any more
        // (`keeps`); the caller promises that the module's seals end before it does.
        let ptr = NonNull::new(unsafe { bindings::seal_make(name.as_char_ptr()) })?;
        Some(Seal { ptr })
    }

    /// Returns a raw pointer to the `bindings::seal`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::seal {
        self.ptr.as_ptr()
    }

    /// Calls `bindings::seal_rename`.
    #[inline]
    pub fn rename(&self, name: &'static CStr) {
        // SAFETY: By the type's invariants `self` is a valid `struct seal`; `name` is freed with
        // its module only, when C does not use the object any more (`keeps`).
        unsafe { bindings::seal_rename(self.as_raw(), name.as_char_ptr()) }
    }
}

impl Drop for Seal {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `seal_free`).
        unsafe { bindings::seal_free(self.ptr.as_ptr()) };
    }
}
