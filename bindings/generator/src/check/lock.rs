// SPDX-License-Identifier: GPL-2.0

//! Locks: every guard is entered and left, and what is required can be held.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Function;
use crate::model::Role;

/// The guards of an API, each with the tag of the object that it locks.
pub fn guards(api: &Api) -> Vec<(String, String)> {
    let mut guards = Vec::new();
    for function in &api.functions {
        if let (Role::Lock(name) | Role::TryLock(name), Some(owner)) = (&function.role, &function.owner) {
            let guard = (name.clone(), owner.clone());
            if !guards.contains(&guard) {
                guards.push(guard);
            }
        }
    }
    guards
}

/// Checks that locks pair up, and finds the guards that are asked for.
pub(super) fn check(api: &mut Api, diagnostics: &mut Diagnostics) {
    rename_by_lock(api);
    let guards = guards(api);
    for function in &api.functions {
        pair(api, function, &guards, diagnostics);
    }
    let names: Vec<String> = guards.iter().map(|(name, _)| name.clone()).collect();
    for object in &api.objects {
        for (guard, _) in &object.data {
            if !guards.contains(&(guard.clone(), object.tag.clone())) {
                diagnostics.push(unknown(guard, object.contract, &names));
            }
        }
    }
    held_locks(api);
    for function in &api.functions {
        if let Some((guard, span)) = &function.requires {
            if !names.contains(guard) {
                diagnostics.push(unknown(guard, *span, &names));
            }
        }
    }
    for table in &api.tables {
        for callback in &table.callbacks {
            if let Some((guard, span)) = &callback.requires {
                if !names.contains(guard) {
                    diagnostics.push(unknown(guard, *span, &names));
                }
            }
        }
    }
}

fn pair(api: &Api, function: &Function, guards: &[(String, String)], diagnostics: &mut Diagnostics) {
    let owner = function.owner.clone().unwrap_or_default();
    match &function.role {
        Role::Lock(name) | Role::TryLock(name) => {
            let wanted = Role::Unlock(name.clone());
            if api.one_in_role(&owner, |role| *role == wanted).is_none() {
                diagnostics.push(
                    Diagnostic::error(
                        function.contract,
                        format!("nothing leaves the lock that `{}` enters", function.c),
                        format!("expected a function with `unlock(\"{name}\")` too"),
                    )
                    .help(format!("put `unlock(\"{name}\")` on the function that undoes it")),
                );
            }
        }
        Role::Unlock(name) if !guards.contains(&(name.clone(), owner)) => {
            diagnostics.push(
                Diagnostic::error(
                    function.contract,
                    format!("nothing enters the lock that `{}` leaves", function.c),
                    format!("expected a function with `lock(\"{name}\")` too"),
                )
                .help(format!("put `lock(\"{name}\")` on the function that it undoes")),
            );
        }
        _ => {}
    }
}

fn unknown(guard: &str, span: crate::source::Span, names: &[String]) -> Diagnostic {
    let error = Diagnostic::error(
        span,
        format!("there is no guard `{guard}`"),
        "expected the name of a guard that a `lock(...)` declares",
    );
    match names {
        [] => error.help("put `lock(\"Guard\")` and `unlock(\"Guard\")` on the lock's functions"),
        _ => error.help(format!("the guards are: {}", names.join(", "))),
    }
}

/// A guard that comes from a cleanup class bears the name that a contract gives the same lock.
fn rename_by_lock(api: &mut Api) {
    let named: Vec<(Option<String>, String, String)> = api
        .functions
        .iter()
        .filter(|f| f.from_c.is_empty())
        .filter_map(|f| match &f.role {
            Role::Lock(name) | Role::TryLock(name) | Role::Unlock(name) => {
                Some((f.owner.clone(), f.c.clone(), name.clone()))
            }
            _ => None,
        })
        .collect();
    let classes = api.classes.clone();
    for function in &mut api.functions {
        if function.from_c.is_empty() {
            continue;
        }
        let class = classes
            .iter()
            .find(|class| class.enter.as_ref() == Some(&function.c) || class.leave == function.c);
        let Some(class) = class else { continue };
        let other = named.iter().find(|(owner, c, _)| {
            *owner == function.owner && (class.enter.as_ref() == Some(c) || class.leave == *c)
        });
        let Some((_, _, name)) = other else { continue };
        match &mut function.role {
            Role::Lock(old) | Role::Unlock(old) => old.clone_from(name),
            _ => {}
        }
    }
}

/// `__must_hold(&x->lock)` asks for the guard whose function says `__acquires(&x->lock)`.
fn held_locks(api: &mut Api) {
    let acquired: Vec<(String, String)> = api
        .functions
        .iter()
        .filter_map(|f| match &f.role {
            Role::Lock(guard) => Some((member(f.lock_name.as_deref()?), guard.clone())),
            _ => None,
        })
        .collect();
    for function in &mut api.functions {
        let Some((wanted, _)) = &mut function.requires else { continue };
        let lock = member(wanted);
        if let Some((_, guard)) = acquired.iter().find(|(name, _)| *name == lock) {
            *wanted = guard.clone();
        }
    }
}

/// `&mirror->lock` as `lock`: what the object is called does not matter.
fn member(lock: &str) -> String {
    let lock = lock.trim().trim_start_matches('&');
    let tail = lock.split_once("->").map_or(lock, |(_, tail)| tail);
    tail.to_owned()
}
