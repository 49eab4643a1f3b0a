// SPDX-License-Identifier: GPL-2.0

//! Tagged integers: a value and flags in one integer, with functions that extract the parts.

use super::choice;
use super::choice::Variant;
use super::clauses::Clauses;
use super::flags::storage_int;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::CType;
use crate::read::Doc;
use crate::read::Enumeration;
use crate::read::Typedef;
use crate::source::Span;

/// A tagged integer.
#[derive(Clone, Debug)]
pub struct Tagged {
    /// The tag of the enumeration of its flags, or the name of the typedef.
    pub tag: String,
    /// Its name on the typed side.
    pub name: String,
    /// The Rust integer type that holds it.
    pub int: &'static str,
    /// Whether the enumeration itself has another integer type.
    pub widened: bool,
    /// Its flags: the constants with a single bit.
    pub bits: Vec<Variant>,
    /// Whether the bits are constants of `enum tag`.
    pub of_enum: bool,
    /// Its kernel-doc.
    pub doc: Option<Doc>,
    /// Where it is declared.
    pub span: Span,
}

/// Make a tagged integer from the enumeration of its flags.
pub(super) fn of_enum(
    found: &Enumeration,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Tagged> {
    let (name, _) = clauses.named("tagged", diagnostics)?;
    let bits = choice::variants(found)
        .into_iter()
        .filter(|bit| bit.value.is_power_of_two());
    let mut single: Vec<Variant> = Vec::new();
    for bit in bits {
        // Shifts and input flags may have the value of another bit; the first name is kept.
        if !single.iter().any(|known| known.value == bit.value) && !bit.c.contains("SHIFT") {
            single.push(bit);
        }
    }
    Some(Tagged {
        tag: found.name.clone(),
        name,
        int: storage_int(found),
        widened: storage_int(found) != found.int,
        bits: single,
        of_enum: true,
        doc: found.doc.clone(),
        span: found.span,
    })
}

/// Make a tagged integer from a typedef of an integer.
pub(super) fn of_typedef(
    typedef: &Typedef,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Tagged> {
    let (name, term) = clauses.named("tagged", diagnostics)?;
    let CType::Int(int) = typedef.is.plain() else {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                format!("`{}` is not an integer", typedef.name),
                "expected on a typedef of an integer type",
            )
            .help("a tagged integer is one integer; a structure may be a record(...)"),
        );
        return None;
    };
    Some(Tagged {
        tag: typedef.name.clone(),
        name,
        int,
        widened: false,
        bits: Vec::new(),
        of_enum: false,
        doc: typedef.doc.clone(),
        span: typedef.span,
    })
}
