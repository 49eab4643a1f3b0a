// SPDX-License-Identifier: GPL-2.0

//! Results: whether the words of a contract go with what the function returns.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read;
use crate::read::CType;
use crate::source::Span;

/// What a word demands of a result.
struct Demand {
    word: &'static str,
    met: fn(&CType) -> bool,
    /// What is wrong when it is not met.
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

const NO_POINTER: &str = "says something of a pointer, and the result is none";
const A_POINTER: &str = "expected on a function that returns a pointer";

const DEMANDS: &[Demand] = &[
    Demand { word: "owned", met: pointer, wrong: NO_POINTER, expected: A_POINTER, help: "take `owned` away" },
    Demand {
        word: "borrowed",
        met: pointer,
        wrong: NO_POINTER,
        expected: A_POINTER,
        help: "take `borrowed` away",
    },
    Demand {
        word: "nullable",
        met: pointer,
        wrong: NO_POINTER,
        expected: A_POINTER,
        help: "take `nullable` away, or move it to the parameter that may be NULL",
    },
    Demand {
        word: "nonnull",
        met: pointer,
        wrong: NO_POINTER,
        expected: A_POINTER,
        help: "take `nonnull` away",
    },
    Demand {
        word: "plain",
        met: integer,
        wrong: "says that an integer is just a number, and the result is none",
        expected: "expected on a function that returns an integer",
        help: "take `plain` away",
    },
    Demand {
        word: "trylock",
        met: truth,
        wrong: "may fail, and the result does not tell",
        expected: "expected a result of type bool, or int with `errno`",
        help: "say `lock` when it cannot fail",
    },
    Demand {
        word: "enter",
        met: truth,
        wrong: "does not tell whether one is inside",
        expected: "expected a result of type bool",
        help: "have it return true when it has gone on to the next piece of work",
    },
    Demand {
        word: "outcome",
        met: integer,
        wrong: "does not tell how the section ended",
        expected: "expected a result of type int: zero, or a negative error",
        help: "have it return the error",
    },
    Demand {
        word: "check",
        met: truth,
        wrong: "does not tell whether the sequence has changed",
        expected: "expected a result of type bool or int",
        help: "have it return true when the section must run again",
    },
];

/// Complains about words that the result contradicts.
pub(super) fn check(read: &read::Function, diagnostics: &mut Diagnostics) {
    let ret = read.ret.plain();
    let at = |word: &str| -> Option<Span> {
        read.contract.terms.iter().find(|term| term.word() == Some(word)).map(|term| term.span)
    };
    for demand in DEMANDS.iter().filter(|demand| !(demand.met)(ret)) {
        let Some(span) = at(demand.word) else { continue };
        diagnostics.push(
            Diagnostic::error(span, format!("`{}` {}", demand.word, demand.wrong), demand.expected)
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
            .help("`owned` when the caller must give it back, `borrowed` when it must not"),
        );
    }
}
