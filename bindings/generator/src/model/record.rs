// SPDX-License-Identifier: GPL-2.0

//! Records: plain data, copied from place to place.

use super::clauses::first_name;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::CType;
use crate::read::Doc;
use crate::read::Field;
use crate::read::Record;
use crate::source::Span;

/// A record.
#[derive(Clone, Debug)]
pub struct Plain {
    /// The tag of its structure.
    pub tag: String,
    /// Its name on the typed side.
    pub name: String,
    /// `confined`: values of it may not leave the section they come from.
    pub confined: bool,
    /// Its members; those that are `hidden` are left out.
    pub members: Vec<Member>,
    /// Whether members are hidden.
    pub partial: bool,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The tag.
    pub span: Span,
}

/// A member of a record.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its type in C.
    pub ty: CType,
    /// `flags(tag)` or `tagged(tag)`: the word that it holds.
    pub word: Option<String>,
    /// `confined("Name")`: the type of its values, which mean something in their section only.
    pub confined: Option<String>,
    /// The name.
    pub span: Span,
}

/// Makes a record of a structure whose contract says so.
pub(super) fn lower(
    record: &Record,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Plain> {
    let (name, _) = clauses.named("record", diagnostics)?;
    let confined = clauses.flag("confined", diagnostics);
    let mut members = Vec::new();
    for field in &record.fields {
        members.extend(member(field, confined, diagnostics));
    }
    if !record.complete {
        diagnostics.push(
            Diagnostic::error(
                record.span,
                format!("the fields of `struct {}` are not known", record.name),
                "expected its definition",
            )
            .help("include the header that defines it"),
        );
    }
    Some(Plain {
        tag: record.name.clone(),
        name,
        confined,
        partial: members.len() != record.fields.len(),
        members,
        doc: record.doc.clone(),
        span: record.span,
    })
}

fn member(field: &Field, inside: bool, diagnostics: &mut Diagnostics) -> Option<Member> {
    let mut clauses = Clauses::new('d', &field.contract, field.span);
    let hidden = clauses.flag("hidden", diagnostics);
    let confined = clauses.named("confined", diagnostics);
    if let Some((_, term)) = confined.as_ref().filter(|_| !inside) {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                "a confined member of a record that is not",
                "expected a record whose values come from a section",
            )
            .help("say `confined` of the record too"),
        );
    }
    if let Some((_, term)) = confined.as_ref().filter(|_| !matches!(field.ty.plain(), CType::Int(_))) {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                "only a number can be confined by itself",
                "expected an integer",
            )
            .help("say `confined` of the record that the member is"),
        );
    }
    let mut word = None;
    for kind in ["flags", "tagged"] {
        let Some(term) = clauses.take(kind) else { continue };
        word = first_name(term);
        if word.is_none() {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    format!("`{kind}` on a field names no word"),
                    format!("expected `{kind}(tag)`"),
                )
                .help("name the enumeration or typedef that declares the word"),
            );
        }
    }
    clauses.finish(diagnostics);
    (!hidden).then(|| Member {
        name: field.name.clone(),
        ty: field.ty.clone(),
        word,
        confined: confined.map(|(name, _)| name),
        span: field.span,
    })
}
