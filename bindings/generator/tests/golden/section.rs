// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `section.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/section.h`](srctree/include/section.h)

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
    mem::MaybeUninit,
    ops::{
        Deref,
        DerefMut, //
    }, //
};
use pin_init::Wrapper;

/// The `place` of a [`Line`]: a number that means something inside the section that it comes
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

/// A line of a page.
///
/// It is valid inside its section, and cannot leave it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Line<'s>(pub(crate) bindings::line, PhantomData<fn(&'s ()) -> &'s ()>);

impl<'s> Line<'s> {
    /// Counted from 1.
    #[inline]
    pub fn number(&self) -> u32 {
        self.0.number
    }

    /// The member `length`.
    #[inline]
    pub fn length(&self) -> u32 {
        self.0.length
    }

    /// Where it stands, while nobody turns the page.
    #[inline]
    pub fn place(&self) -> Place<'s> {
        Place(self.0.place, PhantomData)
    }
}

/// The kernel's `book`.
///
/// # Invariants
///
/// `inner` is a `bindings::book` that its constructor has initialised; it stays where it is
/// until it is dropped.
#[pin_data(PinnedDrop)]
pub struct Book<T> {
    #[pin]
    inner: Opaque<bindings::book>,
    #[pin]
    data: UnsafeCell<T>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl<T: Send> Send for Book<T> {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once, and the data
// is reached through guards only.
unsafe impl<T: Send> Sync for Book<T> {}

impl<T> Book<T> {
    /// Makes one with `bindings::book_init`.
    pub fn new(data: impl PinInit<T>) -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::book| {
            // SAFETY: `slot` is storage for a `struct book` that does not move.
            unsafe { bindings::book_init(slot) }
        });
        pin_init!(Self {
            data <- UnsafeCell::pin_init(data),
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::book`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::book {
        self.inner.get()
    }

    /// Takes the lock with `bindings::book_lock`.
    #[inline]
    pub fn lock(&self) -> BookGuard<'_, T> {
        // SAFETY: By the type's invariants `self` is a valid `struct book`.
        unsafe { bindings::book_lock(self.as_raw()) };
        // INVARIANT: The lock was just taken.
        BookGuard {
            owner: self,
            _not_send: NotThreadSafe,
            _task: ARef::from(&**crate::current!()),
        }
    }

    /// Pages that stay as they are while one reads.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// # Errors
    ///
    /// As [`Self::read_with`], to which it gives zero for `candle`.
    #[inline]
    pub fn read(
        &self,
        first: u32,
        body: impl for<'s> FnMut(&Pages<'s>, &mut PagesData<'s, T>) -> Result,
    ) -> Result {
        self.read_with(first, 0, body)
    }

    /// Pages that stay as they are while one reads.
    ///
    /// `body` runs for each batch of the section; its arguments are valid until it returns, and
    /// cannot leave it.
    ///
    /// # Errors
    ///
    /// Fails with the error of `body`, or with the error that ended the section.
    pub fn read_with(
        &self,
        first: u32,
        candle: u32,
        mut body: impl for<'s> FnMut(&Pages<'s>, &mut PagesData<'s, T>) -> Result,
    ) -> Result {
        let mut room = [const { MaybeUninit::<usize>::uninit() }; bindings::READING_MARKS as usize];
        let mut state = PagesState(bindings::reading {
            book: self.as_raw(),
            first,
            candle,
            marks: room.as_mut_ptr().cast(),
            nr_marks: bindings::READING_MARKS,
            ..pin_init::zeroed()
        });
        loop {
            // SAFETY: The state is set up as `struct reading` requires, for the object `self`; no
            // view of an earlier batch exists.
            let inside = unsafe { bindings::reading_next(&mut state.0) };
            if !inside {
                break;
            }
            let shown = Pages {
                state: &state.0,
                _brand: PhantomData,
            };
            // SAFETY: By the contract (`enter`, `holds(BookGuard)`) the lock is held, so no other
            // thread accesses the data.
            let data = unsafe { &mut *self.data.get() };
            // SAFETY: The data is pinned with its object, and does not move.
            let data = unsafe { Pin::new_unchecked(data) };
            body(
                &shown,
                &mut PagesData {
                    data,
                    _brand: PhantomData,
                },
            )?;
        }
        // SAFETY: The state is valid, and no view of it exists any more.
        to_result(unsafe { bindings::reading_error(&state.0) })
    }
}

#[pinned_drop]
impl<T> PinnedDrop for Book<T> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `book_exit`).
        unsafe { bindings::book_exit(self.inner.get()) };
    }
}

/// A lock of [`Book`] that is held.
///
/// It is released when this is dropped. A guard that is leaked (`mem::forget`) leaks its task
/// with it, as the lock may point to that.
///
/// # Invariants
///
/// The lock is held by the current thread for as long as this exists.
#[must_use = "the lock is left at once when the guard is not used"]
pub struct BookGuard<'a, T> {
    owner: &'a Book<T>,
    _not_send: NotThreadSafe,
    _task: ARef<crate::task::Task>,
}

impl<'a, T> Deref for BookGuard<'a, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: The guard is held, and by the contract (`data`) no `&mut` to the data exists
        // while a `BookGuard` is shared.
        unsafe { &*self.owner.data.get() }
    }
}

impl<'a, T> BookGuard<'a, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        // SAFETY: The guard is held, and by the contract (`data(BookGuard = exclusive)`) no other
        // one is.
        let data = unsafe { &mut *self.owner.data.get() };
        // SAFETY: The data is pinned with its object, and does not move.
        unsafe { Pin::new_unchecked(data) }
    }
}

impl<'a, T> DerefMut for BookGuard<'a, T>
where
    T: Unpin,
{
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.as_pin().get_mut()
    }
}

impl<'a, T> Drop for BookGuard<'a, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type's invariants this thread holds the lock.
        unsafe { bindings::book_unlock(self.owner.as_raw()) };
    }
}

/// Pages that stay as they are while one reads.
///
/// It exists only inside [`Book::read`], and values from it cannot be kept.
///
/// # Invariants
///
/// The section is entered for as long as this exists.
pub struct Pages<'s> {
    state: &'s bindings::reading,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

/// The state of a section; the section is left when this is dropped (`reading_leave`).
struct PagesState(bindings::reading);

impl Drop for PagesState {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the contract (`leave`) `reading_leave` may be called inside the section and
        // after it.
        unsafe { bindings::reading_leave(&mut self.0) };
    }
}

impl<'s> Pages<'s> {
    /// Calls `bindings::reading_page`.
    #[inline]
    pub fn page(&self) -> u32 {
        // SAFETY: By the type's invariants the section is entered.
        unsafe { bindings::reading_page(self.state) }
    }

    /// Iterates with `bindings::reading_line`.
    #[inline]
    pub fn lines(&self) -> Lines<'s> {
        let mut item: bindings::line = pin_init::zeroed();
        item.number = self.state.now;
        Lines {
            state: self.state,
            item,
            _brand: PhantomData,
        }
    }
}

/// The data of a [`Book`] inside [`Book::read`]; values of one section cannot be used with the
/// data of another.
pub struct PagesData<'s, T> {
    data: Pin<&'s mut T>,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<T> PagesData<'_, T> {
    /// The data, which stays where it is.
    #[inline]
    pub fn as_pin(&mut self) -> Pin<&mut T> {
        self.data.as_mut()
    }
}

impl<T> Deref for PagesData<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.data
    }
}

impl<T: Unpin> DerefMut for PagesData<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

/// Steps through the items of a [`Pages`].
pub struct Lines<'s> {
    state: &'s bindings::reading,
    item: bindings::line,
    _brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s> Iterator for Lines<'s> {
    type Item = Line<'s>;
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: The section is entered for all of `'s`, and `item` is as the previous step left
        // it.
        let more = unsafe { bindings::reading_line(self.state, &mut self.item) };
        more.then_some(Line(self.item, PhantomData))
    }
}
