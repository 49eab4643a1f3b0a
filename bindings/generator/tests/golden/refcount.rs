// SPDX-License-Identifier: GPL-2.0

//! Typed objects for `refcount.h`.
//!
//! Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.
//!
//! C header: [`include/refcount.h`](srctree/include/refcount.h)

use crate::{
    bindings,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::Opaque, //
};
use core::ptr::NonNull;

/// Something many point to.
///
/// # Invariants
///
/// A value of this type is a `bindings::node` with a reference count, reached by reference
/// only.
#[repr(transparent)]
pub struct Node(Opaque<bindings::node>);

// SAFETY: By the contract (`send`) it may be ended on another thread than it was made on.
unsafe impl Send for Node {}

// SAFETY: By the contract (`sync`) its functions may run on several threads at once.
unsafe impl Sync for Node {}

impl Node {
    /// Returns a raw pointer to the `bindings::node`.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::node {
        self.0.get()
    }

    /// Makes a reference of a raw pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a `bindings::node` that lives for all of `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::node) -> &'a Self {
        // SAFETY: The caller promises that the object lives for all of `'a`; the layouts are the
        // same by `repr(transparent)`.
        unsafe { &*ptr.cast() }
    }

    /// Look a node up.
    #[inline]
    pub fn find(key: usize) -> Option<ARef<Node>> {
        // SAFETY: The contract requires nothing of the caller.
        let ptr = NonNull::new(unsafe { bindings::node_find(key) })?;
        // SAFETY: By the contract (`owned`) the caller owns the reference.
        Some(unsafe { ARef::from_raw(ptr.cast()) })
    }

    /// The node above.
    ///
    /// Returns the parent; the root is its own.
    #[inline]
    pub fn parent(&self) -> &Node {
        // SAFETY: By the type's invariants `self` is a valid `struct node`.
        let ptr = unsafe { bindings::node_parent(self.as_raw()) };
        // SAFETY: By the contract the result is never NULL (`nonnull`).
        let ptr = unsafe { NonNull::new_unchecked(ptr) };
        // SAFETY: By the contract (`borrowed(node)`) it is valid as long as `self`.
        unsafe { <Node>::from_raw(ptr.as_ptr()) }
    }
}

// SAFETY: By the contract (`get`, `put`) every `struct node` has a count, and lives while it is
// not zero.
unsafe impl AlwaysRefCounted for Node {
    #[inline]
    fn inc_ref(&self) {
        // SAFETY: `self` is a reference, so the count is not zero.
        let _ = unsafe { bindings::node_get(self.as_raw()) };
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller passes on the reference that it owns.
        unsafe { bindings::node_put(obj.cast().as_ptr()) };
    }
}
