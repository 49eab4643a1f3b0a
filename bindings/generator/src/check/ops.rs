// SPDX-License-Identifier: GPL-2.0

//! Ops tables: the object of each, and how its callbacks reach the user's data.

use super::leave_out;
use super::types;
use super::types::Ty;
use super::types::Why;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Callback;
use crate::model::ParamKind;
use crate::model::Reached;
use crate::model::Role;
use crate::model::SelfKind;
use crate::model::Shape;
use crate::model::Sharing;
use crate::model::Table;
use crate::read::CType;
use crate::read::Parameter;

/// The tables that an object's constructors take: (tag of the table, tag of the object).
fn uses(api: &Api) -> Vec<(String, String)> {
    let mut uses = Vec::new();
    for function in api.functions.iter().filter(|f| f.role == Role::Constructor) {
        let Some(owner) = &function.owner else {
            continue;
        };
        for param in &function.params {
            match types::of_param(api, param) {
                Ok(Ty::Table(table)) => uses.push((table, owner.clone())),
                Ok(Ty::Callback) => uses.push((function.c.clone(), owner.clone())),
                _ => {}
            }
        }
    }
    for object in &api.objects {
        for given in &object.given {
            if given.callback.is_some() {
                uses.push((
                    format!("{}.{}", object.tag, given.field),
                    object.tag.clone(),
                ));
                continue;
            }
            if let Ok(Ty::Table(table)) = types::of(api, &given.ty, given.tag.as_deref()) {
                uses.push((table, object.tag.clone()));
            }
        }
    }
    uses
}

/// Leave out a table with its callbacks.
pub(super) fn table_falls(api: &mut Api, table: &Table, why: Why) {
    for callback in table.callbacks.iter().filter(|_| !table.single) {
        let name = format!("{}.{}", table.tag, callback.signature.name);
        leave_out(api, &name, callback.signature.span, why.clone());
    }
    leave_out(api, &table.declared_as(), table.span, why);
}

/// Settle the objects and callbacks of the tables.
pub(super) fn check(api: &mut Api, diagnostics: &mut Diagnostics) {
    let uses = uses(api);
    for index in 0..api.tables.len() {
        let table = api.tables[index].clone();
        match owner(api, &table, &uses) {
            Err(why) => table_falls(api, &table, why),
            Ok(owner) => {
                api.tables[index].callbacks = callbacks(api, &owner, table.clone(), diagnostics);
                if let Some(object) = api.objects.iter_mut().find(|object| object.tag == owner) {
                    object.operations = Some(table.name);
                }
            }
        }
    }
    let own = |name: &String| {
        api.objects
            .iter()
            .any(|object| object.operations.as_ref() == Some(name))
    };
    let kept: Vec<bool> = api.tables.iter().map(|table| own(&table.name)).collect();
    let mut kept = kept.into_iter();
    api.tables.retain(|_| kept.next().unwrap_or_default());
}

/// The object whose constructor takes a table.
fn owner(api: &Api, table: &Table, uses: &[(String, String)]) -> Result<String, Why> {
    let Some((_, owner)) = uses.iter().find(|(tag, _)| *tag == table.tag) else {
        return Err(match table.single {
            true => Why::new(
                "no constructor takes this callback, which is called for the data of an object",
                "put a function without it under contract",
            ),
            false => Why::new(
                "no constructor takes this table",
                "put `constructor` on the function that takes it, or `given` on the field that holds it",
            ),
        });
    };
    match api.object(owner).filter(|object| object.shape == Shape::Pinned) {
        None => Err(Why::new(
            format!("callbacks find the object around the `struct {owner}` that C has, and there is none"),
            "only a constructor that initialises an object in place takes callbacks",
        )),
        Some(object) if object.operations.is_some() => Err(Why::new(
            format!("`struct {owner}` has callbacks already"),
            "an object has one trait; remove one of the tables from the contract",
        )),
        Some(_) => Ok(owner.clone()),
    }
}

/// The callbacks of a table that can be typed; the others are reported.
fn callbacks(
    api: &mut Api,
    owner: &str,
    table: Table,
    diagnostics: &mut Diagnostics,
) -> Vec<Callback> {
    let mut kept = Vec::new();
    for mut callback in table.callbacks {
        match settle(api, owner, &callback) {
            Ok((object_at, reached, this)) => {
                callback.object_at = object_at;
                callback.reached = reached;
                callback.this = this;
                kept.push(callback);
            }
            Err(why) if callback.required => diagnostics.push(
                Diagnostic::error(
                    callback.signature.span,
                    format!(
                        "the required callback `{}` cannot be typed",
                        callback.signature.name
                    ),
                    why.reason,
                )
                .help(why.remedy),
            ),
            Err(why) => {
                let name = format!("{}.{}", table.tag, callback.signature.name);
                leave_out(api, &name, callback.signature.span, why);
            }
        }
    }
    kept
}

/// A callback must return a plain value.
fn returned(api: &Api, callback: &Callback) -> Result<(), Why> {
    let ret = callback.signature.ret.plain();
    if callback.errno.is_some() && *ret != CType::Int("i32") {
        return Err(Why::new(
            format!(
                "`errno` on a result of type `{}`",
                callback.signature.ret.spell()
            ),
            "a callback fails by an `int`; write `plain` if it is a number",
        ));
    }
    if callback.errno.is_some() && callback.plain {
        return Err(Why::new(
            "a number or an error is not taken from a callback yet",
            "take `plain` away",
        ));
    }
    let retry = callback
        .errno
        .as_ref()
        .is_some_and(|errno| !errno.retry.is_empty());
    if retry {
        return Err(Why::new(
            "C does not repeat the call of a callback",
            "remove `retry`",
        ));
    }
    let ty = types::of(api, &callback.signature.ret, None).map_err(|why| {
        let number = matches!(callback.signature.ret.plain(), CType::Enum(_));
        match number {
            true => why,
            false => Why::new(why.reason, "return a number or nothing"),
        }
    })?;
    if types::is_address(api, &ty) {
        return Err(Why::new(
            "safe code could return any address, also one of memory that others use",
            "return a number that C looks up, or nothing",
        ));
    }
    match ty {
        Ty::Unit | Ty::Bool | Ty::Int(_) | Ty::Choice(_) | Ty::Flags(_) | Ty::Tagged(_) => Ok(()),
        _ => Err(Why::new(
            format!(
                "a callback cannot return `{}` yet",
                callback.signature.ret.spell()
            ),
            "return a number or nothing",
        )),
    }
}

/// Whether that parameter is a pointer to that structure.
fn points_to(param: &Parameter, tag: &str) -> bool {
    param.ty.pointee_record() == Some(tag)
}

/// The parameter by which a callback finds its object.
fn reached(api: &Api, owner: &str, callback: &Callback) -> Result<(usize, Reached), Why> {
    let params = &callback.signature.params;
    if let Some(path) = &callback.member {
        let tag = member(api, owner, path)?;
        return match params.iter().position(|param| points_to(param, &tag)) {
            Some(index) => Ok((
                index,
                Reached::Member {
                    path: path.clone(),
                    tag,
                },
            )),
            None => Err(Why::new(
                format!("none of its parameters is the `struct {tag}` of `member({path})`"),
                "name the member that C gives to the callback",
            )),
        };
    }
    let marked = |param: &Parameter| {
        param
            .contract
            .terms
            .iter()
            .any(|term| term.name() == Some("closure"))
    };
    let void = |param: &&Parameter| matches!(param.ty.plain(), CType::Pointer { to, .. } if *to.plain() == CType::Void);
    if !params.iter().any(marked) {
        if let Some(index) = params.iter().position(|param| points_to(param, owner)) {
            return Ok((index, Reached::Object));
        }
    }
    let made = |role: &Role| *role == Role::Constructor;
    let closes = |made: &crate::model::Function| {
        made.params
            .iter()
            .any(|param| param.kind == ParamKind::Closure)
    };
    let all = api.one_in_role(owner, made).is_some() && api.in_role(owner, made).all(closes);
    let only = (params.iter().filter(void).count() == 1)
        .then(|| params.iter().position(|param| void(&param)));
    match params.iter().position(marked).or(only.flatten()) {
        Some(index) if all && void(&&params[index]) => Ok((index, Reached::Closure)),
        Some(_) => Err(Why::new(
            format!("nothing states that its `void *` is the `struct {owner}` it belongs to"),
            "put `closure` on the parameter of each constructor that C gives to the callback",
        )),
        None => Err(Why::new(
            format!("none of its parameters is the `struct {owner}` it belongs to"),
            format!(
                "only callbacks that are given the `struct {owner}`, a `member(...)` of it, or a `void *` that the \
                 constructor took as `closure`, can find the data"
            ),
        )),
    }
}

/// The structure that a member of an object is.
fn member(api: &Api, owner: &str, path: &str) -> Result<String, Why> {
    let mut tag = owner.to_owned();
    for name in path.split('.') {
        let fields = api.fields.get(&tag).map(Vec::as_slice).unwrap_or_default();
        match fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, ty)| ty.plain())
        {
            Some(CType::Record(inner)) => tag.clone_from(inner),
            Some(_) => {
                return Err(Why::new(
                    format!("`{name}` in `member({path})` is not a structure"),
                    "name a member that is a structure",
                ))
            }
            None => {
                return Err(Why::new(
                    format!("`struct {tag}` has no member `{name}` that is known here"),
                    "name a member of the object, and include the headers that define it",
                ))
            }
        }
    }
    Ok(tag)
}

/// What C gives to a callback is C's to choose: only a declaration can be completed.
fn of_c(why: Why) -> Why {
    let kept = ["declare it", "complete", "remove"];
    match kept.iter().any(|head| why.remedy.starts_with(head)) {
        true => why,
        false => Why::new(
            why.reason,
            "make the callback optional, or take it out of the contract",
        ),
    }
}

/// Whether a callback can be given that parameter.
fn passed(api: &Api, callback: &Callback, param: &Parameter) -> Result<(), Why> {
    let ty = types::of_callback(api, param).map_err(of_c)?;
    let foreign = |tag: &String| {
        api.object(tag)
            .is_some_and(|object| object.foreign.is_some())
    };
    let block = callback.block_at(&param.name).is_some();
    let owned = callback.owns(&param.name);
    let text = ty == Ty::Text && callback.borrows(&param.name);
    let lent = matches!(ty, Ty::Object(_)) && callback.borrows(&param.name);
    let pointed = matches!(ty, Ty::RecordRef(_)) || block || owned || text || lent;
    if pointed && !callback.never_null(&param.name) {
        return Err(Why::new(
            "the contract does not state that it is never NULL",
            "add `nonnull` to that parameter, which the field of an `ops` structure can have",
        ));
    }
    match &ty {
        Ty::Object(tag) if (block || owned) && foreign(tag) => Ok(()),
        Ty::Object(tag) if lent && !block && !owned => lent_object(api, tag),
        Ty::Text if text && !block && !owned => Ok(()),
        Ty::Text if !block && !owned => Err(Why::new(
            "the contract does not state how long the string is valid",
            "add `borrows, nonnull` if it is valid for the call",
        )),
        _ if owned => Err(Why::new(
            "nothing stands for what the callback owns",
            "add `foreign(\"path\")` to the structure: a type with `from_raw(pointer)`",
        )),
        Ty::Object(_) if !block => Err(Why::new(
            "the contract does not state how long the object is valid",
            "add `borrows, nonnull` if it is valid for the call, or `owned, nonnull` if it belongs to the callback",
        )),
        Ty::Text
        | Ty::Table(_)
        | Ty::Section(_)
        | Ty::Slice { .. }
        | Ty::LockClass
        | Ty::Closure
            if !block =>
        {
            Err(Why::new(
                "a callback cannot be given this yet",
                "make the callback optional, or take it out of the contract",
            ))
        }
        Ty::Choice(_) | Ty::Gfp | Ty::Record(_) => types::from_c(api, &ty),
        _ if block => Err(Why::new(
            "nothing stands for a block of these",
            "add `foreign(\"path\")` to the structure: a type with `from_raw(pointer, order)`",
        )),
        _ => Ok(()),
    }
}

/// An object that a callback may use for the call, on any thread, beside others.
fn lent_object(api: &Api, tag: &str) -> Result<(), Why> {
    let Some(object) = api.object(tag) else {
        return Ok(());
    };
    match object.shape {
        Shape::Counted | Shape::Borrowed if object.sync => Ok(()),
        Shape::Counted | Shape::Borrowed => Err(Why::new(
            format!("nothing states that several threads may use one `{}`", object.name),
            format!("add `sync` to `struct {tag}` if its functions may run on several threads at once"),
        )),
        _ => Err(Why::new(
            format!("a `struct {tag}` that C owns has the same type as one that Rust owns"),
            "only an object that is counted, or reached by reference only, can be lent to a callback",
        )),
    }
}

fn settle(api: &Api, owner: &str, callback: &Callback) -> Result<(usize, Reached, SelfKind), Why> {
    let (object_at, reached) = reached(api, owner, callback)?;
    let others = callback
        .signature
        .params
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != object_at);
    for (_, param) in others {
        passed(api, callback, param).map_err(|why| {
            Why::new(
                format!("parameter `{}`: {}", param.name, why.reason),
                why.remedy,
            )
        })?;
    }
    if matches!(callback.signature.ret.plain(), CType::Int("i32" | "isize"))
        && callback.errno.is_none()
        && !callback.plain
    {
        return Err(Why::new(
            "the contract does not state whether its integer result is an error",
            "add `errno`, or `plain` if it is a number",
        ));
    }
    returned(api, callback)?;
    let object = api.object(owner);
    let data = object
        .map(|object| object.data.as_slice())
        .unwrap_or_default();
    let required = callback.requires.as_ref().map(|(guard, _)| guard);
    let held = required.and_then(|guard| data.iter().find(|(name, _)| name == guard));
    let this = match held {
        Some((guard, Sharing::Exclusive)) => SelfKind::Exclusive(guard.clone()),
        Some((_, Sharing::Shared)) => SelfKind::Shared,
        None if data.is_empty() && !callback.whole => SelfKind::Shared,
        None => SelfKind::Object,
    };
    if let (SelfKind::Object, Some(object)) = (&this, object.filter(|object| !object.sync)) {
        return Err(Why::new(
            format!(
                "it is given the `{}`, on any thread, and nothing states that several may use one",
                object.name
            ),
            format!("add `sync` to `struct {owner}` if its functions may run on several threads at once"),
        ));
    }
    Ok((object_at, reached, this))
}
