// SPDX-License-Identifier: GPL-2.0

//! Functions, and macros that a contract declares as functions.

use super::Attribute;
use super::CType;
use super::Contract;
use super::Doc;
use crate::source::Span;

/// A function, or the signature of a callback.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its parameters, in order.
    pub params: Vec<Parameter>,
    /// The type of the result.
    pub ret: CType,
    /// Whether it is `static inline`, so that there is no symbol to link to.
    pub inline: bool,
    /// Whether it takes `...`.
    pub variadic: bool,
    /// Its contract.
    pub contract: Contract,
    /// Attribute macros around the declaration.
    pub attributes: Vec<Attribute>,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The name in the first declaration.
    pub span: Span,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name; `argN` when it has none.
    pub name: String,
    /// Its type.
    pub ty: CType,
    /// Its contract.
    pub contract: Contract,
    /// The declaration.
    pub span: Span,
}

impl Function {
    /// Add the contract and the attributes of a redeclaration.
    pub(super) fn merge(&mut self, again: Function) {
        self.inline |= again.inline;
        self.attributes.extend(again.attributes);
        if self.contract.is_empty() && !again.contract.is_empty() {
            // Contracts refer to parameters by the names of the declaration under contract.
            for (old, new) in self.params.iter_mut().zip(again.params) {
                old.name = new.name;
                old.span = new.span;
                old.contract.merge(new.contract);
            }
        }
        self.contract.merge(again.contract);
    }

    /// The attribute macro of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.name == name)
    }

    /// The first attribute macro that has one of those names.
    pub fn attribute_of(&self, names: &[&str]) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|a| names.contains(&a.name.as_str()))
    }

    /// The attribute that makes parameter `index`, counted from 0, non-NULL: `nonnull` lists parameters,
    /// counted from 1, or applies to all.
    pub fn nonnull(&self, index: usize) -> Option<&Attribute> {
        let names = ["__nonnull_args", "__nonnull__", "nonnull"];
        let place = (index + 1).to_string();
        self.attributes
            .iter()
            .filter(|a| names.contains(&a.name.as_str()))
            .find(|a| a.args.is_empty() || a.args.contains(&place))
    }
}
