// SPDX-License-Identifier: GPL-2.0

//! Ops tables: structures of callbacks, and single callbacks passed as a parameter.

use super::callback;
use super::callback::Callback;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::Doc;
use crate::read::Record;
use crate::source::Span;

/// A table of callbacks.
#[derive(Clone, Debug)]
pub struct Table {
    /// The tag of its structure; for a single callback the name of the function that takes it.
    pub tag: String,
    /// The name of the trait.
    pub name: String,
    /// Its callbacks.
    pub callbacks: Vec<Callback>,
    /// Whether it is a single callback passed as a parameter, not a structure.
    pub single: bool,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The tag.
    pub span: Span,
}

impl Table {
    /// Its declaration in C: the structure, or the function that takes the single callback.
    pub fn declared_as(&self) -> String {
        match self.single {
            true => self.tag.clone(),
            false => format!("struct {}", self.tag),
        }
    }
}

/// Make a table from a structure with an `ops` clause.
pub(super) fn lower(
    record: &Record,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    let (name, _) = clauses.named("ops", diagnostics)?;
    let mut callbacks = Vec::new();
    for field in &record.fields {
        let mut clauses = Clauses::new('d', &field.contract, field.span);
        match (&field.callback, field.contract.is_empty()) {
            (Some(signature), false) => {
                let doc = record.doc.as_ref().and_then(|doc| doc.members.get(&field.name));
                let Some(callback) = callback::lower(signature, doc, &mut clauses, diagnostics) else {
                    continue;
                };
                callbacks.push(callback);
                clauses.finish(diagnostics);
            }
            (None, false) => diagnostics.push(
                Diagnostic::error(
                    field.span,
                    format!("`{}` is not a pointer to a function", field.name),
                    "expected a callback",
                )
                .help("remove the contract: fields that are not callbacks stay zero"),
            ),
            _ => {}
        }
    }
    if callbacks.is_empty() && !diagnostics.has_errors() {
        diagnostics.push(
            Diagnostic::error(
                record.span,
                format!("no callback of `struct {}` is under contract", record.name),
                "expected `required` or `optional` on its fields",
            )
            .help("write `__contract(required)` or `__contract(optional)` after each callback"),
        );
    }
    Some(Table {
        tag: record.name.clone(),
        name,
        callbacks,
        single: false,
        doc: record.doc.clone(),
        span: record.span,
    })
}
