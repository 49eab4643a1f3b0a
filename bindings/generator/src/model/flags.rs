// SPDX-License-Identifier: GPL-2.0

//! Flag sets: enumerations whose values are combined with `|`.

use super::choice;
use super::choice::Variant;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::Doc;
use crate::read::Enumeration;
use crate::source::Span;

/// A flag set.
#[derive(Clone, Debug)]
pub struct FlagSet {
    /// The tag of its enumeration.
    pub tag: String,
    /// Its name on the typed side.
    pub name: String,
    /// The Rust integer type that holds it.
    pub int: &'static str,
    /// Whether the enumeration itself has another integer type.
    pub widened: bool,
    /// Its bits.
    pub bits: Vec<Variant>,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// The tag.
    pub span: Span,
}

/// Make a flag set from an enumeration with a `flags` clause.
pub(super) fn lower(
    found: &Enumeration,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<FlagSet> {
    let (name, _) = clauses.named("flags", diagnostics)?;
    let bits = choice::variants(found);
    for (constant, bit) in found.constants.iter().zip(&bits) {
        let twice = bits
            .iter()
            .find(|other| other.c != bit.c && other.value == bit.value);
        if let Some(other) = twice.filter(|other| other.c < bit.c) {
            diagnostics.push(
                Diagnostic::error(
                    constant.span,
                    format!("`{}` and `{}` are the same bit", other.c, bit.c),
                    "expected a bit of its own",
                )
                .help("an enumeration of values that exclude each other is a choice(...)"),
            );
        }
    }
    choice::same_name(found, &bits, |bit| bit.shout.clone(), diagnostics);
    Some(FlagSet {
        tag: found.name.clone(),
        name,
        int: storage_int(found),
        widened: storage_int(found) != found.int,
        bits,
        doc: found.doc.clone(),
        span: found.span,
    })
}

/// The integer type in which C code stores the flags: `unsigned long` if 32 bits are too few.
pub(super) fn storage_int(found: &Enumeration) -> &'static str {
    match found
        .constants
        .iter()
        .any(|constant| constant.value > u64::from(u32::MAX))
    {
        true => "usize",
        false => found.int,
    }
}
