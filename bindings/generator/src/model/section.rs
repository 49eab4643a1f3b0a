// SPDX-License-Identifier: GPL-2.0

//! Sections: code with data that is valid only between a check and an unlock.

use super::clauses::argument;
use super::clauses::first_name;
use super::clauses::integer_tag;
use super::clauses::Clauses;
use super::function::Role;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::ir;
use crate::read::terms::Term;
use crate::read::terms::Value;
use crate::read::CType;
use crate::read::Doc;
use crate::read::Field;
use crate::read::Record;
use crate::source::Span;

/// The side that runs the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// C: `enter` returns true in each round, `leave` ends the section.
    Entered,
    /// The caller: `begin` returns a sequence number, `check` whether it has changed.
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
    /// `set(field = CONSTANT)`: fields that have the same value in all sections of this kind.
    pub set: Vec<Set>,
    /// Storage that the caller provides.
    pub room: Option<Room>,
    /// The side that runs its protocol.
    pub protocol: Protocol,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The text about its method in Rust, where there is one of its own.
    pub text: Option<Doc>,
    /// The tag.
    pub span: Span,
}

impl Section {
    /// Whether it has the items of an iterator in that role.
    pub fn shows(&self, role: &Role) -> bool {
        match role {
            Role::Iterator(iteration) => iteration
                .of
                .as_ref()
                .is_none_or(|(name, _)| *name == self.name),
            _ => false,
        }
    }
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
    /// The tag of the integer, if it has a type of its own.
    pub tag: Option<String>,
    /// The same on the typed side; settled by the check phase.
    pub typed: ir::Type,
    /// `callback("Trait", method, ...)`: the method, when it is a single callback.
    pub callback: Option<String>,
    /// `optional`: zero is a valid value.
    pub optional: bool,
    /// The name.
    pub span: Span,
}

/// `room(length, COUNT)` of a pointer: it points to an array that lives as long as the section and is not
/// initialised.
#[derive(Clone, Debug)]
pub struct Room {
    /// The pointer's field.
    pub field: String,
    /// The type that it points to.
    pub elem: CType,
    /// The field with the number of elements.
    pub length: String,
    /// Its type.
    pub length_ty: CType,
    /// The number of elements: the name of a constant.
    pub count: String,
}

/// A field that has one value in all sections of a kind.
#[derive(Clone, Debug)]
pub struct Set {
    /// The field's name.
    pub field: String,
    /// Its type.
    pub ty: CType,
    /// The constant.
    pub constant: String,
    /// The clause.
    pub span: Span,
}

/// A field that the caller sets, and the sections that have it if not all do.
struct GivenField {
    given: Given,
    only: Vec<String>,
}

/// Make the sections of a structure, one for each `section` clause.
pub(super) fn lower(
    record: &Record,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Section> {
    let mut sections = Vec::new();
    while let Some((name, term)) = clauses.named("section", diagnostics) {
        sections.extend(one(record, name, term, diagnostics));
    }
    if sections.is_empty() {
        return sections;
    }
    let names: Vec<String> = sections
        .iter()
        .map(|section| section.name.clone())
        .collect();
    let room = record
        .fields
        .iter()
        .find_map(|field| room(record, field, diagnostics));
    let fields: Vec<GivenField> = record
        .fields
        .iter()
        .filter_map(|field| given_field(field, &names, diagnostics))
        .collect();
    for section in &mut sections {
        let to = |field: &&GivenField| field.only.is_empty() || field.only.contains(&section.name);
        let free =
            |field: &&GivenField| section.set.iter().all(|set| set.field != field.given.field);
        section.room.clone_from(&room);
        section.given = fields
            .iter()
            .filter(to)
            .filter(free)
            .map(|field| field.given.clone())
            .collect();
    }
    sections
}

fn one(
    record: &Record,
    name: String,
    term: &Term,
    diagnostics: &mut Diagnostics,
) -> Option<Section> {
    let Some(of) = argument(term, "of").and_then(first_name) else {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                "a section does not name its object",
                "expected `section(\"Name\", of(tag), ...)`",
            )
            .help("name the structure of the object: of(hmm_mirror)"),
        );
        return None;
    };
    let holds = argument(term, "holds").and_then(|arg| Some((first_name(arg)?, arg.span)));
    let method = argument(term, "method").and_then(first_name);
    let set = argument(term, "set")
        .map(|term| set(record, term, diagnostics))
        .unwrap_or_default();
    Some(Section {
        tag: record.name.clone(),
        method: method.unwrap_or_else(|| "section".to_owned()),
        name,
        of,
        holds,
        given: Vec::new(),
        set,
        room: None,
        protocol: Protocol::Entered,
        doc: record.doc.clone(),
        text: None,
        span: record.span,
    })
}

fn given_field(
    field: &Field,
    names: &[String],
    diagnostics: &mut Diagnostics,
) -> Option<GivenField> {
    let mut clauses = Clauses::new('d', &field.contract, field.span);
    let term = clauses.take("given");
    let optional = term.is_some() && clauses.flag("optional", diagnostics);
    clauses.take("room");
    let tag = term.and_then(|_| integer_tag(&mut clauses, diagnostics));
    clauses.finish(diagnostics);
    let mut only = Vec::new();
    for arg in &term?.args {
        let (Value::Text(name) | Value::Name(name)) = &arg.value else {
            continue;
        };
        if !names.contains(name) {
            let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            diagnostics.push(
                Diagnostic::error(
                    arg.span,
                    format!("the structure has no section `{name}`"),
                    "expected the name of a section whose state it is",
                )
                .help(format!("its sections are {}", known.join(", "))),
            );
        }
        only.push(name.clone());
    }
    let given = Given {
        field: field.name.clone(),
        name: field.name.clone(),
        ty: field.ty.clone(),
        tag,
        typed: ir::Type::default(),
        callback: None,
        optional,
        span: field.span,
    };
    Some(GivenField { given, only })
}

fn room(record: &Record, field: &Field, diagnostics: &mut Diagnostics) -> Option<Room> {
    let term = field
        .contract
        .terms
        .iter()
        .find(|term| term.name() == Some("room"))?;
    let names: Vec<&str> = term.args.iter().filter_map(Term::name).collect();
    let length = names.first().and_then(|name| record.field(name));
    let integer = length.filter(|length| matches!(length.ty.plain(), CType::Int(_)));
    let elem = match field.ty.plain() {
        CType::Pointer {
            to,
            constant: false,
        } => Some(to.as_ref()),
        _ => None,
    };
    let elem = elem.filter(|to| matches!(to.plain(), CType::Int(_)));
    match (elem, integer, names.as_slice()) {
        (Some(elem), Some(length), [_, count]) => Some(Room {
            field: field.name.clone(),
            elem: elem.clone(),
            length: length.name.clone(),
            length_ty: length.ty.clone(),
            count: (*count).to_owned(),
        }),
        _ => {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    format!("`{}` does not state the size of its array", field.name),
                    "expected `room(field, CONSTANT)` on a pointer to integers that are written",
                )
                .help(format!(
                    "name the field of `struct {}` that has the number of elements, and the constant \
                     for that number",
                    record.name
                )),
            );
            None
        }
    }
}

fn set(record: &Record, term: &Term, diagnostics: &mut Diagnostics) -> Vec<Set> {
    let mut found = Vec::new();
    for arg in &term.args {
        let constant = arg.equals.as_deref().and_then(|right| right.name());
        let field = arg.name().and_then(|name| record.field(name));
        match (field, constant) {
            (Some(field), Some(constant)) => found.push(Set {
                field: field.name.clone(),
                ty: field.ty.clone(),
                constant: constant.to_owned(),
                span: arg.span,
            }),
            _ => diagnostics.push(
                Diagnostic::error(
                    arg.span,
                    "`set` does not assign a constant to a field",
                    format!(
                        "expected `field = CONSTANT`, with a field of `struct {}`",
                        record.name
                    ),
                )
                .help("for example, write `set(access = FOO_ACCESS_WRITE)`"),
            ),
        }
    }
    found
}
