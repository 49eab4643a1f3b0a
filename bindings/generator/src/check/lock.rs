// SPDX-License-Identifier: GPL-2.0

//! Locks: each guard has a function that takes the lock and one that releases it, and required guards exist.

use super::leave_out;
use super::types;
use super::types::Why;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Function;
use crate::model::Role;

/// The guards of an API, each with the tag of the object that it locks.
pub fn guards(api: &Api) -> Vec<(String, String)> {
    let mut guards = Vec::new();
    for function in &api.functions {
        if let (Role::Lock(name) | Role::TryLock(name), Some(owner)) =
            (&function.role, &function.owner)
        {
            let guard = (name.clone(), owner.clone());
            if !guards.contains(&guard) {
                guards.push(guard);
            }
        }
    }
    guards
}

/// Check that locks pair up, and find the guards that are required.
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
    guarded_members(api);
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

fn pair(
    api: &Api,
    function: &Function,
    guards: &[(String, String)],
    diagnostics: &mut Diagnostics,
) {
    let takes = matches!(
        function.role,
        Role::Lock(_) | Role::TryLock(_) | Role::Unlock(_)
    );
    if takes && function.owner.is_none() {
        diagnostics.push(
            Diagnostic::error(
                function.contract,
                format!("`{}` has no object, and a guard borrows the object that it locks", function.c),
                "expected a pointer to an object among its parameters",
            )
            .help(
                "put a static inline under contract that takes an object and ignores it, one that exists as long as the lock \
                 does",
            ),
        );
        return;
    }
    let owner = function.owner.clone().unwrap_or_default();
    match &function.role {
        Role::Lock(name) | Role::TryLock(name) => {
            let wanted = Role::Unlock(name.clone());
            if api.one_in_role(&owner, |role| *role == wanted).is_none() {
                diagnostics.push(
                    Diagnostic::error(
                        function.contract,
                        format!("no function releases the lock that `{}` takes", function.c),
                        format!("expected a function with `unlock(\"{name}\")`, too"),
                    )
                    .help(format!(
                        "put `unlock(\"{name}\")` on the function that releases it"
                    )),
                );
            }
        }
        Role::Unlock(name) if !guards.contains(&(name.clone(), owner)) => {
            diagnostics.push(
                Diagnostic::error(
                    function.contract,
                    format!("no function takes the lock that `{}` releases", function.c),
                    format!("expected a function with `lock(\"{name}\")`, too"),
                )
                .help(format!(
                    "put `lock(\"{name}\")` on the function that takes it"
                )),
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

/// Name a guard from C's own annotations as a contract names the guard of the same lock.
fn rename_by_lock(api: &mut Api) {
    let named: Vec<(Option<String>, String, Option<String>, String)> = api
        .functions
        .iter()
        .filter(|f| !f.role_from_c)
        .filter_map(|f| match &f.role {
            Role::Lock(name) | Role::TryLock(name) | Role::Unlock(name) => Some((
                f.owner.clone(),
                f.c.clone(),
                f.lock_name.as_deref().map(member),
                name.clone(),
            )),
            _ => None,
        })
        .collect();
    let classes = api.classes.clone();
    for function in &mut api.functions {
        if !function.role_from_c {
            continue;
        }
        let around = |c: &str| {
            let class = classes
                .iter()
                .find(|k| k.enter.as_deref() == Some(c) || k.leave == c)?;
            Some(class.name.as_str())
        };
        let class = around(&function.c);
        let lock = function.lock_name.as_deref().map(member);
        let other = named.iter().find(|(owner, c, locked, _)| {
            let same_class = class.is_some() && around(c) == class;
            let same_lock = lock.is_some() && *locked == lock;
            *owner == function.owner && (same_class || same_lock)
        });
        let Some((.., name)) = other else { continue };
        match &mut function.role {
            Role::Lock(old) | Role::TryLock(old) | Role::Unlock(old) => old.clone_from(name),
            _ => {}
        }
    }
}

/// `__must_hold(&x->lock)` requires the guard whose function has `__acquires(&x->lock)`.
fn held_locks(api: &mut Api) {
    let acquired: Vec<(String, String)> = api
        .functions
        .iter()
        .filter_map(|f| match &f.role {
            Role::Lock(guard) | Role::TryLock(guard) => {
                Some((member(f.lock_name.as_deref()?), guard.clone()))
            }
            _ => None,
        })
        .collect();
    let callbacks = api.tables.iter_mut().flat_map(|table| &mut table.callbacks);
    let wanted = api
        .functions
        .iter_mut()
        .map(|function| &mut function.requires);
    for requires in wanted.chain(callbacks.map(|callback| &mut callback.requires)) {
        let Some((wanted, _)) = requires else {
            continue;
        };
        let lock = member(wanted);
        if let Some((_, guard)) = acquired.iter().find(|(name, _)| *name == lock) {
            *wanted = guard.clone();
        }
    }
}

/// `__guarded_by(&lock)` makes a member accessible through the guards whose functions have `__acquires` of that
/// lock.
fn guarded_members(api: &mut Api) {
    let acquired: Vec<(Option<String>, String, String)> = api
        .functions
        .iter()
        .filter_map(|f| match &f.role {
            Role::Lock(guard) | Role::TryLock(guard) => {
                let lock = member(f.lock_name.as_deref()?);
                Some((
                    f.owner.clone(),
                    lock.trim_end_matches(" shared").to_owned(),
                    guard.clone(),
                ))
            }
            _ => None,
        })
        .collect();
    let mut lost = Vec::new();
    for index in 0..api.objects.len() {
        let tag = api.objects[index].tag.clone();
        for at in 0..api.objects[index].guarded.len() {
            let guarded = api.objects[index].guarded[at].clone();
            let lock = member(&guarded.lock);
            let mut guards = Vec::new();
            for (owner, name, guard) in &acquired {
                if owner.as_deref() == Some(&tag) && *name == lock && !guards.contains(guard) {
                    guards.push(guard.clone());
                }
            }
            let name = format!("{tag}.{}", guarded.member.name);
            let why = match types::of(api, &guarded.member.ty, guarded.member.int_type.as_deref()) {
                Err(why) => Some(why),
                Ok(_) if guards.is_empty() => Some(Why::new(
                    format!("`{}`, which guards it, has no guard", guarded.lock),
                    "put the functions that take and release that lock under contract",
                )),
                Ok(ty) => types::from_c(api, &ty).err().map(|why| {
                    Why::new(
                        why.reason,
                        "remove `__guarded_by`, or put a method with `requires` under contract",
                    )
                }),
            };
            api.objects[index].guarded[at].guards = guards;
            if let Some(why) = why {
                lost.push((index, name, guarded.member, why));
            }
        }
    }
    for (index, name, member, why) in lost {
        api.objects[index]
            .guarded
            .retain(|guarded| guarded.member.name != member.name);
        leave_out(api, &name, member.span, why);
    }
}

/// `&mirror->lock` as `lock`: the name of the object does not matter.
pub(super) fn member(lock: &str) -> String {
    let lock = lock.trim().trim_start_matches('&');
    let tail = lock.split_once("->").map_or(lock, |(_, tail)| tail);
    tail.to_owned()
}
