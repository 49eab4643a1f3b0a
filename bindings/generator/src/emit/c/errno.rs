// SPDX-License-Identifier: GPL-2.0

//! Stricter prototypes: results that must be checked, locks that must be held.

use crate::emit::helpers::declare;
use crate::model::Api;
use crate::model::Function;
use crate::model::Returns;
use crate::model::Role;

/// A redeclaration of a function with the attributes that its contract adds; `None` if it adds none.
pub(super) fn stricter(api: &Api, function: &Function) -> Option<String> {
    let fails = function.errno.is_some() && function.role != Role::Outcome;
    let owned = function.returns == Returns::Owned;
    let check = (fails || owned) && !function.must_check;
    let held = function.requires.as_ref().and_then(|(guard, _)| lock(api, function, guard));
    if function.needs_helper || (!check && held.is_none()) {
        return None;
    }
    let params: Vec<String> = function.params.iter().map(|p| declare(&p.ty, &p.name)).collect();
    let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
    let ret = function.ret.spell();
    let space = if ret.ends_with('*') { "" } else { " " };
    let must = if check { "__must_check " } else { "" };
    let held = held.map(|(lock, kind)| format!(" __must_hold{kind}({lock})")).unwrap_or_default();
    Some(format!("{must}{ret}{space}{}({params}){held};\n", function.c))
}

/// The lock behind a guard, as an expression in the function's parameters, and how it is held.
fn lock(api: &Api, function: &Function, guard: &str) -> Option<(String, &'static str)> {
    let this = &function.params.get(function.this?)?.name;
    let wanted = Role::Lock(guard.to_owned());
    let enter = api.one_in_role(function.owner.as_deref()?, move |role| *role == wanted)?;
    let name = enter.lock_name.as_deref().unwrap_or_default();
    let (name, kind) = match name.strip_suffix(" shared") {
        Some(name) => (name, "_shared"),
        None => (name, ""),
    };
    Some(match name.split_once("->") {
        Some((_, member)) => (format!("&{this}->{member}"), kind),
        None => (this.clone(), kind),
    })
}
