// SPDX-License-Identifier: GPL-2.0

//! Third phase: whether the contracts fit together.
//!
//! A contradiction is an error. A declaration whose contract is incomplete is left out, with the reason;
//! nothing is emitted that a contract does not justify.

pub mod account;
mod depend;
mod end;
mod fit;
mod function;
mod lock;
mod object;
mod ops;
pub mod plan;
pub mod reason;
mod record;
mod scope;
mod section;
mod settle;
mod stage;
pub mod types;

use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Function;
use crate::model::LeftOut;
use crate::model::Role;
use crate::source::Span;

/// Settle the questions that the model left open, and remove declarations that no contract justifies.
pub fn check(api: &mut Api, diagnostics: &mut Diagnostics) {
    record::settle(api);
    object::check(api, diagnostics);
    scope::check(api, diagnostics);
    stage::check(api, diagnostics);
    lock::check(api, diagnostics);
    names(api, diagnostics);
    ops::check(api, diagnostics);
    end::check(api, diagnostics);
    section::check(api, diagnostics);
    record::check(api);
    record::constants(api);
    // Another declaration may depend on one that was left out.
    let mut before = usize::MAX;
    while before != api.left_out.len() {
        before = api.left_out.len();
        function::check(api);
        depend::check(api);
    }
    settle::settle(api);
    api.left_out.sort_by_key(|left| left.span);
}

/// Record that a declaration is left out.
fn leave_out(api: &mut Api, name: &str, span: Span, why: types::Why) {
    if api.left_out.iter().any(|left| left.name == name) {
        return;
    }
    api.left_out.push(LeftOut {
        name: name.to_owned(),
        reason: why.reason,
        remedy: why.remedy,
        span,
    });
}

/// Leave out a function.
fn lose(api: &mut Api, name: &str, why: types::Why) {
    let Some(at) = api.functions.iter().position(|function| function.c == name) else {
        return;
    };
    let function = api.functions.remove(at);
    leave_out(api, name, function.span, why);
    api.lost.push(function);
}

/// The types that are declared, and those that functions bring along.
fn types_of(api: &Api) -> Vec<(String, Span)> {
    let objects = api.objects.iter().filter(|object| object.foreign.is_none());
    let mut all: Vec<(String, Span)> = (objects.clone().map(|o| (&o.name, o.span)))
        .chain(api.records.iter().map(|r| (&r.name, r.span)))
        .chain(api.choices.iter().map(|c| (&c.name, c.span)))
        .chain(api.flags.iter().map(|f| (&f.name, f.span)))
        .chain(api.tagged.iter().map(|t| (&t.name, t.span)))
        .chain(api.tables.iter().map(|t| (&t.name, t.span)))
        .chain(api.sections.iter().map(|s| (&s.name, s.span)))
        .map(|(name, span)| (name.clone(), span))
        .collect();
    all.extend(objects.flat_map(|object| {
        object
            .stages
            .iter()
            .map(|stage| (stage.clone(), object.span))
    }));
    // Functions of one object share a guard, or an iterator.
    let mut brought: Vec<(&String, Option<&String>)> = Vec::new();
    for function in &api.functions {
        let name = match &function.role {
            Role::Lock(name) | Role::TryLock(name) => name,
            Role::Iterator(iteration) => &iteration.name,
            _ => continue,
        };
        let own = (name, function.owner.as_ref());
        if !brought.contains(&own) {
            brought.push(own);
            all.push((name.clone(), function.span));
        }
    }
    let retries = |function: &&Function| {
        function
            .errno
            .as_ref()
            .is_some_and(|errno| !errno.retry.is_empty())
    };
    all.extend(
        api.functions
            .iter()
            .find(retries)
            .map(|function| ("Attempt".to_owned(), function.span)),
    );
    all
}

/// Names that what is written uses without a path: those of Rust, of the kernel's prelude, and of its own type parameters.
const USED: &[&str] = &[
    "ARef",
    "Again",
    "AlwaysRefCounted",
    "Arc",
    "BitAnd",
    "BitOr",
    "CStr",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deref",
    "DerefMut",
    "Done",
    "Drop",
    "E",
    "Eq",
    "Err",
    "Error",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "Init",
    "Into",
    "Iterator",
    "KBox",
    "ManuallyDrop",
    "MaybeUninit",
    "NonNull",
    "None",
    "NotThreadSafe",
    "Ok",
    "Opaque",
    "Option",
    "PartialEq",
    "PhantomData",
    "Pin",
    "PinInit",
    "PinnedDrop",
    "R",
    "Result",
    "S",
    "ScopeGuard",
    "Self",
    "Send",
    "Sized",
    "Some",
    "Sync",
    "T",
    "Unpin",
    "UnsafeCell",
    "Wrapper",
    "Zeroable",
];

/// Report names that two typed items share.
fn names(api: &Api, diagnostics: &mut Diagnostics) {
    let mut taken: Vec<(String, Span)> = Vec::new();
    for (name, span) in types_of(api) {
        if USED.contains(&name.as_str()) {
            diagnostics.push(
                crate::diag::Diagnostic::error(
                    span,
                    format!("the name `{name}` has another meaning in what is written"),
                    "expected a name of its own",
                )
                .help(format!("give it another name, such as `Kernel{name}`")),
            );
            continue;
        }
        match taken.iter().find(|(known, _)| *known == name) {
            Some((_, first)) => diagnostics.push(
                crate::diag::Diagnostic::error(
                    span,
                    format!("the name `{name}` is taken"),
                    "expected a name of its own",
                )
                .note(*first, "by this")
                .help("give one of the two another name"),
            ),
            None => taken.push((name, span)),
        }
    }
}
