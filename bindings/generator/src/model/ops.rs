// SPDX-License-Identifier: GPL-2.0

//! Ops tables: structures of callbacks, and single callbacks passed as a parameter.

use super::callback;
use super::callback::Callback;
use super::clauses::first_name;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read;
use crate::read::terms::Term;
use crate::read::terms::Value;
use crate::read::CType;
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
                let doc = record
                    .doc
                    .as_ref()
                    .and_then(|doc| doc.members.get(&field.name));
                let Some(callback) = callback::lower(signature, doc, &mut clauses, diagnostics)
                else {
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
            (Some(signature), true) if signature.variadic => {
                diagnostics.push(callback::variadic(signature));
            }
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

/// A single callback: a parameter, or a field that is `given`.
pub(super) struct Single<'a> {
    /// The function that takes it, or the field with its structure.
    pub tag: String,
    /// The parameter or the field.
    pub name: &'a str,
    /// Its type.
    pub ty: &'a CType,
    /// Its signature with the names of its parameters, where C has them.
    pub signature: Option<&'a read::Function>,
    /// `callback("Trait", method, ...)`.
    pub term: &'a Term,
    /// Its kernel-doc.
    pub doc: Option<&'a String>,
    /// The declaration.
    pub span: Span,
}

impl Single<'_> {
    /// Make a table with one entry.
    pub fn lower(self, diagnostics: &mut Diagnostics) -> Option<Table> {
        let (name, method) = match (
            first_name(self.term),
            self.term.args.get(1).and_then(Term::name),
        ) {
            (Some(name), Some(method)) => (name, method.to_owned()),
            _ => {
                diagnostics.push(
                    Diagnostic::error(
                        self.term.span,
                        "`callback` does not name a trait and a method",
                        "expected `callback(\"Trait\", method, ...)`",
                    )
                    .help("write `callback(\"Operations\", run, atomic)`"),
                );
                return None;
            }
        };
        let Some(signature) = self.signature(method) else {
            diagnostics.push(
                Diagnostic::error(
                    self.span,
                    match self.ty.spell().contains("...") {
                        true => format!("`{}` takes a variable number of arguments", self.name),
                        false => format!("`{}` is not a pointer to a function", self.name),
                    },
                    "expected a callback",
                )
                .help("remove `callback`"),
            );
            return None;
        };
        let mut terms = self.term.args[2..].to_vec();
        let mut required = self.term.clone();
        required.value = Value::Name("required".into());
        required.args.clear();
        terms.push(required);
        let contract = read::Contract {
            terms,
            span: Some(self.term.span),
        };
        let mut clauses = Clauses::new('d', &contract, self.span);
        let callback = callback::lower(&signature, self.doc, &mut clauses, diagnostics);
        clauses.finish(diagnostics);
        Some(Table {
            tag: self.tag,
            name,
            callbacks: callback.into_iter().collect(),
            single: true,
            doc: None,
            span: self.span,
        })
    }

    fn signature(&self, method: String) -> Option<read::Function> {
        if let Some(known) = self.signature {
            return Some(read::Function {
                name: method,
                contract: read::Contract::default(),
                ..known.clone()
            });
        }
        let (ret, types) = signature(self.ty)?;
        let params = types
            .into_iter()
            .enumerate()
            .map(|(index, ty)| read::Parameter {
                name: format!("arg{index}"),
                ty,
                contract: read::Contract::default(),
                span: self.span,
            });
        Some(read::Function {
            name: method,
            params: params.collect(),
            ret,
            inline: false,
            variadic: false,
            contract: read::Contract::default(),
            attributes: Vec::new(),
            doc: None,
            span: self.span,
        })
    }
}

fn signature(ty: &CType) -> Option<(CType, Vec<CType>)> {
    match ty.plain() {
        CType::Pointer { to, .. } => signature(to),
        CType::Function { ret, params } => Some(((**ret).clone(), params.clone())),
        _ => None,
    }
}
