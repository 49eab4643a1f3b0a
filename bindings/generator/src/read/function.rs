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
    /// What it returns.
    pub ret: CType,
    /// Whether it is `static inline`, so that there is no symbol to link to.
    pub inline: bool,
    /// Whether it takes `...`.
    pub variadic: bool,
    /// What it promises.
    pub contract: Contract,
    /// Attribute macros around the declaration.
    pub attributes: Vec<Attribute>,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The name, where it is declared first.
    pub span: Span,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name; `argN` when it has none.
    pub name: String,
    /// Its type.
    pub ty: CType,
    /// What is promised about it.
    pub contract: Contract,
    /// The declaration.
    pub span: Span,
}

impl Function {
    /// Adds what a redeclaration says.
    pub(super) fn merge(&mut self, again: Function) {
        self.inline |= again.inline;
        self.attributes.extend(again.attributes);
        if self.contract.is_empty() && !again.contract.is_empty() {
            // The parameters' names are those that the contract speaks of.
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
        self.attributes.iter().find(|a| names.contains(&a.name.as_str()))
    }

    /// What says that a parameter, counted from 0, is not NULL: `nonnull` names them, counted from 1,
    /// or means all.
    pub fn nonnull(&self, index: usize) -> Option<&Attribute> {
        let names = ["__nonnull_args", "__nonnull__", "nonnull"];
        let place = (index + 1).to_string();
        self.attributes
            .iter()
            .filter(|a| names.contains(&a.name.as_str()))
            .find(|a| a.args.is_empty() || a.args.contains(&place))
    }
}
