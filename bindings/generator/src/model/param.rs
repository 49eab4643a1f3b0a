// SPDX-License-Identifier: GPL-2.0

//! Parameters, and how long the callee uses a pointer.

use super::clauses::first_name;
use super::clauses::integer_tag;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::terms::Term;
use crate::read::CType;
use crate::read::Contract;
use crate::read::Parameter;
use crate::source::Span;

/// The clause of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// None.
    Plain,
    /// `borrows`: a pointer that is used for the call only.
    Borrows,
    /// `keeps`: the callee keeps the pointer until the object ends.
    Keeps,
    /// `kept`, `kept(param)`: what the constructor's parameter of that name kept.
    Kept(String),
    /// `outlives`: it is valid for longer than the object that the constructor makes.
    Outlives,
    /// `slice(len)`: an array whose length is the parameter of that name.
    Slice(String),
    /// The length of the slice of that name.
    LengthOf(String),
    /// `identity`: an address that is compared and never dereferenced.
    Identity,
    /// `out`: the callee writes a value there, which the caller need not initialise.
    Out,
    /// `cookie`: the value that the lock returned, for the unlock.
    Cookie,
    /// `callback("Trait")`: a callback.
    Callback,
    /// Of a `put` that calls back: the function for the last reference, which is the typed side's own.
    Release,
    /// `closure`: the address that C gives to the callbacks, which is the object's.
    Closure,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type in C.
    pub ty: CType,
    /// Its clause.
    pub kind: Kind,
    /// `nullable`
    pub nullable: bool,
    /// `nonnull`, or an attribute in C: it is never NULL.
    pub nonnull: bool,
    /// `tagged(tag)`: the type of the integer.
    pub int_type: Option<String>,
    /// `slice(len, type)`: what a `void *` points to.
    pub element: Option<String>,
    /// `out(one)`: of a pointer to bytes, that C writes one.
    pub one: bool,
    /// The declaration.
    pub span: Span,
}

impl Param {
    /// The structure of the object that a constructor gives out by this parameter.
    pub fn made(&self) -> Option<&str> {
        match self.ty.plain() {
            CType::Pointer { to, .. } if self.kind == Kind::Out => to.pointee_record(),
            _ => None,
        }
    }
}

/// Make a parameter from what the read phase found.
pub(super) fn lower(param: &Parameter, diagnostics: &mut Diagnostics) -> Param {
    let mut clauses = Clauses::new('p', &param.contract, param.span);
    let nullable = clauses.flag("nullable", diagnostics);
    let nonnull = clauses.flag("nonnull", diagnostics);
    let int_type = integer_tag(&mut clauses, diagnostics);
    let element = element(&param.contract);
    let one = one(&param.contract);
    let kind = kind(param, &mut clauses, diagnostics);
    if kind == Kind::Cookie {
        integer_needed(param, diagnostics);
    } else if kind != Kind::Plain {
        pointer_needed(param, &kind, diagnostics);
    }
    if nonnull && (nullable || !matches!(param.ty.plain(), CType::Pointer { .. })) {
        diagnostics.push(not_nonnull(param));
    }
    clauses.finish(diagnostics);
    Param {
        name: param.name.clone(),
        ty: param.ty.clone(),
        kind,
        nullable,
        nonnull,
        int_type,
        element,
        one,
        span: param.span,
    }
}

/// Whether the contract has `out(one)`.
fn one(contract: &Contract) -> bool {
    let out = |term: &&Term| term.name() == Some("out");
    let stated = contract.terms.iter().find(out);
    stated.is_some_and(|term| term.args.iter().any(|arg| arg.name() == Some("one")))
}

/// The type of the elements that `slice(len, type)` states.
pub(super) fn element(contract: &Contract) -> Option<String> {
    let slice = |term: &&Term| term.name() == Some("slice");
    let stated = contract.terms.iter().find(slice)?.args.get(1)?;
    stated.name().map(str::to_owned)
}

/// What a parameter is by its clause.
fn kind(param: &Parameter, clauses: &mut Clauses, diagnostics: &mut Diagnostics) -> Kind {
    if clauses.flag("keeps", diagnostics) {
        Kind::Keeps
    } else if let Some(term) = clauses.take("kept") {
        Kind::Kept(first_name(term).unwrap_or_else(|| param.name.clone()))
    } else if clauses.flag("outlives", diagnostics) {
        Kind::Outlives
    } else if clauses.flag("borrows", diagnostics) {
        Kind::Borrows
    } else if clauses.flag("identity", diagnostics) {
        Kind::Identity
    } else if one(&param.contract) && clauses.take("out").is_some()
        || clauses.flag("out", diagnostics)
    {
        Kind::Out
    } else if clauses.flag("cookie", diagnostics) {
        Kind::Cookie
    } else if clauses.flag("closure", diagnostics) {
        Kind::Closure
    } else if let Some(term) = clauses.take("slice") {
        match first_name(term) {
            Some(length) => Kind::Slice(length),
            None => {
                diagnostics.push(
                    Diagnostic::error(
                        term.span,
                        "`slice` does not name its length",
                        "expected `slice(len)`",
                    )
                    .help("name the parameter that holds the number of elements"),
                );
                Kind::Plain
            }
        }
    } else if clauses.take("callback").is_some() {
        Kind::Callback
    } else {
        Kind::Plain
    }
}

/// `nonnull` where there is no pointer, or one that may be NULL.
fn not_nonnull(param: &Parameter) -> Diagnostic {
    Diagnostic::error(
        param.contract.span.unwrap_or(param.span),
        format!("`{}` cannot be `nonnull`", param.name),
        "expected on a pointer that is not `nullable`",
    )
    .help("remove `nonnull`")
}

fn integer_needed(param: &Parameter, diagnostics: &mut Diagnostics) {
    if matches!(param.ty.plain(), CType::Int(_)) {
        return;
    }
    diagnostics.push(
        Diagnostic::error(
            param.contract.span.unwrap_or(param.span),
            format!("`cookie` is for a number, and `{}` is not one", param.name),
            "expected on an integer",
        )
        .help("remove `cookie`, or move it to the number that the lock returned"),
    );
}

fn pointer_needed(param: &Parameter, kind: &Kind, diagnostics: &mut Diagnostics) {
    if matches!(param.ty.plain(), CType::Pointer { .. }) {
        return;
    }
    let clause = match kind {
        Kind::Keeps => "keeps",
        Kind::Kept(_) => "kept",
        Kind::Outlives => "outlives",
        Kind::Slice(_) => "slice",
        Kind::Identity => "identity",
        Kind::Borrows => "borrows",
        Kind::Out => "out",
        Kind::Closure => "closure",
        _ => "callback",
    };
    if let CType::Array(..) | CType::Flexible(_) = param.ty.plain() {
        diagnostics.push(
            Diagnostic::error(
                param.contract.span.unwrap_or(param.span),
                format!("`{}` is an array in its declaration, whose length C does not check", param.name),
                "expected a pointer",
            )
            .help("put a static inline under contract that takes a pointer with `slice(len)` and compares the length"),
        );
        return;
    }
    diagnostics.push(
        Diagnostic::error(
            param.contract.span.unwrap_or(param.span),
            format!(
                "`{clause}` is for a pointer, and `{}` is not one",
                param.name
            ),
            "expected on a parameter that is a pointer",
        )
        .help(format!(
            "remove `{clause}`, or move it to the pointer that it describes"
        )),
    );
}
