// SPDX-License-Identifier: GPL-2.0

//! Choices: enumerations of mutually exclusive values.

use super::clauses::camel;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::terms::Term;
use crate::read::Doc;
use crate::read::Enumeration;
use crate::source::Span;

/// A choice.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The tag of its enumeration.
    pub tag: String,
    /// Its name on the typed side.
    pub name: String,
    /// The Rust integer type that holds it.
    pub int: &'static str,
    /// Its values.
    pub variants: Vec<Variant>,
    /// `open`: C may return values that are not listed.
    pub open: bool,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The tag.
    pub span: Span,
}

/// A value of a choice, or a bit of a flag set.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name in C.
    pub c: String,
    /// Its name without the common prefix, in CamelCase.
    pub name: String,
    /// The same in upper case.
    pub shout: String,
    /// Its value.
    pub value: u64,
    /// `hidden(CONSTANT)`: used by C only, or set by a section.
    pub hidden: bool,
}

/// Make a choice from an enumeration with a `choice` clause.
pub(super) fn lower(
    found: &Enumeration,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Choice> {
    let (name, _) = clauses.named("choice", diagnostics)?;
    let mut variants = variants(found);
    if let Some(term) = clauses.take("hidden") {
        hide(&mut variants, term, diagnostics);
    }
    let open = clauses.flag("open", diagnostics);
    let written = |variant: &Variant| match open {
        true => variant.shout.clone(),
        false => variant.name.clone(),
    };
    same_name(found, &variants, written, diagnostics);
    if !open && variants.iter().all(|variant| variant.hidden) {
        diagnostics.push(
            Diagnostic::error(
                found.span,
                format!("`enum {}` has no constants on the typed side", found.name),
                "expected one that is not hidden",
            )
            .help("include the header that defines it, or add `open`"),
        );
    }
    Some(Choice {
        tag: found.name.clone(),
        name,
        int: found.int,
        variants,
        open,
        doc: found.doc.clone(),
        span: found.span,
    })
}

/// Report constants that have one name on the typed side.
pub(super) fn same_name(
    found: &Enumeration,
    variants: &[Variant],
    written: impl Fn(&Variant) -> String,
    diagnostics: &mut Diagnostics,
) {
    let shown = |variant: &&Variant| !variant.hidden;
    for (at, variant) in variants.iter().enumerate() {
        let same = |other: &&Variant| written(other) == written(variant);
        let mut before = variants[..at].iter().filter(shown);
        if let Some(first) = before.find(same).filter(|_| !variant.hidden) {
            diagnostics.push(
                Diagnostic::error(
                    found.constants[at].span,
                    format!(
                        "`{}` and `{}` are both `{}` on the typed side",
                        first.c,
                        variant.c,
                        written(variant)
                    ),
                    "expected a name of its own",
                )
                .help("give one of the two another name; a choice can hide it: `hidden(CONSTANT)`"),
            );
        }
    }
}

/// The constants of an enumeration, without the prefix that all their names have.
pub(super) fn variants(found: &Enumeration) -> Vec<Variant> {
    let mut names: Vec<&str> = found.constants.iter().map(|c| c.name.as_str()).collect();
    let tag = found.name.to_ascii_uppercase();
    if names.len() == 1 {
        // The prefix of a single constant is what it has in common with the tag.
        names.push(&tag);
    }
    let prefix = common_prefix(&names);
    let variant = |constant: &crate::read::Constant| {
        let rest = &constant.name[prefix..];
        let rest = match rest.starts_with(|c: char| c.is_ascii_digit()) {
            true => format!("N{rest}"),
            false => rest.to_owned(),
        };
        Variant {
            c: constant.name.clone(),
            name: camel(&rest),
            shout: rest.to_ascii_uppercase(),
            value: constant.value,
            hidden: false,
        }
    };
    found.constants.iter().map(variant).collect()
}

/// Mark the constants that `hidden(...)` names.
fn hide(variants: &mut [Variant], term: &Term, diagnostics: &mut Diagnostics) {
    let mut named = false;
    for arg in &term.args {
        let wanted = arg.name().unwrap_or_default();
        match variants.iter_mut().find(|variant| variant.c == wanted) {
            Some(variant) => variant.hidden = true,
            None => diagnostics.push(
                Diagnostic::error(
                    arg.span,
                    format!("the enumeration has no constant `{wanted}`"),
                    "expected one of its constants",
                )
                .help("write its name as in C"),
            ),
        }
        named = true;
    }
    if !named {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                "`hidden` names no constant",
                "expected `hidden(CONSTANT)`",
            )
            .help("name the constants that the typed side must not have"),
        );
    }
}

/// The length of the prefix of all names, up to and including an underscore.
fn common_prefix(names: &[&str]) -> usize {
    let Some(first) = names.first() else { return 0 };
    let same = |at: usize| {
        names
            .iter()
            .all(|name| name.as_bytes().get(at) == first.as_bytes().get(at))
    };
    let length = (0..first.len()).take_while(|at| same(*at)).count();
    first[..length].rfind('_').map_or(0, |at| at + 1)
}
