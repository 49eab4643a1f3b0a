// SPDX-License-Identifier: GPL-2.0

//! Errors: results that are zero, or a negative error of a list.

use super::clauses::argument;
use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::terms::Term;
use crate::read::terms::Value;

/// `errno`, `errno(-EINVAL, -ENOMEM, retry(-EBUSY))`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errno {
    /// The listed errors, without the minus.
    pub errors: Vec<String>,
    /// The errors after which the caller repeats the call.
    pub retry: Vec<String>,
}

/// Take `errno` from a contract.
pub(super) fn lower(clauses: &mut Clauses<'_>, diagnostics: &mut Diagnostics) -> Option<Errno> {
    let term = clauses.take("errno")?;
    let mut errno = Errno::default();
    for arg in &term.args {
        match &arg.value {
            Value::Errno(name) => errno.errors.push(name.clone()),
            Value::Name(name) if name == "retry" => {}
            _ => diagnostics.push(not_an_error(arg)),
        }
    }
    if let Some(retry) = argument(term, "retry") {
        for arg in &retry.args {
            match &arg.value {
                Value::Errno(name) => errno.retry.push(name.clone()),
                _ => diagnostics.push(not_an_error(arg)),
            }
        }
        if retry.args.is_empty() {
            diagnostics.push(
                Diagnostic::error(
                    retry.span,
                    "`retry` names no error",
                    "expected `retry(-EBUSY)`",
                )
                .help("name the errors after which the caller repeats the call"),
            );
        }
    }
    Some(errno)
}

fn not_an_error(arg: &Term) -> Diagnostic {
    let help = match arg.name() {
        Some(name) if name.starts_with('E') => format!("write `-{name}`, as C returns it"),
        _ => "write errno(-EINVAL, retry(-EBUSY)), or errno alone".to_owned(),
    };
    Diagnostic::error(
        arg.span,
        "this is not an error",
        "expected an error such as -EBUSY",
    )
    .help(help)
}
