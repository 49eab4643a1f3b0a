// SPDX-License-Identifier: GPL-2.0

//! Enumerations.

use super::Contract;
use super::Doc;
use crate::source::Span;

/// An enumeration.
#[derive(Clone, Debug)]
pub struct Enumeration {
    /// Its tag.
    pub name: String,
    /// Its constants, in order.
    pub constants: Vec<Constant>,
    /// The Rust name of the integer type that holds it.
    pub int: &'static str,
    /// Its contract.
    pub contract: Contract,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The tag.
    pub span: Span,
}

/// A constant of an enumeration.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its value, in two's complement.
    pub value: u64,
    /// Its contract.
    pub contract: Contract,
    /// The name.
    pub span: Span,
}
