// SPDX-License-Identifier: GPL-2.0

//! Locks: guards and scoped guards.

use super::has_class;
use super::snake;
use crate::model::Api;
use crate::model::Function;
use crate::model::Object;
use crate::model::Role;
use crate::read::CType;

/// The guards of an object's locks.
pub(super) fn guards(api: &Api, object: &Object) -> Vec<String> {
    let tag = &object.tag;
    let mut guards = Vec::new();
    for lock in api.in_role(tag, |role| matches!(role, Role::Lock(_))) {
        let Role::Lock(guard) = &lock.role else { continue };
        let wanted = Role::Unlock(guard.clone());
        let Some(unlock) = api.one_in_role(tag, move |role| *role == wanted) else { continue };
        let (enter, leave) = (&lock.c, &unlock.c);
        if lock.params.len() != 1 {
            guards.push(format!(
                "/* {enter}() takes more than the object, so there is no guard() for it. */\n"
            ));
            continue;
        }
        let known = api.classes.iter().find(|class| class.enter.as_ref() == Some(enter));
        let name = known.map_or_else(|| class(tag, guard), |class| class.name.clone());
        let mut text = match known {
            Some(_) => String::new(),
            None => match unlock.cookie() {
                Some(cookie) => format!(
                    "/* guard({name})(x), scoped_guard({name}, x) {{ }} */\n\
                     DEFINE_LOCK_GUARD_1({name}, struct {tag}, _T->cookie = {enter}(_T->lock), \
                     {leave}(_T->lock, _T->cookie), {} cookie)\n",
                    cookie.ty.spell()
                ),
                None => format!(
                    "/* guard({name})(x), scoped_guard({name}, x) {{ }} */\n\
                     DEFINE_GUARD({name}, struct {tag} *, {enter}(_T), {leave}(_T))\n"
                ),
            },
        };
        let wanted = Role::TryLock(guard.clone());
        for attempt in api.in_role(tag, move |role| *role == wanted) {
            // The macro's expression knows the object only.
            if !has_class(api, &attempt.c) && attempt.params.len() == 1 {
                text.push_str(&conditional(&name, attempt));
            }
        }
        guards.push(text);
    }
    guards
}

fn conditional(name: &str, attempt: &Function) -> String {
    let mut parts = attempt.name.rsplit('_');
    let ext = match attempt.name.split('_').any(|part| part == "try" || part == "trylock") {
        true => "try",
        false => parts.find(|part| !["read", "write"].contains(part)).unwrap_or("try"),
    };
    let call = format!("{}(_T)", attempt.c);
    match (&attempt.errno, attempt.ret.plain()) {
        (Some(_), _) => format!("DEFINE_GUARD_COND({name}, _{ext}, {call}, _RET == 0)\n"),
        (None, CType::Bool | CType::Int(_)) => format!("DEFINE_GUARD_COND({name}, _{ext}, {call})\n"),
        _ => String::new(),
    }
}

/// The name of the class of a guard.
fn class(tag: &str, guard: &str) -> String {
    let kind = snake(guard.strip_suffix("Guard").filter(|kind| !kind.is_empty()).unwrap_or(guard));
    match tag.ends_with(&kind) {
        true => tag.to_owned(),
        false => format!("{tag}_{kind}"),
    }
}
