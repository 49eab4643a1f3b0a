// SPDX-License-Identifier: GPL-2.0

//! Locks: guards and scoped guards.

use super::snake;
use crate::model::Function;
use crate::plan::Guard;
use crate::plan::GuardClass;
use crate::read::CType;

/// The guards of one of an object's locks.
pub(super) fn guards(tag: &str, guard: &Guard) -> Vec<String> {
    guard
        .classes
        .iter()
        .map(|class| of_lock(tag, guard, class))
        .collect()
}

fn of_lock(tag: &str, guard: &Guard, found: &GuardClass) -> String {
    let (enter, leave) = (&found.lock.c, &guard.unlock.c);
    let ignored = super::object::ignored(&guard.unlock);
    if !found.writable {
        return format!(
            "/* {enter}() takes more than the object, so there is no guard() for it. */\n"
        );
    }
    let name = found
        .known
        .clone()
        .unwrap_or_else(|| class(tag, &guard.name));
    let own = match guard.unlock.cookie() {
        _ if found.known.is_some() => String::new(),
        Some(cookie) => format!(
            "/* guard({name})(x), scoped_guard({name}, x) {{ }} */\n\
             DEFINE_LOCK_GUARD_1({name}, struct {tag}, _T->cookie = {enter}(_T->lock), \
             {ignored}{leave}(_T->lock, _T->cookie), {} cookie)\n",
            cookie.ty.spell()
        ),
        None => format!(
            "/* guard({name})(x), scoped_guard({name}, x) {{ }} */\n\
             DEFINE_GUARD({name}, struct {tag} *, {enter}(_T), {ignored}{leave}(_T))\n"
        ),
    };
    own + &found
        .tries
        .iter()
        .map(|attempt| conditional(&name, attempt))
        .collect::<String>()
}

fn conditional(name: &str, attempt: &Function) -> String {
    let mut parts = attempt.name.rsplit('_');
    let ext = match attempt
        .name
        .split('_')
        .any(|part| part == "try" || part == "trylock")
    {
        true => "try",
        false => parts
            .find(|part| !["read", "write"].contains(part))
            .unwrap_or("try"),
    };
    let call = format!("{}(_T)", attempt.c);
    match (&attempt.errno, attempt.ret.plain()) {
        (Some(_), _) => format!("DEFINE_GUARD_COND({name}, _{ext}, {call}, _RET == 0)\n"),
        (None, CType::Bool | CType::Int(_)) => {
            format!("DEFINE_GUARD_COND({name}, _{ext}, {call})\n")
        }
        _ => String::new(),
    }
}

/// The name of the class of a guard.
fn class(tag: &str, guard: &str) -> String {
    let kind = snake(
        guard
            .strip_suffix("Guard")
            .filter(|kind| !kind.is_empty())
            .unwrap_or(guard),
    );
    match tag.ends_with(&kind) {
        true => tag.to_owned(),
        false => format!("{tag}_{kind}"),
    }
}
