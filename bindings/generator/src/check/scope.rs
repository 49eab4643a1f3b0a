// SPDX-License-Identifier: GPL-2.0

//! Objects that exist while a closure runs (`scoped`): C ends them when it returns, so nobody else may own or share them.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Function;
use crate::model::Object;
use crate::model::Role;
use crate::model::Shape;

/// Settle which objects are given to a closure, and refuse those that cannot be.
pub(super) fn check(api: &mut Api, diagnostics: &mut Diagnostics) {
    for index in 0..api.objects.len() {
        let object = &api.objects[index];
        let made: Vec<&Function> = api
            .in_role(&object.tag, |role| *role == Role::Constructor)
            .collect();
        let Some(scoped) = made.iter().find(|made| made.scoped) else {
            continue;
        };
        match object.shape {
            Shape::Owned => {
                if let Some(owned) = made.iter().find(|made| !made.scoped) {
                    diagnostics.push(both(object, owned, scoped));
                }
                if object.send || object.sync {
                    diagnostics.push(threads(object, scoped));
                }
            }
            Shape::Pinned => diagnostics.push(in_place(object, scoped)),
            Shape::Counted => diagnostics.push(counted(object, scoped)),
            // The functions of a foreign object are left out. That nothing ends one is an error already.
            Shape::Foreign | Shape::Borrowed => {}
        }
        api.objects[index].scoped = api.objects[index].shape == Shape::Owned;
    }
}

/// An object has one type, and who has a value of it either ends the object or does not.
fn both(object: &Object, owned: &Function, scoped: &Function) -> Diagnostic {
    Diagnostic::error(
        owned.contract,
        format!(
            "the caller of `{}` would own the `{}` that it makes, and that of `{}` would not",
            owned.c, object.name, scoped.c
        ),
        "expected `scoped` here, too",
    )
    .note(scoped.contract, "this one is `scoped`")
    .help("an object is held in one way; write `scoped` on all of its constructors, or on none")
}

/// A closure runs on the thread that calls it.
fn threads(object: &Object, scoped: &Function) -> Diagnostic {
    Diagnostic::error(
        object.contract,
        format!(
            "`{}` exists while a closure runs, and so belongs to one thread",
            object.name
        ),
        "expected neither `send` nor `sync`",
    )
    .note(scoped.contract, "its constructor is `scoped`")
    .help("remove `send` and `sync`; or remove `scoped`, if another thread may end it")
}

fn in_place(object: &Object, scoped: &Function) -> Diagnostic {
    Diagnostic::error(
        scoped.contract,
        format!(
            "`{}` initialises `{}` in place, which its owner drops",
            scoped.c, object.name
        ),
        "expected no `scoped`",
    )
    .help(
        "remove `scoped`; or put a constructor under contract that returns the object. What must not be leaked of an object \
         in place is its lock, which can be `scoped`",
    )
}

fn counted(object: &Object, scoped: &Function) -> Diagnostic {
    Diagnostic::error(
        scoped.contract,
        format!(
            "others may have a reference to the `{}` when a closure returns",
            object.name
        ),
        "expected no `scoped`",
    )
    .note(object.contract, "the object has a count: `get` and `put`")
    .help("remove `scoped`; or put the function that ends it under contract as the `destructor`, and no `get` and `put`")
}
