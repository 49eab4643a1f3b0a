// SPDX-License-Identifier: GPL-2.0

//! Structures.

use super::Attribute;
use super::CType;
use super::Contract;
use super::Doc;
use super::Function;
use crate::source::Span;

/// A structure.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its tag.
    pub name: String,
    /// Its named fields, in order; empty if only a forward declaration was seen.
    pub fields: Vec<Field>,
    /// The names of fields that are in an anonymous structure or union in it, which contracts do not reach.
    pub inner: Vec<String>,
    /// Whether it was seen with its fields.
    pub complete: bool,
    /// Its contract.
    pub contract: Contract,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The tag, where it is declared.
    pub span: Span,
    /// From the first brace to the last, where it is defined.
    pub body: Option<Span>,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: CType,
    /// The signature, when it is a pointer to a function.
    pub callback: Option<Function>,
    /// Its contract.
    pub contract: Contract,
    /// Attribute macros around the declaration.
    pub attributes: Vec<Attribute>,
    /// The name.
    pub span: Span,
}

impl Field {
    /// The argument of the attribute macro that has one of those names.
    pub fn attribute_arg(&self, names: &[&str]) -> Option<(&str, Span)> {
        let found = self
            .attributes
            .iter()
            .find(|a| names.contains(&a.name.as_str()))?;
        Some((found.args.first()?, found.span))
    }
}

impl Record {
    /// Add the contract of a redeclaration.
    pub(super) fn merge(&mut self, again: Record) {
        if !self.complete && again.complete {
            self.fields = again.fields;
            self.complete = true;
            self.body = again.body;
            self.span = again.span;
        }
        self.contract.merge(again.contract);
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}
