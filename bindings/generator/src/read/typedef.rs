// SPDX-License-Identifier: GPL-2.0

//! Typedefs.

use super::CType;
use super::Contract;
use super::Doc;
use crate::source::Span;

/// A typedef under contract.
#[derive(Clone, Debug)]
pub struct Typedef {
    /// Its name.
    pub name: String,
    /// The type that it names.
    pub is: CType,
    /// Its contract.
    pub contract: Contract,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The name.
    pub span: Span,
}
