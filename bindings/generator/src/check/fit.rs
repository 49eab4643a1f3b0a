// SPDX-License-Identifier: GPL-2.0

//! Which clauses are allowed with which role, and which roles with which way of holding an object. A function with a
//! combination that is not listed here is left out.

use super::types;
use super::types::Ty;
use super::types::Why;
use crate::model::clauses::written;
use crate::model::Again;
use crate::model::Api;
use crate::model::Function;
use crate::model::Object;
use crate::model::Param;
use crate::model::ParamKind;
use crate::model::Protocol;
use crate::model::Returns;
use crate::model::Role;
use crate::model::Shape;
use crate::model::Stated;
use crate::read::CType;

/// Why a function has no counterpart on the typed side, if its clauses, its role and its object do not fit.
pub(super) fn check(api: &Api, function: &Function) -> Result<(), Why> {
    clauses(function)?;
    owner(api, function)?;
    alone(api, function)?;
    params(api, function)?;
    released(function)?;
    required(api, function)?;
    unbound(api, function)?;
    scoped(api, function)?;
    leaks(api, function)?;
    result(api, function)?;
    name(api, function)
}

/// The clause of a role.
pub(super) fn keyword(role: &Role) -> &'static str {
    match role {
        Role::Constructor => "constructor",
        Role::Destructor => "destructor",
        Role::Get => "get",
        Role::Put => "put",
        Role::Lock(_) => "lock",
        Role::TryLock(_) => "trylock",
        Role::Unlock(_) => "unlock",
        Role::Enter => "enter",
        Role::Leave => "leave",
        Role::Outcome => "outcome",
        Role::Begin(_) => "begin",
        Role::Check(_) => "check",
        Role::Iterator(_) => "iterator",
        Role::Method => "method",
    }
}

/// The further clauses that are allowed on a function in that role.
fn permitted(role: &Role) -> &'static [&'static str] {
    match role {
        Role::Constructor => &["errno", "nullable", "stage", "unsafe", "leaked", "scoped"],
        Role::Method => &[
            "requires", "errno", "plain", "owned", "borrowed", "constant", "nullable", "stage",
            "unsafe",
        ],
        Role::Destructor => &["deferred", "waits", "leaked", "reaped", "plain"],
        Role::Put => &["leaked", "reaped"],
        Role::Lock(_) => &["requires", "plain", "unbound", "scoped"],
        Role::TryLock(_) => &["requires", "errno", "plain", "unbound", "scoped"],
        Role::Unlock(_) => &["requires"],
        Role::Outcome => &["errno"],
        Role::Begin(_) => &["plain"],
        _ => &[],
    }
}

fn clauses(function: &Function) -> Result<(), Why> {
    surely(function)?;
    let made = function.role == Role::Constructor;
    let present = [
        ("requires", function.requires.is_some()),
        ("errno", function.errno.is_some()),
        ("plain", function.plain),
        ("owned", function.returns == Returns::Owned && !made),
        ("borrowed", function.returns == Returns::Borrowed),
        ("nullable", function.nullable),
        ("stage", function.stage.is_some()),
        ("unsafe", function.promise.is_some()),
        ("deferred", function.deferred.is_some()),
        ("waits", function.waits),
        ("leaked", function.leaked.is_some()),
        ("reaped", function.reaped.is_some()),
        ("constant", function.constant),
        ("unbound", function.unbound),
        ("scoped", function.scoped),
    ];
    let permitted = permitted(&function.role);
    match present
        .iter()
        .find(|(name, present)| *present && !permitted.contains(name))
    {
        Some((name, _)) => Err(Why::new(
            format!("`{name}` means nothing on a `{}`", keyword(&function.role)),
            format!("remove `{name}`, or put a function without it under contract"),
        )),
        None => Ok(()),
    }
}

/// What ends an object, or takes or drops a reference, does so in any case: nobody sees its result.
fn surely(function: &Function) -> Result<(), Why> {
    let signed = matches!(function.ret.plain(), CType::Int("i32" | "isize" | "i64"));
    let pointer = matches!(function.ret.plain(), CType::Pointer { .. });
    let ends = matches!(function.role, Role::Destructor | Role::Put);
    match function.role {
        _ if ends && function.errno.is_some() => Err(Why::new(
            "it may fail, and the object is gone on the typed side all the same",
            "put a static inline under contract that ends it in any case",
        )),
        Role::Destructor if signed && !function.plain => Err(Why::new(
            "its result may be an error, and the object is gone on the typed side all the same",
            "add `plain` if the number reports no failure, else put a static inline under contract that ends it in any \
             case",
        )),
        Role::Get if function.nullable => Err(Why::new(
            "it may fail, and taking a reference must not",
            "put `get` on a function that always takes one, and make this one a `method` that is `owned`",
        )),
        Role::Get if pointer && !function.never_null => Err(Why::new(
            "the contract does not state whether it always takes a reference",
            "add `nonnull` if it returns the object in any case",
        )),
        _ => Ok(()),
    }
}

/// The object of a function, if it has one.
fn object<'a>(api: &'a Api, function: &Function) -> Option<&'a Object> {
    function.owner.as_deref().and_then(|tag| api.object(tag))
}

fn owner(api: &Api, function: &Function) -> Result<(), Why> {
    let tag = function.owner.as_deref().unwrap_or_default();
    let role = keyword(&function.role);
    let object = object(api, function);
    if object.is_some_and(|object| api.module(object.span).is_some())
        && api.module(function.span).is_none()
    {
        return Err(Why::new(
            format!("`struct {tag}` is in another module"),
            "put the function under contract in the module of its object",
        ));
    }
    read_only(api, function)?;
    let needs_section = matches!(
        function.role,
        Role::Enter | Role::Leave | Role::Outcome | Role::Iterator(_)
    );
    if needs_section && api.section(tag).is_none() {
        return Err(Why::new(
            format!("`{role}` is for a section, and `struct {tag}` is not one"),
            "put `section(\"Name\", of(tag))` on the structure",
        ));
    }
    match object {
        Some(object) => held(api, object, function),
        None => unowned(api, function, tag, needs_section),
    }
}

/// A function of a record, of a section, or of nothing.
fn unowned(api: &Api, function: &Function, tag: &str, needs_section: bool) -> Result<(), Why> {
    let free = needs_section || function.role == Role::Method;
    let record = api.record(tag).filter(|record| record.by_reference());
    let by_value = function
        .this
        .is_some_and(|this| function.params[this].ty.pointee_record().is_none());
    if record.is_some() && by_value {
        return Err(Why::new(
            super::record::not_copied(api, tag),
            "pass a pointer to const",
        ));
    }
    if !free || function.requires.is_some() {
        let what = if free {
            "requires"
        } else {
            keyword(&function.role)
        };
        return Err(Why::new(
            format!("`{what}` is for an object, and `{tag}` is not one"),
            "put `object(\"Name\")` on the structure",
        ));
    }
    Ok(())
}

/// Whether the role fits how the object is held.
fn held(api: &Api, object: &Object, function: &Function) -> Result<(), Why> {
    let (tag, role) = (&object.tag, keyword(&function.role));
    let fits = match function.role {
        Role::Get if object.shape == Shape::Pinned => {
            let end = api.one_in_role(tag, |role| *role == Role::Destructor);
            end.is_some_and(|end| end.counts)
        }
        Role::Get | Role::Put => object.shape == Shape::Counted,
        Role::Destructor => matches!(object.shape, Shape::Pinned | Shape::Owned),
        Role::Constructor if function.this.is_some() => object.shape == Shape::Pinned,
        Role::Constructor => matches!(object.shape, Shape::Owned | Shape::Counted),
        _ => true,
    };
    if !fits {
        let held = match object.shape {
            Shape::Pinned => "is initialised in place",
            Shape::Counted => "is held by count",
            Shape::Owned => "is returned by its constructor",
            _ => "is reached by reference only",
        };
        return Err(Why::new(
            format!("`struct {tag}` {held}, which does not fit `{role}`"),
            format!("remove `{role}`, or the functions by which it is held that way"),
        ));
    }
    if function.role == Role::Constructor && function.leaked.is_some() {
        constructed(api, object)?;
    }
    if function.deferred.is_some() && object.shape != Shape::Pinned {
        return Err(Why::new(
            format!("`struct {tag}` is freed by C, and `deferred` is for objects that the typed side frees"),
            "remove `deferred`",
        ));
    }
    let typed = !object.stages.is_empty() || object.lifetime;
    let locks = matches!(
        function.role,
        Role::Lock(_) | Role::TryLock(_) | Role::Unlock(_) | Role::Begin(_) | Role::Check(_)
    );
    match typed && locks {
        true => Err(Why::new(
            format!(
                "`struct {tag}` has stages, is outlived by something or is `scoped`, and a guard has one type"
            ),
            "remove the lock from the contract",
        )),
        false => Ok(()),
    }
}

/// `leaked` is on what ends an object, and on the constructor if nothing does.
fn constructed(api: &Api, object: &Object) -> Result<(), Why> {
    let ends = |role: &Role| matches!(role, Role::Destructor | Role::Put);
    match api.one_in_role(&object.tag, ends) {
        Some(end) => Err(Why::new(
            format!("`leaked` is for `{}`, which ends the object", end.c),
            format!("move `leaked` to `{}`", end.c),
        )),
        None => Ok(()),
    }
}

/// A record that is passed by reference, or is a copy, must not be written to.
fn read_only(api: &Api, function: &Function) -> Result<(), Why> {
    let Some(this) = function.this.map(|index| &function.params[index]) else {
        return Ok(());
    };
    let tag = function.owner.as_deref().unwrap_or_default();
    let runs = matches!(function.role, Role::Enter | Role::Leave);
    let written = this.ty.pointee_record().is_some() && !this.ty.is_const_pointer();
    match api.object(tag).is_none() && written && !runs {
        true => Err(Why::new(
            format!(
                "parameter `{}`: the function may write to `struct {tag}`, which is read-only",
                this.name
            ),
            "make the pointer const",
        )),
        false => Ok(()),
    }
}

/// All roles but constructors, methods, trylocks and iterators occur once per object.
fn alone(api: &Api, function: &Function) -> Result<(), Why> {
    if matches!(
        function.role,
        Role::Constructor | Role::Method | Role::TryLock(_) | Role::Iterator(_)
    ) {
        return Ok(());
    }
    let tag = function.owner.as_deref().unwrap_or_default();
    if let Role::Check(name) = &function.role {
        let begun = |section: &crate::model::Section| {
            section.protocol == Protocol::Sequence && section.name == *name && section.of == tag
        };
        if !api.sections.iter().any(begun) {
            return Err(Why::new(
                format!("no function begins the section `{name}` of `struct {tag}` that it checks"),
                format!("put `begin(\"{name}\")` on its counterpart"),
            ));
        }
    }
    match api.one_in_role(tag, |role| *role == function.role) {
        Some(first) if first.c != function.c && !matches!(function.role, Role::Lock(_)) => {
            Err(Why::new(
                format!(
                    "`{}` is the `{}` of `struct {tag}` already",
                    first.c,
                    keyword(&function.role)
                ),
                "remove the clause from one of the two",
            ))
        }
        _ => Ok(()),
    }
}

/// The number of parameters of a role; `None` if any number is allowed.
fn arity(function: &Function) -> Option<usize> {
    match &function.role {
        Role::Unlock(_) if function.cookie().is_some() => Some(2),
        Role::Destructor => {
            let kept = function
                .params
                .iter()
                .filter(|param| matches!(param.kind, ParamKind::Kept(_) | ParamKind::Release));
            Some(1 + kept.count())
        }
        Role::Constructor | Role::Method | Role::Lock(_) | Role::TryLock(_) => None,
        Role::Check(_) | Role::Iterator(_) => Some(2),
        _ => Some(1),
    }
}

fn params(api: &Api, function: &Function) -> Result<(), Why> {
    let role = keyword(&function.role);
    if let Some(wanted) = arity(function).filter(|wanted| *wanted != function.params.len()) {
        return Err(Why::new(
            format!(
                "`{role}` has {wanted} parameter{}",
                if wanted == 1 { "" } else { "s" }
            ),
            match function.role {
                Role::Destructor => "put `kept` on a parameter that its constructor keeps",
                Role::Unlock(_) => {
                    "put `cookie` on the parameter for the value that the lock returned"
                }
                _ => "put a static inline that sets the others under contract",
            },
        ));
    }
    if let Some(cookie) = function
        .cookie()
        .filter(|_| !matches!(function.role, Role::Unlock(_)))
    {
        return Err(Why::new(
            format!(
                "parameter `{}`: only an `unlock` takes the value that its lock returned",
                cookie.name
            ),
            "remove `cookie`",
        ));
    }
    outs(api, function)?;
    let mut tables = 0;
    for (index, param) in function.params.iter().enumerate() {
        if function.this == Some(index) {
            if !matches!(param.kind, ParamKind::Plain | ParamKind::Borrows) || param.nullable {
                return Err(Why::new(
                    format!(
                        "parameter `{}` is the object itself, which is never NULL",
                        param.name
                    ),
                    "remove the clauses on it",
                ));
            }
            own_address(api, function, param)?;
            continue;
        }
        if matches!(function.role, Role::Iterator(_)) {
            item(api, param)?;
            continue;
        }
        if param.kind == ParamKind::Release {
            continue;
        }
        let ty = types::of_param(api, param)?;
        if matches!(ty, Ty::Table(_) | Ty::Callback) {
            tables += 1;
            table(api, function, &ty, tables, param)?;
        }
        other(api, function, param, &ty)?;
    }
    Ok(())
}

/// A method of a record that contains an address is as one that is given the address.
fn own_address(api: &Api, function: &Function, param: &Param) -> Result<(), Why> {
    let tag = function.owner.as_deref().unwrap_or_default();
    match types::is_address(api, &Ty::Record(tag.to_owned())) {
        true => address(function).map_err(|why| {
            Why::new(
                format!("parameter `{}`: {}", param.name, why.reason),
                why.remedy,
            )
        }),
        false => Ok(()),
    }
}

/// Before its first step an iterator has an item of zeros. Each step gives out a copy, which may be kept.
fn item(api: &Api, param: &Param) -> Result<(), Why> {
    let record = param.ty.pointee_record().and_then(|tag| api.record(tag));
    if let Some(record) = record.filter(|record| record.by_reference() && !record.confined) {
        return Err(Why::new(
            format!(
                "a `struct {}` has pointers, and may be kept when its section has ended",
                record.tag
            ),
            format!("add `confined` to `struct {}`", record.tag),
        ));
    }
    match param
        .ty
        .pointee_record()
        .filter(|tag| types::has_bits(api, tag))
    {
        Some(tag) => Err(Why::new(
            format!("`struct {tag}` has bit-fields, and cannot be made of zeros in Rust"),
            "have the items be structures without bit-fields",
        )),
        None => Ok(()),
    }
}

/// A parameter that is not the object itself.
fn other(api: &Api, function: &Function, param: &Param, ty: &Ty) -> Result<(), Why> {
    match ty {
        Ty::Closure => closure(api, function, param)?,
        Ty::LengthOf(slice) => length(function, param, slice)?,
        _ => {}
    }
    parameters(api, function, param, ty)?;
    if types::is_address(api, ty) && param.kind != ParamKind::Out {
        address(function).map_err(|why| {
            Why::new(
                format!("parameter `{}`: {}", param.name, why.reason),
                why.remedy,
            )
        })?;
    }
    let may_be_null = matches!(ty, Ty::Object(_) | Ty::RecordRef(_) | Ty::Text)
        && matches!(param.kind, ParamKind::Borrows | ParamKind::Plain)
        || matches!(ty, Ty::Identity { nonnull: false });
    match param.nullable && !may_be_null {
        true => Err(Why::new(
            format!(
                "parameter `{}`: `nullable` does not apply to this type",
                param.name
            ),
            "remove it: a value can always be passed",
        )),
        false => Ok(()),
    }
}

/// Behind an address can be anything, as memory of another driver, whether the CPU or a device accesses it.
pub(super) fn address(function: &Function) -> Result<(), Why> {
    match function.promise {
        Some(_) => Ok(()),
        None => Err(Why::new(
            "any address could be given, also one of memory that others use",
            "add `unsafe(\"...\")` to the function: what the caller must promise of the address",
        )),
    }
}

/// C gives an object's address to its callbacks, so there must be callbacks, and an address that does not change.
fn closure(api: &Api, function: &Function, param: &Param) -> Result<(), Why> {
    let in_place = function.role == Role::Constructor && function.this.is_some();
    let calls = object(api, function).is_some_and(|object| object.operations.is_some());
    match in_place && calls {
        true => Ok(()),
        false => Err(Why::new(
            format!(
                "parameter `{}`: no callback is given the address of the object",
                param.name
            ),
            "only a constructor in place of an object with callbacks has a `closure`",
        )),
    }
}

/// A function with `out` parameters returns them, and nothing else.
fn outs(api: &Api, function: &Function) -> Result<(), Why> {
    if let Some(made) = function.params.iter().find(|param| param.made().is_some()) {
        return makes(api, function, made);
    }
    let Some(out) = function
        .params
        .iter()
        .find(|param| param.kind == ParamKind::Out)
    else {
        return Ok(());
    };
    let errno = function.returns == Returns::Errno && !function.plain;
    let retries = function
        .errno
        .as_ref()
        .is_some_and(|errno| !errno.retry.is_empty());
    let leads = function
        .stage
        .as_ref()
        .is_some_and(|stage| stage.next.is_some());
    let free = *function.ret.plain() == CType::Void || errno && !retries;
    match function.role == Role::Method && free && !leads {
        true => Ok(()),
        false => Err(Why::new(
            format!("parameter `{}`: the function also has a result", out.name),
            "only a method that returns nothing, or an `errno`, can have `out` parameters",
        )),
    }
}

/// A constructor that sets a pointer to the object, and returns an error, does nothing else.
fn makes(api: &Api, function: &Function, made: &Param) -> Result<(), Why> {
    let refuse = |why: &str, remedy: &str| {
        Err(Why::new(
            format!("parameter `{}`: {why}", made.name),
            remedy,
        ))
    };
    if function.role != Role::Constructor || function.made.as_deref() != made.made() {
        return refuse(
            "only a constructor sets a pointer to an object, the one that it makes",
            "write `constructor`, or put a function that returns the object under contract",
        );
    }
    let retries = function
        .errno
        .as_ref()
        .is_some_and(|errno| !errno.retry.is_empty());
    let int = *function.ret.plain() == CType::Int("i32");
    let outs = function
        .params
        .iter()
        .filter(|param| param.kind == ParamKind::Out)
        .count();
    let known = api.object(made.made().unwrap_or_default()).is_some();
    match function.errno.is_some() && int && !retries && !function.nullable && outs == 1 && known {
        true => Ok(()),
        false => refuse(
            "the function does not just report whether it made the object",
            "return an `errno`",
        ),
    }
}

/// A length narrower than `usize` may be too small for the slice, so the function must be able to fail.
fn length(function: &Function, param: &Param, slice: &str) -> Result<(), Why> {
    let fails = function.errno.is_some() && function.role == Role::Method;
    match *param.ty.plain() == CType::Int("usize") || fails {
        true => Ok(()),
        false => Err(Why::new(
            format!(
                "parameter `{}`: its type is too small for the length of `{slice}`",
                param.name
            ),
            "make it a size_t, or have the function return an `errno`",
        )),
    }
}

/// The type that determines an object's type parameters: its own, or that of an object it keeps.
pub(super) fn generic<'a>(api: &'a Api, object: &'a Object) -> Option<&'a str> {
    if object.is_generic() {
        return Some(&object.tag);
    }
    let made = api.in_role(&object.tag, |role| *role == Role::Constructor);
    let kept = made
        .flat_map(|made| &made.params)
        .filter(|param| param.kind == ParamKind::Keeps);
    let kept = kept
        .filter_map(|param| param.ty.pointee_record())
        .filter(|tag| *tag != object.tag);
    kept.filter_map(|tag| api.object(tag))
        .find(|other| other.is_generic())
        .map(|other| other.tag.as_str())
}

/// An object with a type parameter can only be a parameter where that type is known.
fn parameters(api: &Api, function: &Function, param: &Param, ty: &Ty) -> Result<(), Why> {
    let Ty::Object(tag) = ty else { return Ok(()) };
    let Some(wanted) = api.object(tag).and_then(|other| generic(api, other)) else {
        return Ok(());
    };
    let own = object(api, function);
    let known = own.and_then(|own| generic(api, own)) == Some(wanted);
    let outlived = own.is_some_and(|own| own.lifetime) && function.role == Role::Constructor;
    match known || outlived {
        true => Ok(()),
        false => Err(Why::new(
            format!(
                "parameter `{}`: the type of the data of `struct {tag}` is not known here",
                param.name
            ),
            format!("make it a function of `struct {tag}`"),
        )),
    }
}

fn table(api: &Api, function: &Function, ty: &Ty, count: usize, param: &Param) -> Result<(), Why> {
    let refuse = |why: String, remedy: &str| {
        Err(Why::new(
            format!("parameter `{}`: {why}", param.name),
            remedy,
        ))
    };
    let object = object(api, function).filter(|object| object.shape == Shape::Pinned);
    let Some(object) = object.filter(|_| function.role == Role::Constructor) else {
        return refuse(
            "callbacks find the object by container_of!(), and this one does not contain C's structure"
                .into(),
            "only a constructor that initialises an object in place takes callbacks",
        );
    };
    let tag = match ty {
        Ty::Table(tag) => tag.as_str(),
        _ => function.c.as_str(),
    };
    let own = api
        .table(tag)
        .is_some_and(|table| object.operations.as_ref() == Some(&table.name));
    if count > 1 || !own {
        return refuse(
            format!("`struct {}` has callbacks already", object.tag),
            "an object has one trait; remove one of the tables from the contract",
        );
    }
    match param.ty.is_const_pointer() || *ty == Ty::Callback {
        true => Ok(()),
        false => refuse("C may write to the table".into(), "make the pointer const"),
    }
}

/// A guard that belongs to no thread gives no access to data: the type shows only that the object may be shared.
fn unbound(api: &Api, function: &Function) -> Result<(), Why> {
    let (Role::Lock(guard) | Role::TryLock(guard)) = &function.role else {
        return Ok(());
    };
    let tag = function.owner.as_deref().unwrap_or_default();
    let same =
        |role: &Role| matches!(role, Role::Lock(name) | Role::TryLock(name) if name == guard);
    if let Some(other) = api
        .in_role(tag, same)
        .find(|other| other.unbound != function.unbound)
    {
        return Err(Why::new(
            format!(
                "`{}` and `{}` take `{guard}`, and one of them is not `unbound`",
                function.c, other.c
            ),
            "a guard has one type: write `unbound` on both, or on none",
        ));
    }
    let data = object(api, function)
        .map(|object| object.data.as_slice())
        .unwrap_or_default();
    let section = |section: &crate::model::Section| {
        section.of == tag
            && section
                .holds
                .as_ref()
                .is_some_and(|(held, _)| held == guard)
    };
    let locks = data.iter().any(|(name, _)| name == guard) || api.sections.iter().any(section);
    match function.unbound && locks {
        true => Err(Why::new(
            format!("`{guard}` gives access to data, so it belongs to a thread"),
            "remove `unbound`, or `data`",
        )),
        false => Ok(()),
    }
}

/// What a closure holds cannot be leaked, unless another function gives out the same guard.
fn scoped(api: &Api, function: &Function) -> Result<(), Why> {
    let (Role::Lock(guard) | Role::TryLock(guard)) = &function.role else {
        return Ok(());
    };
    let tag = function.owner.as_deref().unwrap_or_default();
    let same =
        |role: &Role| matches!(role, Role::Lock(name) | Role::TryLock(name) if name == guard);
    let begun = |section: &crate::model::Section| {
        section.of == tag
            && section.protocol != crate::model::Protocol::Entered
            && section
                .holds
                .as_ref()
                .is_some_and(|(held, _)| held == guard)
    };
    let lends = api.in_role(tag, same).find(|other| other.scoped);
    match lends {
        Some(other) if !function.scoped => Err(Why::new(
            format!(
                "`{}` lends `{guard}` to a closure, and nobody can own one",
                other.c
            ),
            "write `scoped` on both, or on none",
        )),
        Some(_) if function.unbound => Err(Why::new(
            "what is `unbound` may be released later, and what is `scoped` when a closure returns",
            "remove one of the two",
        )),
        Some(_) if api.sections.iter().any(begun) => Err(Why::new(
            format!("a section that `begin` starts takes `{guard}` itself"),
            "remove `scoped`",
        )),
        _ => Ok(()),
    }
}

/// A guard can be leaked (`mem::forget`), and the object then ended: the contract must state whether C permits that.
fn leaks(api: &Api, function: &Function) -> Result<(), Why> {
    if function.scoped || !matches!(function.role, Role::Lock(_) | Role::TryLock(_)) {
        return Ok(());
    }
    let tag = function.owner.as_deref().unwrap_or_default();
    let made = || api.in_role(tag, |role| *role == Role::Constructor);
    let ends = |role: &Role| matches!(role, Role::Destructor | Role::Put);
    let silent = |made: &&Function| made.promise.is_none();
    match api.one_in_role(tag, ends) {
        Some(end) => match (end.leaked, made().find(silent)) {
            (Some(Stated::Promised), Some(made)) => Err(unpromised(end, made)),
            (Some(_), _) => Ok(()),
            (None, _) => Err(Why::new(
                format!(
                    "its guard can be leaked, and nothing states what `{}` does then",
                    end.c
                ),
                format!(
                    "add `leaked` to `{}` if it may run all the same, else `leaked(unsafe)`",
                    end.c
                ),
            )),
        },
        None if made().next().is_none() => Err(Why::new(
            format!("its guard can be leaked, and nothing states what ends `struct {tag}`, or what that does then"),
            "add `scoped`: the lock is held while a closure runs",
        )),
        None => freed(function, made()),
    }
}

fn unpromised(end: &Function, made: &Function) -> Why {
    Why::new(
        format!(
            "`{}` must not run after a guard was leaked, and nobody promises that",
            end.c
        ),
        format!("add `unsafe(\"no guard of it is leaked\")` to `{}`", made.c),
    )
}

/// An object in place that nothing ends: its constructors state what a leaked guard does to the memory that is freed.
fn freed<'a>(lock: &Function, mut made: impl Iterator<Item = &'a Function>) -> Result<(), Why> {
    let unsure = |made: &&Function| match made.leaked {
        Some(Stated::Harmless) => false,
        Some(Stated::Promised) => made.promise.is_none(),
        None => true,
    };
    match made.find(unsure) {
        Some(made) if made.leaked.is_some() => Err(Why::new(
            format!(
                "the memory of the object must not be freed while `{}` is not undone, and nobody promises that",
                lock.c
            ),
            format!("add `unsafe(\"no guard of it is leaked\")` to `{}`", made.c),
        )),
        Some(made) => Err(Why::new(
            format!(
                "its guard can be leaked, and the memory of the object freed while `{}` is not undone",
                lock.c
            ),
            format!(
                "add `leaked` to `{}` if C does not access the memory then, else `leaked(unsafe)`, or put a function \
                 that undoes it under contract as the `destructor`",
                made.c
            ),
        )),
        None => Ok(()),
    }
}

/// A method that releases a lock (`__releases`) has it held before, and a guard exists as long as it is held.
fn released(function: &Function) -> Result<(), Why> {
    match (&function.role, function.releases) {
        (Role::Method, Some(Again::Released)) => Err(Why::new(
            "it releases a lock (`__releases`), whose guard would still exist",
            "write `unlock` if it is the counterpart of a `lock`, else remove the function from the contract",
        )),
        (Role::Method, Some(Again::Held)) if function.requires.is_none() => Err(Why::new(
            "it releases a lock (`__releases`) that the contract does not require to be held",
            "add `requires(Guard)`",
        )),
        _ => Ok(()),
    }
}

/// `requires` must name a guard of the same object: the function becomes a method of that guard.
fn required(api: &Api, function: &Function) -> Result<(), Why> {
    let Some((guard, _)) = &function.requires else {
        return Ok(());
    };
    if let Role::Unlock(own) = &function.role {
        return match own == guard {
            true => Ok(()),
            false => Err(Why::new(
                format!("it releases `{own}`, and nothing shows that `{guard}` is held then"),
                "a lock is released when its guard is dropped; remove `requires`",
            )),
        };
    }
    let tag = function.owner.as_deref().unwrap_or_default();
    let of = |other: &&Function| matches!(&other.role, Role::Lock(name) | Role::TryLock(name) if name == guard);
    if !api.in_role(tag, |_| true).any(|other| of(&other)) {
        let elsewhere = api
            .functions
            .iter()
            .find(of)
            .and_then(|other| other.owner.clone());
        return Err(match elsewhere {
            Some(other) => Why::new(
                format!(
                    "`{guard}` is a guard of `struct {other}`, and nothing shows of which object it is held"
                ),
                format!("only functions of `struct {other}` are methods of its guard"),
            ),
            None => Why::new(format!("no function takes `{guard}`"), "complete the contract of the lock"),
        });
    }
    let (Role::Lock(inner) | Role::TryLock(inner)) = &function.role else {
        return Ok(());
    };
    let data = object(api, function)
        .map(|object| object.data.as_slice())
        .unwrap_or_default();
    let shows = |name: &String| data.iter().any(|(guard, _)| guard == name);
    match inner == guard || shows(inner) && shows(guard) {
        true => Err(Why::new(
            format!("`{inner}` is taken while `{guard}` is held, and both give access to the data"),
            "name only one of the two in `data`",
        )),
        false => Ok(()),
    }
}

fn result(api: &Api, function: &Function) -> Result<(), Why> {
    let ret = function.ret.plain();
    let number = matches!(ret, CType::Bool | CType::Int(_));
    match &function.role {
        Role::Constructor if function.this.is_some() => made_in_place(function)?,
        Role::Lock(guard) | Role::TryLock(guard) => locked(api, function, guard)?,
        Role::Begin(name) => begun(api, function, name)?,
        Role::Iterator(_) if !number => {
            return Err(Why::new(
                "its result does not report whether there is a next item",
                "return a bool, or an int",
            ))
        }
        Role::Get if number => {
            return Err(Why::new(
                "it may fail, and taking a reference must not",
                "a `get` returns nothing",
            ))
        }
        _ => {}
    }
    if let Some(tag) = function
        .ret
        .pointee_record()
        .filter(|_| function.role != Role::Constructor)
    {
        let wanted = api.object(tag).and_then(|other| generic(api, other));
        let own = object(api, function).and_then(|own| generic(api, own));
        if wanted.is_some() && wanted != own {
            return Err(Why::new(
                format!(
                    "the type of the data of the `struct {tag}` that it returns is not known here"
                ),
                "remove the function from the contract",
            ));
        }
    }
    let retries = function
        .errno
        .as_ref()
        .is_some_and(|errno| !errno.retry.is_empty());
    if retries
        && (function.role != Role::Method || function.plain || function.returns != Returns::Errno)
    {
        return Err(Why::new(
            "a function with `retry` cannot have another result",
            "remove `retry`, and test the error",
        ));
    }
    Ok(())
}

fn made_in_place(function: &Function) -> Result<(), Why> {
    let wanted = match function.errno {
        Some(_) => CType::Int("i32"),
        None => CType::Void,
    };
    match *function.ret.plain() == wanted {
        true => Ok(()),
        false => Err(Why::new(
            format!(
                "the meaning of its result of type `{}` is not known",
                function.ret.spell()
            ),
            "a constructor in place returns nothing, or an int with `errno`",
        )),
    }
}

/// The result of a lock must be used: it reports a failure, or is an argument of the unlock.
fn locked(api: &Api, function: &Function, guard: &str) -> Result<(), Why> {
    let ret = function.ret.plain();
    let tag = function.owner.as_deref().unwrap_or_default();
    let unlock = api.one_in_role(
        tag,
        |role| matches!(role, Role::Unlock(name) if name == guard),
    );
    let always = matches!(function.role, Role::Lock(_));
    match unlock.and_then(Function::cookie) {
        Some(cookie) if !always || cookie.ty.plain() != ret => Err(Why::new(
            format!("it does not return the `{}` that the unlock of `{guard}` takes", cookie.ty.spell()),
            "return it from the lock; a `trylock` cannot return it",
        )),
        None if always && *ret != CType::Void => Err(Why::new(
            format!("its result is not used, and `{guard}` is held in any case"),
            "write `trylock` if it may fail, or put `cookie` on the parameter of the unlock that takes the result",
        )),
        _ if !always && function.errno.is_some() && *ret != CType::Int("i32") => {
            Err(Why::new("a lock that may fail returns its error as an `int`", "remove `errno`"))
        }
        _ if !always && function.inverted => Err(Why::new(
            "false means that the lock is held (`__cond_acquires(false, ...)`)",
            "put a static inline under contract that returns true then",
        )),
        _ if !always && function.errno.is_some() && function.plain => Err(Why::new(
            "zero means either that the lock is held or that it is not",
            "`errno` if zero means that it is held, `plain` if another number does; remove one",
        )),
        _ if !always && *ret != CType::Bool && function.errno.is_none() && !function.plain => Err(Why::new(
            "the contract does not state which number means that the lock is held",
            "add `errno` if zero does, and an error means that it is not; or `plain` if any other than zero does",
        )),
        _ => Ok(()),
    }
}

fn begun(api: &Api, function: &Function, name: &str) -> Result<(), Why> {
    let ret = function.ret.plain();
    let tag = function.owner.as_deref().unwrap_or_default();
    let check = api.one_in_role(
        tag,
        |role| matches!(role, Role::Check(other) if other == name),
    );
    let other = check.and_then(|check| check.params.get(1));
    match matches!(ret, CType::Int(_)) && other.is_some_and(|other| other.ty.plain() == ret) {
        true => Ok(()),
        false => Err(Why::new(
            "its result is not the sequence number that is checked",
            "use the type that `begin` returns for the parameter of `check`",
        )),
    }
}

/// Names that every type of a kind has, and names of items that are emitted for other declarations.
fn name(api: &Api, function: &Function) -> Result<(), Why> {
    if !matches!(
        function.role,
        Role::Constructor | Role::Method | Role::Lock(_) | Role::TryLock(_)
    ) {
        return Ok(());
    }
    let tag = function.owner.as_deref().unwrap_or_default();
    let guard = |function: &Function| function.requires.as_ref().map(|(guard, _)| guard.clone());
    let here = |other: &&Function| {
        other.c != function.c
            && written(&other.name) == written(&function.name)
            && guard(other) == guard(function)
            && !matches!(
                other.role,
                Role::Begin(_) | Role::Check(_) | Role::Iterator(_)
            )
            && (matches!(
                other.role,
                Role::Constructor | Role::Method | Role::Lock(_) | Role::TryLock(_)
            ))
    };
    let first = api
        .in_role(tag, |_| true)
        .find(|other| here(other) || other.c == function.c);
    let taken = match first {
        Some(first) if first.c != function.c => Some(format!("`{}`", first.c)),
        _ => reserved(api, function, tag),
    };
    match taken {
        Some(by) => Err(Why::new(
            format!("the name `{}` is taken by {by}", function.name),
            "add `name(\"other\")`",
        )),
        None => Ok(()),
    }
}

fn reserved(api: &Api, function: &Function, tag: &str) -> Option<String> {
    let name = function.name.as_str();
    if let Some(object) = api.object(tag) {
        if function.requires.is_some() {
            return (name == "as_pin" && !object.data.is_empty())
                .then(|| "a method of every guard".to_owned());
        }
        let always = ["as_raw", "from_raw", "around", "into_stage"].contains(&name)
            || name == "data" && object.is_generic();
        if always {
            return Some("a function of every object".into());
        }
        let section = api.sections.iter().find(|section| {
            let optional = section.given.iter().any(|given| given.optional);
            let whole = format!("{}_with", section.method);
            section.of == tag && (section.method == name || optional && whole == name)
        });
        return section.map(|section| format!("the section `{}`", section.name));
    }
    if let Some(record) = api.record(tag) {
        if name == "new" {
            return Some("the constructor of a record".into());
        }
        return record
            .members
            .iter()
            .find(|member| written(&member.name) == written(name))
            .map(|_| "a member".to_owned());
    }
    let newtype = api.tagged_int(tag).is_some() || api.flag_set(tag).is_some();
    (newtype && ["into_raw", "contains"].contains(&name))
        .then(|| "a method of every flag set and tagged integer".into())
}
