// SPDX-License-Identifier: GPL-2.0

//! Stages: the order in which functions may be called on an object.

use super::clauses::camel;
use super::clauses::is_type_name;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::terms::Term;
use crate::read::terms::Value;
use crate::source::Span;

/// The stage of the object of a function.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The stage in which the function may be called; for a constructor, the stage in which the object begins.
    pub of: String,
    /// The next stage of the object, if the function changes it.
    pub next: Option<String>,
    /// The clause.
    pub span: Span,
}

/// Take `stage("Of")` or `stage("Of", "Next")` from a contract.
pub(super) fn lower(clauses: &mut Clauses<'_>, diagnostics: &mut Diagnostics) -> Option<Stage> {
    let term = clauses.take("stage")?;
    let names: Vec<&str> = term
        .args
        .iter()
        .filter_map(|arg| name(arg, diagnostics))
        .collect();
    match names[..] {
        [of] => Some(Stage {
            of: of.into(),
            next: None,
            span: term.span,
        }),
        [of, next] if of != next => Some(Stage {
            of: of.into(),
            next: Some(next.into()),
            span: term.span,
        }),
        _ => {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    "`stage` does not name one or two stages",
                    "expected `stage(\"Stage\")`, or `stage(\"Before\", \"After\")`",
                )
                .help("name the stage in which the function may be called, and the one it leads to if that is another"),
            );
            None
        }
    }
}

fn name<'a>(term: &'a Term, diagnostics: &mut Diagnostics) -> Option<&'a str> {
    let (Value::Text(name) | Value::Name(name)) = &term.value else {
        return None;
    };
    if !is_type_name(name) {
        diagnostics.push(
            Diagnostic::error(
                term.span,
                format!("`{name}` is not a valid name for a stage"),
                "expected a name in CamelCase",
            )
            .help(format!("write `\"{}\"`", camel(name))),
        );
    }
    Some(name)
}
