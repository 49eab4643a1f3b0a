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
}
