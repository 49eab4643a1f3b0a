// SPDX-License-Identifier: GPL-2.0

//! How an object with callbacks ends. Its data can hold the last reference to it (`Arc<Self>`), so that its own callback
//! drops it. The destructor must then not return, or must leave the end to a later time: otherwise the object is freed
//! while the callback, and C around it, still use it.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Function;
use crate::model::Object;
use crate::model::Role;
use crate::model::Shape;
use crate::model::Stated;
use crate::source::Span;

/// Refuse objects with callbacks for which no contract states that a callback may drop them.
pub(super) fn check(api: &Api, diagnostics: &mut Diagnostics) {
    for function in api
        .functions
        .iter()
        .filter(|function| function.waits && function.deferred.is_some())
    {
        diagnostics.push(
            Diagnostic::error(
                function.contract,
                format!("`{}` cannot both wait and be `deferred`", function.c),
                "expected one of `waits` and `deferred`",
            )
            .help("remove `waits`: a `deferred` destructor is not called"),
        );
    }
    // Callbacks that cannot be typed are left out, and with them the object.
    let called = |object: &&Object| object.shape == Shape::Pinned && object.operations.is_some();
    for object in api.objects.iter().filter(called) {
        let destructor = api.one_in_role(&object.tag, |role| *role == Role::Destructor);
        match destructor {
            Some(end) if end.waits || end.deferred.is_some() => {
                left_behind(api, object, end, diagnostics)
            }
            Some(end) => diagnostics.push(unstated(api, object, end)),
            None => diagnostics.push(endless(api, object)),
        }
    }
}

/// The table or parameter with the callbacks of an object.
fn callbacks(api: &Api, object: &Object) -> Span {
    let own = api
        .tables
        .iter()
        .find(|table| object.operations.as_ref() == Some(&table.name));
    own.map_or(object.contract, |table| table.span)
}

fn unstated(api: &Api, object: &Object, end: &Function) -> Diagnostic {
    Diagnostic::error(
        end.contract,
        format!("a callback of `{}` may drop the object, and nothing states that this is safe", object.name),
        "expected `waits` or `deferred(function)`",
    )
    .note(callbacks(api, object), "the callbacks")
    .help(format!(
        "add `waits` if `{}()` returns only when no callback of the object runs or will run, so that a callback which \
         calls it waits for itself; else name a function that ends the object later: `deferred(function)`",
        end.c
    ))
}

/// Refuse an object that is leaked (`mem::forget`) and calls back when the text of its module is gone.
fn left_behind(api: &Api, object: &Object, end: &Function, diagnostics: &mut Diagnostics) {
    let silent = |made: &&Function| made.promise.is_none();
    match end.reaped {
        Some(Stated::Harmless) => {}
        Some(Stated::Promised) => {
            let made = api.in_role(&object.tag, |role| *role == Role::Constructor).find(silent);
            if let Some(made) = made {
                diagnostics.push(Diagnostic::error(
                    made.contract,
                    format!("nobody promises that each `{}` ends before its module does", object.name),
                    "expected `unsafe(\"...\")`",
                )
                .note(end.contract, "C does not end what a module leaves behind: `reaped(unsafe)`")
                .help("add `unsafe(\"it is dropped before the module of its callbacks is unloaded\")`"));
            }
        }
        None => diagnostics.push(
            Diagnostic::error(
                end.contract,
                format!("`{}` can be leaked, and nothing states who ends it when its module goes", object.name),
                "expected `reaped` or `reaped(unsafe)`",
            )
            .note(callbacks(api, object), "the callbacks, which may be in the module")
            .help(
                "add `reaped` if C ends what a module leaves behind before its text is freed, else `reaped(unsafe)` \
                 with `unsafe(\"...\")` on the constructor",
            ),
        ),
    }
}

fn endless(api: &Api, object: &Object) -> Diagnostic {
    Diagnostic::error(
        object.contract,
        format!(
            "nothing stops the callbacks of `{}` when it is dropped",
            object.name
        ),
        "expected a function with `destructor` too",
    )
    .note(callbacks(api, object), "the callbacks")
    .help(
        "put `destructor, waits` on the function that stops them and waits for those that run, or \
         `destructor, deferred(function)`",
    )
}
