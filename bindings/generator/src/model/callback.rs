// SPDX-License-Identifier: GPL-2.0

//! One callback.

use super::clauses::first_name;
use super::clauses::integer_tag;
use super::clauses::Clauses;
use super::errno;
use super::errno::Errno;
use super::function::context;
use super::function::must_hold;
use super::function::Context;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::ir;
use crate::read::terms::Value;
use crate::read::Function;
use crate::read::Parameter;
use crate::source::Span;

/// How a callback sees the user's data; settled by the check phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelfKind {
    /// `&mut self`: it runs under that guard, the exclusive one of the data.
    Exclusive(String),
    /// `&self`: the data has no lock of its own.
    Shared,
    /// The object itself: the data must be locked first.
    Object,
}

/// What C gives to a callback, by which it finds its object; settled by the check phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reached {
    /// The object.
    #[default]
    Object,
    /// `member(path)`: a member of the object, with the tag of its structure.
    Member {
        /// The member.
        path: String,
        /// Its structure.
        tag: String,
    },
    /// `closure`: the object's address, as a `void *`.
    Closure,
}

/// A pointer to the first of `1 << order` in a row.
#[derive(Clone, Debug)]
pub struct Block {
    /// The parameter with the pointer.
    pub pointer: String,
    /// The parameter with the order.
    pub order: String,
    /// `reads`, or a pointer to const: the callback must not write to it.
    pub reads: bool,
}

/// A callback.
#[derive(Clone, Debug)]
pub struct Callback {
    /// Its signature.
    pub signature: Function,
    /// Whether the table must have it.
    pub required: bool,
    /// The guard that is held while it runs.
    pub requires: Option<(String, Span)>,
    /// How it fails.
    pub errno: Option<Errno>,
    /// `plain`: its integer result is a number, not an error.
    pub plain: bool,
    /// Where it runs.
    pub context: Context,
    /// `block(pointer, order)`: those pointers are to the first of `1 << order` in a row.
    pub blocks: Vec<Block>,
    /// `member(path)`: it is given a pointer to that member of the object.
    pub member: Option<String>,
    /// What it is given.
    pub reached: Reached,
    /// Which parameter that is.
    pub object_at: usize,
    /// `object`: it is given the object, not the data.
    pub whole: bool,
    /// How it sees the user's data.
    pub this: SelfKind,
    /// The parameters after the object; settled by the check phase.
    pub typed: Vec<ir::Type>,
    /// The result; settled by the check phase.
    pub gives: ir::Type,
    /// Its kernel-doc.
    pub doc: Option<String>,
}

/// Makes a callback of a field, or of a parameter, that is a pointer to a function.
pub(super) fn lower(
    signature: &Function,
    doc: Option<&String>,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Callback> {
    if signature.variadic {
        diagnostics.push(variadic(signature));
    }
    let required = clauses.take("required");
    let optional = clauses.take("optional");
    match (required, optional) {
        (Some(_), Some(term)) => diagnostics.push(
            Diagnostic::error(
                term.span,
                format!("`{}` cannot be both required and optional", signature.name),
                "expected one of the two",
            )
            .help("remove `optional`"),
        ),
        (None, None) => {
            diagnostics.push(
                Diagnostic::error(
                    clauses.span,
                    format!(
                        "the contract does not state whether a table must have `{}`",
                        signature.name
                    ),
                    "expected `required` or `optional`",
                )
                .help("write `required` if C calls it without a test for NULL"),
            );
            return None;
        }
        _ => {}
    }
    let signature = &with_params(signature, clauses, diagnostics);
    for param in &signature.params {
        given(param, diagnostics);
    }
    let requires = clauses.take("requires");
    let requires = requires.and_then(|term| Some((first_name(term)?, term.span)));
    let requires = requires.or_else(|| must_hold(signature));
    Some(Callback {
        required: required.is_some(),
        requires,
        errno: errno::lower(clauses, diagnostics),
        plain: clauses.flag("plain", diagnostics),
        context: context(clauses, diagnostics),
        blocks: blocks(signature, clauses, diagnostics),
        member: member(clauses, diagnostics),
        reached: Reached::default(),
        object_at: 0,
        whole: clauses.flag("object", diagnostics),
        this: SelfKind::Shared,
        typed: Vec::new(),
        gives: ir::Type::default(),
        doc: doc.cloned(),
        signature: signature.clone(),
    })
}

/// Rust has no function with which it could be called, and no value for a table that has one.
pub(super) fn variadic(signature: &Function) -> Diagnostic {
    Diagnostic::error(
        signature.span,
        format!("`{}` takes a variable number of arguments", signature.name),
        "expected a callback with a fixed signature",
    )
    .help("remove the structure, or the parameter, from the contract")
}

/// Take `param(number, clauses...)`: clauses on a parameter of a callback whose type is a typedef, where none can stand.
fn with_params(
    signature: &Function,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Function {
    let mut signature = signature.clone();
    while let Some(term) = clauses.take("param") {
        let number = match term.args.first().map(|arg| &arg.value) {
            Some(Value::Number(number)) => usize::try_from(*number).ok(),
            _ => None,
        };
        let at = number.and_then(|number| signature.params.get_mut(number.checked_sub(1)?));
        match (at, term.args.get(1..)) {
            (Some(param), Some(stated)) if !stated.is_empty() => {
                param.contract.terms.extend(stated.iter().cloned());
                param.contract.span.get_or_insert(term.span);
            }
            _ => diagnostics.push(
                Diagnostic::error(
                    term.span,
                    format!(
                        "`param` states nothing about a parameter of `{}`",
                        signature.name
                    ),
                    "expected `param(number, clauses...)`, which counts from 1",
                )
                .help("write `param(3, identity)` for the third"),
            ),
        }
    }
    signature
}

/// Refuse clauses on a parameter that mean nothing there. The check phase looks at the others.
fn given(param: &Parameter, diagnostics: &mut Diagnostics) {
    let mut clauses = Clauses::new('c', &param.contract, param.span);
    for clause in ["identity", "closure", "owned", "nonnull", "borrows"] {
        clauses.flag(clause, diagnostics);
    }
    integer_tag(&mut clauses, diagnostics);
    clauses.finish(diagnostics);
}

/// Take `member(path)`.
fn member(clauses: &mut Clauses<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let term = clauses.take("member")?;
    let path = term
        .args
        .first()
        .and_then(|arg| arg.name())
        .filter(|path| !path.contains(['>', ':']));
    if path.is_none() {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                "`member` does not name a member of the object",
                "expected `member(path)`",
            )
            .help("name the member that the callback gets a pointer to: `member(work)`, `member(base.work)`"),
        );
    }
    path.map(str::to_owned)
}

fn blocks(
    signature: &Function,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    let param = |name: &str| signature.params.iter().find(|param| param.name == name);
    while let Some(term) = clauses.take("block") {
        let names: Vec<&str> = term.args.iter().filter_map(|arg| arg.name()).collect();
        let (names, reads) = match names[..] {
            [pointer, order, "reads"] => (Some((pointer, order)), true),
            [pointer, order] => (Some((pointer, order)), false),
            _ => (None, false),
        };
        let found = names.and_then(|(pointer, order)| Some((param(pointer)?, param(order)?)));
        match found {
            Some((pointer, order)) => blocks.push(Block {
                pointer: pointer.name.clone(),
                order: order.name.clone(),
                reads: reads || pointer.ty.is_const_pointer(),
            }),
            None => diagnostics.push(
                Diagnostic::error(
                    term.span,
                    format!(
                        "`block` does not name two parameters of `{}`",
                        signature.name
                    ),
                    "expected `block(pointer, order)` or `block(pointer, order, reads)`",
                )
                .help("name the pointer to the first and the parameter with the order"),
            ),
        }
    }
    blocks
}

impl Callback {
    /// The block that a parameter points to.
    pub fn block_at(&self, pointer: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.pointer == pointer)
    }

    /// Whether the contract of a parameter has a clause.
    fn states(&self, name: &str, clause: &str) -> bool {
        let mut params = self.signature.params.iter();
        params
            .find(|param| param.name == name)
            .is_some_and(|param| {
                let mut terms = param.contract.terms.iter();
                terms.any(|term| term.name() == Some(clause))
            })
    }

    /// `owned`: whether what a parameter points to belongs to the callback from then on.
    pub fn owns(&self, name: &str) -> bool {
        self.states(name, "owned")
    }

    /// `borrows`: whether what a parameter points to is valid for the call.
    pub fn borrows(&self, name: &str) -> bool {
        self.states(name, "borrows")
    }

    /// `nonnull`, or C's attribute: whether a parameter is never NULL.
    pub fn never_null(&self, name: &str) -> bool {
        let stated = |param: &Parameter| {
            param
                .contract
                .terms
                .iter()
                .any(|term| term.name() == Some("nonnull"))
        };
        let index = self
            .signature
            .params
            .iter()
            .position(|param| param.name == name);
        index.is_some_and(|at| {
            stated(&self.signature.params[at]) || self.signature.nonnull(at).is_some()
        })
    }

    /// The name of its method. `#[vtable]` makes a constant of it, so it is not a raw identifier: a keyword of Rust has an
    /// underscore, as bindgen's fields have.
    pub fn method(&self) -> String {
        let name = &self.signature.name;
        match syn::parse_str::<syn::Ident>(name) {
            Ok(_) => name.clone(),
            Err(_) => format!("{name}_"),
        }
    }

    /// The parameter by which the object is found.
    pub fn object(&self) -> &Parameter {
        &self.signature.params[self.object_at]
    }

    /// The other parameters.
    pub fn others(&self) -> impl Iterator<Item = &Parameter> {
        let at = self.object_at;
        self.signature
            .params
            .iter()
            .enumerate()
            .filter(move |(index, _)| *index != at)
            .map(|(_, param)| param)
    }

    /// Whether a parameter is the order of a block, which the block knows.
    pub fn is_order(&self, param: &str) -> bool {
        self.blocks.iter().any(|block| block.order == param)
    }
}
