// SPDX-License-Identifier: GPL-2.0

//! Objects: how each one is held follows from its constructor, destructor, get and put.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Function;
use crate::model::Object;
use crate::model::Role;
use crate::model::Shape;

/// Settle the shape of every object.
pub(super) fn check(api: &mut Api, diagnostics: &mut Diagnostics) {
    for index in 0..api.objects.len() {
        let tag = api.objects[index].tag.clone();
        let shape = shape(api, &tag, diagnostics);
        api.objects[index].shape = shape;
    }
    let with_data = |object: &&Object| !object.data.is_empty() || object.plain_data;
    for object in api.objects.iter().filter(with_data) {
        if object.shape != Shape::Pinned {
            diagnostics.push(
                Diagnostic::error(
                    object.contract,
                    format!("`{}` cannot contain data", object.name),
                    "expected an object that a constructor initialises in place",
                )
                .help("remove `data`: an object that C allocates has C's members only"),
            );
        }
    }
    for object in api
        .objects
        .iter()
        .filter(|object| object.zeroed && object.shape != Shape::Pinned)
    {
        diagnostics.push(
            Diagnostic::error(
                object.contract,
                format!("the storage of `{}` is C's", object.name),
                "expected an object that a constructor initialises in place",
            )
            .help("remove `zeroed`: C sets what it allocates to zero"),
        );
    }
    for function in &api.functions {
        let makes = matches!(
            function.role,
            Role::Constructor | Role::Destructor | Role::Get | Role::Put
        );
        let owned = function
            .owner
            .as_deref()
            .is_some_and(|tag| api.object(tag).is_some());
        if makes && !owned {
            diagnostics.push(
                Diagnostic::error(
                    function.contract,
                    format!(
                        "`{}` makes or ends something that is not an object",
                        function.c
                    ),
                    "expected a parameter that points to an object",
                )
                .help("put `object(\"Name\")` on the structure"),
            );
        }
    }
}

fn shape(api: &Api, tag: &str, diagnostics: &mut Diagnostics) -> Shape {
    let Some(object) = api.object(tag) else {
        return Shape::Borrowed;
    };
    if object.foreign.is_some() {
        return Shape::Foreign;
    }
    let get = api.one_in_role(tag, |role| *role == Role::Get);
    let put = api.one_in_role(tag, |role| *role == Role::Put);
    match (get, put) {
        (Some(_), Some(_)) => return Shape::Counted,
        (get, None) if counting(api, tag).is_some() => {
            counted_in_place(api, object, get, diagnostics);
        }
        (Some(get), None) => diagnostics.push(lone(object, get, "get", "put")),
        (None, Some(put)) => diagnostics.push(lone(object, put, "put", "get")),
        (None, None) => {}
    }
    let constructors: Vec<&Function> = api.in_role(tag, |r| *r == Role::Constructor).collect();
    let in_place = constructors.iter().find(|f| f.this.is_some());
    let returned = constructors.iter().find(|f| f.this.is_none());
    if let (Some(first), Some(second)) = (in_place, returned) {
        diagnostics.push(
            Diagnostic::error(
                second.contract,
                format!("`{}` is made in two ways", object.name),
                "this one returns it",
            )
            .note(first.contract, "and this one initialises it in place")
            .help("an object is held in one way; remove one constructor from the contract"),
        );
    }
    if in_place.is_some() {
        if !object.pinned {
            diagnostics.push(
                Diagnostic::error(
                    object.contract,
                    format!(
                        "`{}` is initialised in place and is not `pinned`",
                        object.name
                    ),
                    "expected `pinned`",
                )
                .help(format!("write `object(\"{}\"), pinned`", object.name)),
            );
        }
        return Shape::Pinned;
    }
    let destructor = api.one_in_role(tag, |role| *role == Role::Destructor);
    match (returned, destructor) {
        (Some(_), Some(_)) => return Shape::Owned,
        (Some(made), None) => diagnostics.push(endless(object, made)),
        (None, Some(ended)) if !ended.counts => diagnostics.push(never_made(object, ended)),
        (None, _) => {}
    }
    Shape::Borrowed
}

/// The `put` of an object that calls back for the last reference.
fn counting<'a>(api: &'a Api, tag: &str) -> Option<&'a Function> {
    api.one_in_role(tag, |role| *role == Role::Destructor)
        .filter(|put| put.counts)
}

/// An object with a count that is in storage of the typed side, which C has it free by calling back.
fn counted_in_place(
    api: &Api,
    object: &Object,
    get: Option<&Function>,
    diagnostics: &mut Diagnostics,
) {
    let Some(put) = counting(api, &object.tag) else {
        return;
    };
    let made = |function: &&Function| function.this.is_some();
    let made = api
        .in_role(&object.tag, |role| *role == Role::Constructor)
        .any(|function| made(&function));
    if get.is_none() {
        diagnostics.push(lone(object, put, "put", "get"));
    }
    if !made {
        diagnostics.push(
            Diagnostic::error(
                put.contract,
                format!("`{}` calls back to free `{}`, which nothing makes in place", put.c, object.name),
                "expected a function with `constructor` that initialises one",
            )
            .help("put `constructor` on it; or put a static inline `put` under contract that frees the object in C"),
        );
    }
    if object.send && !object.sync {
        diagnostics.push(
            Diagnostic::error(
                object.contract,
                format!("references to `{}` may be on several threads", object.name),
                "expected `sync`, or no `send`",
            )
            .help("add `sync` if its functions may run on several threads at once"),
        );
    }
}

/// A `get` without a `put`, or the other way round.
fn lone(object: &Object, lone: &Function, has: &str, wants: &str) -> Diagnostic {
    Diagnostic::error(
        lone.contract,
        format!("`{}` has a `{has}` and no `{wants}`", object.name),
        format!("expected a function with `{wants}` too"),
    )
    .note(object.contract, "the object")
    .help(format!(
        "put `{wants}` on the counterpart of `{}()`",
        lone.c
    ))
}

fn endless(object: &Object, made: &Function) -> Diagnostic {
    Diagnostic::error(
        made.contract,
        format!(
            "no function ends the `{}` that `{}` returns",
            object.name, made.c
        ),
        "expected a function with `destructor` too",
    )
    .note(object.contract, "the object")
    .help("put `destructor` on the function that frees it")
}

fn never_made(object: &Object, ended: &Function) -> Diagnostic {
    Diagnostic::error(
        ended.contract,
        format!("`{}` has a destructor and no constructor", object.name),
        "expected a function with `constructor` too",
    )
    .note(object.contract, "the object")
    .help("put `constructor` on the function that makes it")
}
