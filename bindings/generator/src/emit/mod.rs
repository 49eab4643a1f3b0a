// SPDX-License-Identifier: GPL-2.0

//! Last phase: text.
//!
//! [`rust`] writes the module for the `kernel` crate, [`helpers`] the shims for functions that Rust
//! cannot link to, [`c`] the typed header, [`abi`] assertions that both sides have the same layouts
//! and values, [`report`] the declarations that were left out, with reasons.

pub mod abi;
pub mod account;
pub mod c;
pub mod format;
pub mod helpers;
pub mod prose;
pub mod report;
pub mod rust;

/// `CamelCase` as `camel_case`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.char_indices() {
        if c.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
