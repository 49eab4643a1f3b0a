// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `linux/hmm_attributes.h`.
//!
//! [`Attributes`] hold what programs have advised about addresses of a mirror. [`Advice`] has three
//! kinds:
//!
//! * *Preferred location*: the memory that the pages are to be in. The driver numbers its devices.
//! * *Read mostly*: the pages are mostly read. A process has each page once, so unlike CUDA there
//!   are no copies for each reader. What is left: a read moves no page to the memory of the device
//!   that reads, from which others would have to fetch it.
//! * *Accessed by*: the device of this mirror is going to access the pages. Its driver maps them in
//!   advance ([`Attributes::take_stale`]).
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/linux/hmm_attributes.h`](srctree/include/linux/hmm_attributes.h)

use crate::{
    bindings,
    error::to_result,
    hmm::mirror::Span,
    prelude::*,
    types::Opaque, //
};

/// Advice about a span of addresses.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// The pages are mostly read.
    SetReadMostly = bindings::hmm_advice_HMM_ADVICE_SET_READ_MOSTLY,
    /// Withdraw that.
    UnsetReadMostly = bindings::hmm_advice_HMM_ADVICE_UNSET_READ_MOSTLY,
    /// The pages are to be in the memory that is named.
    SetPreferredLocation = bindings::hmm_advice_HMM_ADVICE_SET_PREFERRED_LOCATION,
    /// Withdraw that.
    UnsetPreferredLocation = bindings::hmm_advice_HMM_ADVICE_UNSET_PREFERRED_LOCATION,
    /// The device is going to access the pages.
    SetAccessedBy = bindings::hmm_advice_HMM_ADVICE_SET_ACCESSED_BY,
    /// Withdraw that.
    UnsetAccessedBy = bindings::hmm_advice_HMM_ADVICE_UNSET_ACCESSED_BY,
}

/// The attributes of a span of addresses.
///
/// The location is the number of a device, [`Attribute::SYSTEM`] or [`Attribute::NOWHERE`].
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         attributes::Attribute,
///         Span, //
///     },
///     page::PAGE_SIZE, //
/// };
///
/// let span = Span::new(16 * PAGE_SIZE, 32 * PAGE_SIZE);
/// let attribute = Attribute::new(span, Attribute::SYSTEM, true, false);
/// assert_eq!(attribute.span().pages(), 16);
/// assert_eq!(attribute.location(), Attribute::SYSTEM);
/// assert!(attribute.read_mostly());
/// assert!(!attribute.accessed_by());
/// ```
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Attribute(pub(crate) bindings::hmm_attribute);

impl Attribute {
    /// Makes one of its members.
    #[inline]
    pub const fn new(span: Span, location: i32, read_mostly: bool, accessed_by: bool) -> Self {
        Self(bindings::hmm_attribute {
            span: span.0,
            location,
            read_mostly,
            accessed_by,
        })
    }

    /// The addresses, which all have the same.
    #[inline]
    pub fn span(&self) -> Span {
        Span(self.0.span)
    }

    /// The preferred location: the number of a device, `HMM_LOCATION_SYSTEM` or
    /// `HMM_LOCATION_NONE`.
    #[inline]
    pub fn location(&self) -> i32 {
        self.0.location
    }

    /// The pages are mostly read.
    #[inline]
    pub fn read_mostly(&self) -> bool {
        self.0.read_mostly
    }

    /// The device is going to access the pages.
    #[inline]
    pub fn accessed_by(&self) -> bool {
        self.0.accessed_by
    }
}

/// What programs have advised about the addresses of a [`Mirror`](crate::hmm::Mirror).
///
/// CUDA and HIP programs advise which processor is going to use which memory. A driver looks it
/// up when its device faults ([`get`](Self::get)), and decides. Nothing need be mapped at an
/// address, and advice stays when memory is unmapped and other memory is mapped in its place.
/// It is never necessary for a correct result, so a driver may ignore any of it.
///
/// # Invariants
///
/// `inner` is a `bindings::hmm_attributes` that its constructor has initialised; it stays where
/// it is until it is dropped.
///
/// # Examples
///
/// ```
/// use kernel::{
///     hmm::{
///         attributes::{
///             Advice,
///             Attribute,
///             Attributes, //
///         },
///         Span, //
///     },
///     page::PAGE_SIZE,
///     prelude::*,
///     sync::Arc, //
/// };
///
/// let attributes = Arc::pin_init(Attributes::new(), GFP_KERNEL)?;
/// let buffer = Span::new(16 * PAGE_SIZE, 32 * PAGE_SIZE);
///
/// // A program advises that the first half is to be in the memory of device 0.
/// let half = Span::new(16 * PAGE_SIZE, 24 * PAGE_SIZE);
/// assert!(!attributes.any());
/// attributes.advise(half, Advice::SetPreferredLocation, 0)?;
/// assert!(attributes.any());
///
/// // A driver looks up what to do with the first pages of a fault.
/// let first = attributes.get(buffer);
/// assert_eq!(first.location(), 0);
/// assert_eq!(first.span().end(), half.end());
///
/// // What the device is going to access is to be mapped in advance, once.
/// attributes.advise(buffer, Advice::SetAccessedBy, Attribute::NOWHERE)?;
/// assert_eq!(attributes.take_stale().pages(), 8);
/// assert_eq!(attributes.take_stale().pages(), 8);
/// assert_eq!(attributes.take_stale().pages(), 0);
///
/// // What was invalidated is to be mapped again.
/// attributes.invalidate(Span::new(20 * PAGE_SIZE, 21 * PAGE_SIZE));
/// assert_eq!(attributes.take_stale().start(), 20 * PAGE_SIZE);
/// # Ok::<(), Error>(())
/// ```
#[pin_data(PinnedDrop)]
pub struct Attributes {
    #[pin]
    inner: Opaque<bindings::hmm_attributes>,
}

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Attributes {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Attributes {}

impl Attributes {
    /// Initialise attributes, without any advice.
    pub fn new() -> impl PinInit<Self> {
        let inner = Opaque::ffi_init(move |slot: *mut bindings::hmm_attributes| {
            // SAFETY: `slot` is storage for a `struct hmm_attributes` that does not move.
            unsafe { bindings::hmm_attributes_init(slot) }
        });
        pin_init!(Self {
            inner <- inner,
        })
    }

    /// Returns a raw pointer to the `bindings::hmm_attributes`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::hmm_attributes {
        self.inner.get()
    }

    /// Gives or withdraws advice about a span of addresses. `location` is the number of a
    /// device or [`Attribute::SYSTEM`] with [`Advice::SetPreferredLocation`], and otherwise
    /// [`Attribute::NOWHERE`].
    ///
    /// Other advice about the same addresses stays. On an error nothing has changed. The memory
    /// that is needed is charged to the memory cgroup of the current task.
    ///
    /// # Errors
    ///
    /// Fails with `EINVAL` for a span that is empty, reversed or not page aligned, or a
    /// location that does not fit the advice; `ENOSPC` if there would be more than 65536 ranges
    /// with different attributes; `ENOMEM`; `EINTR` when the process is being killed.
    ///
    /// May sleep.
    #[inline]
    pub fn advise(&self, span: Span, advice: Advice, location: i32) -> Result {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_attributes`.
        to_result(unsafe {
            bindings::hmm_attributes_advise(
                self.as_raw(),
                span.0,
                advice as bindings::hmm_advice,
                location,
            )
        })
    }

    /// Looks up the attributes of the first address of a span. [`Attribute::span`] has the
    /// first addresses of `span` that all have them. If they change meanwhile, these are the
    /// old ones or the new ones.
    #[inline]
    pub fn get(&self, span: Span) -> Attribute {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_attributes`.
        let value = unsafe { bindings::hmm_attributes_get(self.as_raw(), span.0) };
        Attribute(value)
    }

    /// Notes that addresses were invalidated. Those that the device is going to access
    /// ([`Advice::SetAccessedBy`]) are stale then.
    ///
    /// For [`Operations::invalidate`](crate::hmm::mirror::Operations::invalidate). Never
    /// sleeps.
    #[inline]
    pub fn invalidate(&self, span: Span) {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_attributes`.
        unsafe { bindings::hmm_attributes_invalidate(self.as_raw(), span.0) }
    }

    /// Takes the next stale addresses, which are to be mapped in advance: a driver maps what is
    /// present there, in sections with [`Access::Present`](crate::hmm::Access::Present), before
    /// its device accesses it. Returns an empty span if there are none.
    ///
    /// They are not stale any more. Addresses between two that were invalidated may be among
    /// them, although they are still mapped. An invalidation while the driver maps them makes
    /// them stale again, so a driver that repeats this until nothing is stale limits how often.
    #[inline]
    pub fn take_stale(&self) -> Span {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_attributes`.
        let value = unsafe { bindings::hmm_attributes_take_stale(self.as_raw()) };
        Span(value)
    }

    /// Whether there is any advice.
    ///
    /// Returns false if no advice has been given, or all was withdrawn. Advice that is given
    /// meanwhile makes stale itself what the device is going to access.
    #[inline]
    pub fn any(&self) -> bool {
        // SAFETY: By the type's invariants `self` is a valid `struct hmm_attributes`.
        unsafe { bindings::hmm_attributes_any(self.as_raw()) }
    }
}

#[pinned_drop]
impl PinnedDrop for Attributes {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The object was initialised by its constructor, is ended once, here, and nothing
        // can reach it after (`destructor` of `hmm_attributes_exit`).
        unsafe { bindings::hmm_attributes_exit(self.inner.get()) };
    }
}
