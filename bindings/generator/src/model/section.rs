// SPDX-License-Identifier: GPL-2.0

//! Sections: code that runs on data which is good only between a check and an unlock.

use super::clauses::argument;
use super::clauses::first_name;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::CType;
use crate::read::Doc;
use crate::read::Record;
use crate::source::Span;

/// Who runs the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// C does: `enter` returns true while there is something to do, `leave` ends it.
    Entered,
    /// The caller does: `begin` gives a sequence number, `check` tells whether it still holds.
    Sequence,
}

/// A section.
#[derive(Clone, Debug)]
pub struct Section {
    /// The tag of the structure that holds its state, or for a sequence that of the object.
    pub tag: String,
    /// Its name on the typed side.
    pub name: String,
    /// The tag of the object it belongs to.
    pub of: String,
    /// `holds(Guard)`: the guard that is held inside.
    pub holds: Option<(String, Span)>,
    /// The name of the function that runs one.
    pub method: String,
    /// The fields that the caller gives, in order.
    pub given: Vec<Given>,
    /// Who runs it.
    pub protocol: Protocol,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The tag.
    pub span: Span,
}

/// A field that the caller gives.
#[derive(Clone, Debug)]
pub struct Given {
    /// The field's name.
    pub field: String,
    /// Its name on the typed side.
    pub name: String,
    /// Its type.
    pub ty: CType,
    /// `optional`: zero is a good value.
    pub optional: bool,
    /// The name.
    pub span: Span,
}

/// Makes a section of a structure whose contract says so.
pub(super) fn lower(
    record: &Record,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Section> {
    let (name, term) = clauses.named("section", diagnostics)?;
    let Some(of) = argument(term, "of").and_then(first_name) else {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                "a section does not say what it is a section of",
                "expected `section(\"Name\", of(tag), ...)`",
            )
            .help("name the structure of the object: of(hmm_mirror)"),
        );
        return None;
    };
    let holds = argument(term, "holds").and_then(|arg| Some((first_name(arg)?, arg.span)));
    let method = argument(term, "method").and_then(first_name);
    let mut given = Vec::new();
    for field in &record.fields {
        let mut clauses = Clauses::new('d', &field.contract, field.span);
        if clauses.flag("given", diagnostics) {
            let optional = clauses.flag("optional", diagnostics);
            given.push(Given {
                field: field.name.clone(),
                name: field.name.clone(),
                ty: field.ty.clone(),
                optional,
                span: field.span,
            });
        }
        clauses.finish(diagnostics);
    }
    Some(Section {
        tag: record.name.clone(),
        method: method.unwrap_or_else(|| "section".to_owned()),
        name,
        of,
        holds,
        given,
        protocol: Protocol::Entered,
        doc: record.doc.clone(),
        span: record.span,
    })
}
