// SPDX-License-Identifier: GPL-2.0

//! Results: whether the clauses of a contract match the type that the function returns.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read;
use crate::read::CType;
use crate::source::Span;

/// A clause's requirement on the result.
struct Demand {
    clause: &'static str,
    met: fn(&CType) -> bool,
    /// The message if it is not met.
    wrong: &'static str,
    expected: &'static str,
    help: &'static str,
}

fn pointer(ty: &CType) -> bool {
    matches!(ty, CType::Pointer { .. })
}

fn integer(ty: &CType) -> bool {
    matches!(ty, CType::Int(_))
}

fn truth(ty: &CType) -> bool {
    matches!(ty, CType::Bool | CType::Int(_))
}

const NO_POINTER: &str = "is for a pointer, and the result is not one";
const A_POINTER: &str = "expected on a function that returns a pointer";

const DEMANDS: &[Demand] = &[
    Demand {
        clause: "owned",
        met: pointer,
        wrong: NO_POINTER,
        expected: A_POINTER,
        help: "remove `owned`",
    },
    Demand {
        clause: "borrowed",
        met: pointer,
        wrong: NO_POINTER,
        expected: A_POINTER,
        help: "remove `borrowed`",
    },
    Demand {
        clause: "nullable",
        met: pointer,
        wrong: NO_POINTER,
        expected: A_POINTER,
        help: "remove `nullable`, or move it to the parameter that may be NULL",
    },
    Demand {
        clause: "nonnull",
        met: pointer,
        wrong: NO_POINTER,
        expected: A_POINTER,
        help: "remove `nonnull`",
    },
    Demand {
        clause: "plain",
        met: integer,
        wrong: "is for an integer, and the result is not one",
        expected: "expected on a function that returns an integer",
        help: "remove `plain`",
    },
    Demand {
        clause: "trylock",
        met: truth,
        wrong: "may fail, and the result does not report it",
        expected: "expected a result of type bool, or int with `errno`",
        help: "write `lock` if it cannot fail",
    },
    Demand {
        clause: "enter",
        met: truth,
        wrong: "does not report whether the section was entered",
        expected: "expected a result of type bool",
        help: "return true if the section has entered its next round",
    },
    Demand {
        clause: "outcome",
        met: integer,
        wrong: "does not report how the section ended",
        expected: "expected a result of type int: zero, or a negative error",
        help: "return the error",
    },
    Demand {
        clause: "check",
        met: truth,
        wrong: "does not report whether the sequence has changed",
        expected: "expected a result of type bool or int",
        help: "return true if the section must be repeated",
    },
];

/// Report clauses that contradict the result.
pub(super) fn check(read: &read::Function, diagnostics: &mut Diagnostics) {
    let ret = read.ret.plain();
    let at = |clause: &str| -> Option<Span> {
        read.contract
            .terms
            .iter()
            .find(|term| term.name() == Some(clause))
            .map(|term| term.span)
    };
    for demand in DEMANDS.iter().filter(|demand| !(demand.met)(ret)) {
        let Some(span) = at(demand.clause) else {
            continue;
        };
        diagnostics.push(
            Diagnostic::error(
                span,
                format!("`{}` {}", demand.clause, demand.wrong),
                demand.expected,
            )
            .help(demand.help),
        );
    }
    if let (Some(owned), Some(borrowed)) = (at("owned"), at("borrowed")) {
        diagnostics.push(
            Diagnostic::error(
                borrowed,
                "a result cannot be both `owned` and `borrowed`",
                "expected one of the two",
            )
            .note(owned, "the other is here")
            .help("`owned` if the caller must release it, `borrowed` if it must not"),
        );
    }
}
