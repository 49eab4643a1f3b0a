// SPDX-License-Identifier: GPL-2.0

//! `field(name, ...)`: clauses for a field in the contract of its structure, for structures that
//! another header defines.

use super::clauses::Clauses;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::Record;

/// The structure, with the clauses of `field(...)` on its fields.
pub(super) fn spread(
    record: &Record,
    clauses: &mut Clauses<'_>,
    diagnostics: &mut Diagnostics,
) -> Record {
    let mut record = record.clone();
    while let Some(term) = clauses.take("field") {
        let Some((first, rest)) = term.args.split_first() else {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    "`field` names no field",
                    "expected `field(name, clauses...)`",
                )
                .help("write the field's name and, after it, the clauses for the field"),
            );
            continue;
        };
        let name = first.name().unwrap_or_default();
        let names: Vec<String> = record
            .fields
            .iter()
            .map(|field| format!("`{}`", field.name))
            .collect();
        if record.inner.iter().any(|inner| inner == name) {
            diagnostics.push(
                Diagnostic::error(
                    first.span,
                    format!(
                        "`{name}` is in an anonymous structure or union of `struct {}`",
                        record.name
                    ),
                    "contracts do not reach it",
                )
                .help("leave it out: what is in an anonymous member is never part of an interface"),
            );
            continue;
        }
        let Some(field) = record.fields.iter_mut().find(|field| field.name == name) else {
            let error = Diagnostic::error(
                first.span,
                format!("`struct {}` has no field `{name}`", record.name),
                "expected the name of one of its fields",
            );
            diagnostics.push(match names.is_empty() {
                true => error.help("include the header that defines the structure"),
                false => error.help(format!("its fields are {}", names.join(", "))),
            });
            continue;
        };
        let contracts = [
            Some(&mut field.contract),
            field.callback.as_mut().map(|found| &mut found.contract),
        ];
        for contract in contracts.into_iter().flatten() {
            contract.terms.extend(rest.iter().cloned());
            contract.span = contract.span.or(Some(term.span));
        }
    }
    record
}
