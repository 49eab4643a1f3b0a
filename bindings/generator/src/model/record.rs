// SPDX-License-Identifier: GPL-2.0

//! Records: plain data, passed by value.

use super::clauses::first_name;
use super::clauses::integer_tag;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::ir;
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
    /// The types of all of its fields.
    pub fields: Vec<CType>,
    /// Whether it has a pointer, which is valid only as long as the object it was read from; set by the check phase.
    pub pointers: bool,
    /// Whether members are hidden, or are arrays of variable length.
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
    /// Its type, or its element's, on the typed side; set by the check phase.
    pub typed: ir::Type,
    /// `flags(tag)` or `tagged(tag)`: the type of the integer.
    pub int_type: Option<String>,
    /// `confined("Name")`: the type of its values, which are meaningful in their section only.
    pub confined: Option<String>,
    /// `slice(len)` or `__counted_by(len)`: the member that holds its length.
    pub counted: Option<String>,
    /// Whether the contract names it (`slice`).
    pub sliced: bool,
    /// `slice(len, type)`: what a `void *` points to.
    pub element: Option<String>,
    /// Whether that one is a signed integer.
    pub signed: bool,
    /// The name.
    pub span: Span,
}

impl Plain {
    /// Whether it has arrays or pointers, which are valid as long as the object it was read from: not copyable.
    pub fn by_reference(&self) -> bool {
        self.pointers || self.has_slices()
    }

    /// Whether the typed side can make one of its members.
    pub fn is_made_in_rust(&self) -> bool {
        !self.confined && !self.partial && !self.by_reference()
    }

    /// Whether it has arrays.
    pub fn has_slices(&self) -> bool {
        self.members.iter().any(|member| member.counted.is_some())
    }
}

/// Make a record from a structure with a `record` clause.
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
    for member in &mut members {
        length_needed(record, member, diagnostics);
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
        fields: record.fields.iter().map(|field| field.ty.clone()).collect(),
        pointers: false,
        partial: members.len() != record.fields.len(),
        members,
        doc: record.doc.clone(),
        span: record.span,
    })
}

pub(super) fn member(field: &Field, inside: bool, diagnostics: &mut Diagnostics) -> Option<Member> {
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
            .help("add `confined` to the record, too"),
        );
    }
    if let Some((_, term)) = confined
        .as_ref()
        .filter(|_| !matches!(field.ty.plain(), CType::Int(_)))
    {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                "only a number can be confined by itself",
                "expected an integer",
            )
            .help("put `confined` on the record that is the member's type"),
        );
    }
    let int_type = integer_tag(&mut clauses, diagnostics);
    let mut counted = field
        .attribute_arg(&["__counted_by", "__counted_by_ptr"])
        .map(|(name, _)| name.to_owned());
    let slice = clauses.take("slice");
    let sliced = slice.is_some();
    if let Some(term) = slice {
        counted = first_name(term).or(counted);
        if term.args.is_empty() {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    "`slice` does not name its length",
                    "expected `slice(len)`",
                )
                .help("name the member that holds the number of elements"),
            );
        }
    }
    clauses.finish(diagnostics);
    (!hidden).then(|| Member {
        name: field.name.clone(),
        ty: field.ty.clone(),
        typed: ir::Type::default(),
        int_type,
        element: super::param::element(&field.contract),
        counted,
        sliced,
        signed: false,
        confined: confined.map(|(name, _)| name),
        span: field.span,
    })
}

pub(super) fn length_needed(record: &Record, member: &mut Member, diagnostics: &mut Diagnostics) {
    let Some(length) = &member.counted else {
        return;
    };
    let found = record.field(length).map(|field| field.ty.plain());
    member.signed = matches!(found, Some(CType::Int(int)) if int.starts_with('i'));
    if !matches!(found, Some(CType::Int(_))) {
        diagnostics.push(
            Diagnostic::error(
                member.span,
                format!("`struct {}` has no integer `{length}`", record.name),
                "expected the member that holds the number of elements",
            )
            .help("name another member of the same structure"),
        );
    }
    if !matches!(
        member.ty.plain(),
        CType::Pointer { .. } | CType::Flexible(_)
    ) {
        diagnostics.push(
            Diagnostic::error(
                member.span,
                format!("`{}` is not an array of variable length", member.name),
                "expected a pointer, or a flexible array",
            )
            .help("remove `slice`"),
        );
    }
}
