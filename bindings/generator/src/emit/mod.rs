// SPDX-License-Identifier: GPL-2.0

//! Last phase: text.
//!
//! [`rust`] writes the module for the `kernel` crate, [`helpers`] the shims for what Rust cannot
//! link to, [`c`] the typed header, [`abi`] the proof that both sides mean the same, [`report`]
//! what was left out and why.

pub mod abi;
pub mod c;
pub mod format;
pub mod helpers;
pub mod prose;
pub mod report;
pub mod rust;
