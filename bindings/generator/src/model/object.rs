// SPDX-License-Identifier: GPL-2.0

//! Objects: structures with an identity, reached by pointer only.

use super::clauses::argument;
use super::clauses::first_name;
use super::clauses::integer_tag;
use super::clauses::Clauses;
use super::lock::Sharing;
use super::ops;
use super::ops::Table;
use super::record;
use super::record::Member;
use super::section::Given;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::ir;
use crate::read::terms::Term;
use crate::read::Doc;
use crate::read::Field;
use crate::read::Record;
use crate::source::Span;

/// How the typed side holds an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// In place, pinned: constructor and destructor.
    Pinned,
    /// By counted reference: get and put.
    Counted,
    /// By a pointer that the constructor returned and the destructor takes.
    Owned,
    /// By a type that exists elsewhere.
    Foreign,
    /// By reference only: no function in the contracts makes or ends one.
    Borrowed,
}

/// An object.
#[derive(Clone, Debug)]
pub struct Object {
    /// The tag of its structure.
    pub tag: String,
    /// Its name on the typed side.
    pub name: String,
    /// How it is held; settled by the check phase.
    pub shape: Shape,
    /// `pinned`: it must not move.
    pub pinned: bool,
    /// `send`: it may be given to another thread.
    pub send: bool,
    /// `sync`: its functions may run on several threads at once.
    pub sync: bool,
    /// `foreign("path")`: the Rust type that exists for it already.
    pub foreign: Option<String>,
    /// `foreign("path", kept("path"))`: the counted type that a reference to it becomes when it is kept, if that is
    /// another.
    pub kept: Option<String>,
    /// `data(Guard = exclusive)`: it contains the user's data, reached through these guards.
    pub data: Vec<(String, Sharing)>,
    /// `data` alone: the user's data is only ever shared.
    pub plain_data: bool,
    /// `zeroed`: C expects the storage to be zero before the constructor runs.
    pub zeroed: bool,
    /// Fields that the caller sets before the constructor runs.
    pub given: Vec<Given>,
    /// Its members that are `constant`.
    pub constants: Vec<Constant>,
    /// Its members that a lock guards, by `__guarded_by`.
    pub guarded: Vec<Guarded>,
    /// The trait that its callbacks make, settled by the check phase.
    pub operations: Option<String>,
    /// The stages it goes through, in the order in which they are named; settled by the check phase.
    pub stages: Vec<String>,
    /// The parameter that its type has; settled by the check phase.
    pub generic: Option<ir::Generic>,
    /// The objects that it keeps references to; set by the check phase.
    pub keeps: Vec<ir::Kept>,
    /// Whether a table of callbacks is among its `given` fields; settled by the check phase.
    pub table: Option<String>,
    /// The function that takes another reference to its storage; settled by the check phase.
    pub cloned: Option<String>,
    /// The function that ends it, now or later, and then calls back; settled by the check phase.
    pub deferred: Option<String>,
    /// Whether it exists while a closure runs, which does not own it; settled by the check phase.
    pub scoped: bool,
    /// Whether its type has a lifetime, as something must outlive it or it is `scoped`; settled by the check phase.
    pub lifetime: bool,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The contract.
    pub contract: Span,
    /// The tag.
    pub span: Span,
}

/// A member that does not change while the object exists.
#[derive(Clone, Debug)]
pub struct Constant {
    /// The member.
    pub member: Member,
    /// Its kernel-doc.
    pub doc: Option<String>,
}

/// A member that a lock guards.
#[derive(Clone, Debug)]
pub struct Guarded {
    /// The member.
    pub member: Member,
    /// The lock, as C names it.
    pub lock: String,
    /// The guards of that lock; set by the check phase.
    pub guards: Vec<String>,
    /// Its kernel-doc.
    pub doc: Option<String>,
}

impl Object {
    /// Whether the type has a parameter for the user's data.
    pub fn is_generic(&self) -> bool {
        !self.data.is_empty() || self.plain_data || self.operations.is_some()
    }

    /// Whether several threads may have a reference to the user's data, each by a guard.
    pub fn shares_data(&self) -> bool {
        self.data
            .iter()
            .any(|(_, sharing)| *sharing == Sharing::Shared)
    }
}

/// Make an object from a structure with an `object` clause.
pub(super) fn lower(
    record: &Record,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Object> {
    let (name, _) = clauses.named("object", diagnostics)?;
    let pinned = clauses.flag("pinned", diagnostics);
    let send = clauses.flag("send", diagnostics);
    let sync = clauses.flag("sync", diagnostics);
    let zeroed = clauses.flag("zeroed", diagnostics);
    let foreign = clauses.named("foreign", diagnostics);
    let kept = foreign
        .as_ref()
        .and_then(|(_, term)| argument(term, "kept"));
    let kept = kept.and_then(|term| kept_type(term, diagnostics));
    let foreign = foreign.map(|(path, _)| path);
    let data = clauses.take("data");
    let plain_data = data.is_some_and(|term| term.args.is_empty());
    let data = data
        .map(|term| data_of(term, diagnostics))
        .unwrap_or_default();
    let given = record
        .fields
        .iter()
        .filter_map(|field| given(field, diagnostics))
        .collect();
    let guarded = match &foreign {
        Some(_) => Vec::new(),
        None => record
            .fields
            .iter()
            .filter_map(|field| guarded(record, field, diagnostics))
            .collect(),
    };
    let constants = record
        .fields
        .iter()
        .filter_map(|field| constant(record, field, diagnostics))
        .collect();
    Some(Object {
        given,
        constants,
        guarded,
        tag: record.name.clone(),
        name,
        shape: Shape::Borrowed,
        pinned,
        send,
        sync,
        foreign,
        kept,
        data,
        plain_data,
        zeroed,
        operations: None,
        stages: Vec::new(),
        generic: None,
        keeps: Vec::new(),
        table: None,
        deferred: None,
        cloned: None,
        scoped: false,
        lifetime: false,
        doc: record.doc.clone(),
        contract: clauses.span,
        span: record.span,
    })
}

/// The guards in `data(Guard = exclusive, ...)`.
fn data_of(term: &Term, diagnostics: &mut Diagnostics) -> Vec<(String, Sharing)> {
    let mut data = Vec::new();
    for arg in &term.args {
        let sharing = arg.equals.as_deref().and_then(|right| right.name());
        match (arg.name(), sharing) {
            (Some(guard), Some("exclusive")) => data.push((guard.to_owned(), Sharing::Exclusive)),
            (Some(guard), Some("shared")) => data.push((guard.to_owned(), Sharing::Shared)),
            _ => diagnostics.push(
                Diagnostic::error(
                    arg.span,
                    "`data` does not state what the guard allows",
                    "expected `Guard = exclusive` or `Guard = shared`",
                )
                .help("write `data(Guard = exclusive)`"),
            ),
        }
    }
    data
}

/// The path in `kept("path")`.
fn kept_type(term: &Term, diagnostics: &mut Diagnostics) -> Option<String> {
    let path = first_name(term).filter(|path| syn::parse_str::<syn::Path>(path).is_ok());
    if path.is_none() {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                "`kept` does not name a type",
                "expected `kept(\"path\")`, a path in Rust",
            )
            .help("for example, write `kept(\"crate::device::Device\")`"),
        );
    }
    path
}

fn is_given(field: &Field) -> bool {
    field
        .contract
        .terms
        .iter()
        .any(|term| term.name() == Some("given"))
}

fn given(field: &Field, diagnostics: &mut Diagnostics) -> Option<Given> {
    if !is_given(field) {
        return None;
    }
    let mut clauses = Clauses::new('d', &field.contract, field.span);
    clauses.flag("given", diagnostics);
    let name = clauses.take("name").and_then(first_name);
    let callback = clauses
        .take("callback")
        .and_then(|term| term.args.get(1)?.name().map(str::to_owned));
    let tag = integer_tag(&mut clauses, diagnostics);
    clauses.finish(diagnostics);
    Some(Given {
        field: field.name.clone(),
        name: name.unwrap_or_else(|| field.name.clone()),
        ty: field.ty.clone(),
        tag,
        typed: ir::Type::default(),
        callback,
        optional: false,
        span: field.span,
    })
}

fn is_constant(field: &Field) -> bool {
    field
        .contract
        .terms
        .iter()
        .any(|term| term.name() == Some("constant"))
}

fn constant(record: &Record, field: &Field, diagnostics: &mut Diagnostics) -> Option<Constant> {
    if !is_constant(field) || is_given(field) {
        return None;
    }
    let mut rest = field.clone();
    let mut clauses = Clauses::new('d', &field.contract, field.span);
    clauses.flag("constant", diagnostics);
    let first = rest
        .contract
        .terms
        .iter()
        .position(|term| term.name() == Some("constant"));
    first.map(|first| rest.contract.terms.remove(first));
    let mut member = record::member(&rest, false, diagnostics)?;
    record::length_needed(record, &mut member, diagnostics);
    let doc = record
        .doc
        .as_ref()
        .and_then(|doc| doc.members.get(&field.name))
        .cloned();
    Some(Constant { member, doc })
}

/// The callbacks among the fields that are `given`: each is a table with one entry.
pub(super) fn callbacks(record: &Record, diagnostics: &mut Diagnostics) -> Vec<Table> {
    let mut tables = Vec::new();
    for field in record.fields.iter().filter(|field| is_given(field)) {
        let Some(term) = field
            .contract
            .terms
            .iter()
            .find(|term| term.name() == Some("callback"))
        else {
            continue;
        };
        let doc = record
            .doc
            .as_ref()
            .and_then(|doc| doc.members.get(&field.name));
        let found = ops::Single {
            tag: format!("{}.{}", record.name, field.name),
            name: &field.name,
            ty: &field.ty,
            signature: field.callback.as_ref(),
            term,
            doc,
            span: field.span,
        };
        tables.extend(found.lower(diagnostics));
    }
    tables
}

fn guarded(record: &Record, field: &Field, diagnostics: &mut Diagnostics) -> Option<Guarded> {
    let lock = field
        .attribute_arg(&["__guarded_by"])
        .map(|(lock, _)| lock.to_owned());
    let lock = lock.filter(|_| field.callback.is_none());
    if lock.is_none() && field.contract.is_empty() || is_given(field) || is_constant(field) {
        return None;
    }
    let member = record::member(field, false, diagnostics)?;
    let doc = record
        .doc
        .as_ref()
        .and_then(|doc| doc.members.get(&field.name))
        .cloned();
    Some(Guarded {
        member,
        lock: lock?,
        guards: Vec::new(),
        doc,
    })
}
