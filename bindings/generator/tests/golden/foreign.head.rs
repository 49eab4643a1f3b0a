// SPDX-License-Identifier: GPL-2.0

/// What the kernel crate would have already.
pub mod foreign {
    /// A `struct space`.
    pub struct Space(kernel::types::Opaque<crate::bindings::space>);

    impl Space {
        /// The C side's pointer.
        pub fn as_raw(&self) -> *mut crate::bindings::space {
            self.0.get()
        }
    }

    /// A `struct pit`, which is counted.
    #[repr(transparent)]
    pub struct Pit(kernel::types::Opaque<crate::bindings::pit>);

    // SAFETY: For the compiler's eyes only; nothing is run.
    unsafe impl Send for Pit {}

    // SAFETY: As above.
    unsafe impl Sync for Pit {}

    // SAFETY: As above.
    unsafe impl kernel::sync::aref::AlwaysRefCounted for Pit {
        fn inc_ref(&self) {}
        unsafe fn dec_ref(_pit: core::ptr::NonNull<Self>) {}
    }

    impl Pit {
        /// The C side's pointer.
        pub fn as_raw(&self) -> *mut crate::bindings::pit {
            self.0.get()
        }
    }

    /// One that is open, for as long as it is.
    pub struct Open<'a>(&'a Pit);

    impl From<&Open<'_>> for kernel::sync::aref::ARef<Pit> {
        fn from(open: &Open<'_>) -> Self {
            open.0.into()
        }
    }
}
