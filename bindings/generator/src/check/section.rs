// SPDX-License-Identifier: GPL-2.0

//! Sections: every part of the protocol exists.

use super::lock;
use super::types;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Protocol;
use crate::model::Role;
use crate::model::Section;
use crate::model::Sharing;
use crate::read::CType;

/// Check the sections.
pub(super) fn check(api: &mut Api, diagnostics: &mut Diagnostics) {
    shown(api, diagnostics);
    for section in &api.sections {
        of_object(api, section, diagnostics);
        match section.protocol {
            Protocol::Entered => {
                let first = api
                    .section(&section.tag)
                    .is_some_and(|first| first.name == section.name);
                entered(api, section, first, diagnostics);
                constants(api, section, diagnostics);
            }
            Protocol::Sequence => sequence(api, section, diagnostics),
        }
    }
}

fn of_object(api: &Api, section: &Section, diagnostics: &mut Diagnostics) {
    if api.object(&section.of).is_none() {
        diagnostics.push(
            Diagnostic::error(
                section.span,
                format!("`struct {}` is not an object", section.of),
                "expected the tag of the object that it is a section of",
            )
            .help(format!("put `object(...)` on `struct {}`", section.of)),
        );
    }
    let other = api.object(&section.of).is_some_and(|object| {
        object.foreign.is_some() || api.module(object.span) != api.module(section.span)
    });
    if other {
        diagnostics.push(
            Diagnostic::error(
                section.span,
                format!("`struct {}` has its methods elsewhere", section.of),
                "expected an object that this header makes",
            )
            .help("put the section under contract where its object is"),
        );
    }
    let Some((guard, span)) = &section.holds else {
        return;
    };
    if !lock::guards(api).contains(&(guard.clone(), section.of.clone())) {
        diagnostics.push(
            Diagnostic::error(
                *span,
                format!("`{guard}` is not a guard of `struct {}`", section.of),
                "expected a guard that a `lock(...)` of that object declares",
            )
            .help("name the guard that is held inside"),
        );
    }
    let shared = api.object(&section.of).is_some_and(|object| {
        let shared =
            |(name, sharing): &(String, Sharing)| name == guard && *sharing == Sharing::Shared;
        object.data.iter().any(shared)
    });
    if shared && section.protocol == Protocol::Entered {
        diagnostics.push(
            Diagnostic::error(
                *span,
                format!(
                    "a section changes the data, and others read it while they have a `{guard}`"
                ),
                "expected a guard that is `exclusive` in `data`, or that is not there",
            )
            .help("hold the exclusive guard inside, or take this one out of `data`"),
        );
    }
}

/// Check that the values that a section sets are values of the fields.
fn constants(api: &Api, section: &Section, diagnostics: &mut Diagnostics) {
    for set in &section.set {
        let choice = match set.ty.plain() {
            CType::Enum(tag) => api.choice(tag),
            _ => None,
        };
        let Some(choice) = choice else {
            diagnostics.push(
                Diagnostic::error(
                    set.span,
                    format!("`{}` is not a choice", set.field),
                    "expected a field whose enumeration is under contract",
                )
                .help("put `choice(\"Name\")` on the enumeration"),
            );
            continue;
        };
        if !choice
            .variants
            .iter()
            .any(|variant| variant.c == set.constant)
        {
            let known: Vec<&str> = choice
                .variants
                .iter()
                .map(|variant| variant.c.as_str())
                .collect();
            diagnostics.push(
                Diagnostic::error(
                    set.span,
                    format!("`enum {}` has no constant `{}`", choice.tag, set.constant),
                    "expected one of its constants",
                )
                .help(format!("its constants are {}", known.join(", "))),
            );
        }
    }
}

/// Check that the section of an iterator exists.
fn shown(api: &Api, diagnostics: &mut Diagnostics) {
    for function in &api.functions {
        let Role::Iterator(iteration) = &function.role else {
            continue;
        };
        let Some((name, span)) = &iteration.of else {
            continue;
        };
        let of = |section: &&Section| Some(&section.tag) == function.owner.as_ref();
        let known: Vec<&str> = api
            .sections
            .iter()
            .filter(of)
            .map(|section| section.name.as_str())
            .collect();
        if !known.contains(&name.as_str()) {
            diagnostics.push(
                Diagnostic::error(
                    *span,
                    format!(
                        "`{}` iterates over a section `{name}` that does not exist",
                        function.c
                    ),
                    "expected the name of a section whose state it takes",
                )
                .help(format!("the sections are: {}", known.join(", "))),
            );
        }
    }
}

fn entered(api: &Api, section: &Section, first: bool, diagnostics: &mut Diagnostics) {
    for (role, clause, what) in [
        (Role::Enter, "enter", "enters the next round"),
        (Role::Leave, "leave", "ends it, inside a round or not"),
        (Role::Outcome, "outcome", "returns how it ended"),
    ] {
        if first
            && api
                .one_in_role(&section.tag, |found| *found == role)
                .is_none()
        {
            diagnostics.push(
                Diagnostic::error(
                    section.span,
                    format!("the section `{}` has no `{clause}`", section.name),
                    format!(
                        "expected a function of `struct {}` with `{clause}`",
                        section.tag
                    ),
                )
                .help(format!("put `{clause}` on the function that {what}")),
            );
        }
    }
    for given in &section.given {
        let ty = types::of(api, &given.ty, given.tag.as_deref());
        let free = ty.and_then(|ty| match types::is_address(api, &ty) {
            true => Err(types::Why::new(
                "any address could be given, also one of memory that others use",
                "make it a field that C sets, and pass the address to a function with `unsafe(\"...\")`",
            )),
            false => Ok(()),
        });
        if let Err(why) = free {
            diagnostics.push(
                Diagnostic::error(given.span, why.reason, "expected a type under contract")
                    .help(why.remedy),
            );
        }
    }
}

fn sequence(api: &Api, section: &Section, diagnostics: &mut Diagnostics) {
    let wanted = Role::Check(section.name.clone());
    if api
        .one_in_role(&section.of, |role| *role == wanted)
        .is_none()
    {
        diagnostics.push(
            Diagnostic::error(
                section.span,
                format!("no function checks the sequence of `{}`", section.name),
                "this begins one",
            )
            .help(format!(
                "put `check(\"{}\")` on the function that returns whether it changed",
                section.name
            )),
        );
    }
    let has_data = api
        .object(&section.of)
        .is_some_and(|object| !object.data.is_empty());
    if has_data && section.holds.is_none() {
        diagnostics.push(
            Diagnostic::error(
                section.span,
                format!(
                    "`{}` does not state which guard is held when the sequence is checked",
                    section.name
                ),
                "expected `holds(Guard)`",
            )
            .help("data may be reached only under a guard: begin(\"Name\", holds(Guard))"),
        );
    }
}
