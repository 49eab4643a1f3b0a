// SPDX-License-Identifier: GPL-2.0

//! Functions: a function whose contract is incomplete is left out.

use super::fit;
use super::lose;
use super::types;
use super::types::Ty;
use super::types::Why;
use crate::model::Api;
use crate::model::Function;
use crate::model::Param;
use crate::model::ParamKind;
use crate::model::Protocol;
use crate::model::Returns;
use crate::model::Role;
use crate::model::Shape;
use crate::model::Stated;
use crate::read::CType;

/// Leave out the functions whose contracts are incomplete.
pub(super) fn check(api: &mut Api) {
    let mut lost = Vec::new();
    for function in &api.functions {
        if let Err(why) = complete(api, function) {
            lost.push((function.c.clone(), why));
        }
    }
    for (name, why) in lost {
        lose(api, &name, why);
    }
}

fn complete(api: &Api, function: &Function) -> Result<(), Why> {
    owner(api, function)?;
    for (index, param) in function.params.iter().enumerate() {
        if function.this == Some(index) || param.kind == ParamKind::Release {
            continue;
        }
        let iterated = matches!(function.role, Role::Iterator(_));
        if iterated
            && param
                .ty
                .pointee_record()
                .is_some_and(|tag| api.record(tag).is_some())
        {
            continue;
        }
        let ty = types::of_param(api, param)?;
        stored(param, &ty)?;
        kept(
            api,
            function,
            param.kind == ParamKind::Keeps,
            &param.name,
            &ty,
        )?;
        outlives(
            api,
            function,
            param.kind == ParamKind::Outlives,
            &param.name,
            &ty,
        )?;
        if let ParamKind::Kept(name) = &param.kind {
            kept_before(api, function, param, name)?;
        }
        one_type(api, &param.name, &ty)?;
        if matches!(ty, Ty::Section(_)) {
            return Err(Why::new(
                format!(
                    "parameter `{}`: the state of a section cannot be a parameter",
                    param.name
                ),
                "make it the first parameter",
            ));
        }
    }
    if function.role == Role::Constructor {
        given(api, function)?;
    }
    if function.constant && function.returns != Returns::Borrowed {
        return Err(Why::new(
            "`constant` is for a result that is `borrowed`",
            "remove `constant`",
        ));
    }
    result(api, function)?;
    fit::check(api, function)
}

/// Check that the fields that are set before the constructor runs can be typed.
fn given(api: &Api, function: &Function) -> Result<(), Why> {
    let object = function.owner.as_deref().and_then(|tag| api.object(tag));
    for given in object.iter().flat_map(|object| &object.given) {
        if given.callback.is_some() {
            let tag = format!(
                "{}.{}",
                object.map(|object| object.tag.as_str()).unwrap_or_default(),
                given.field
            );
            let table = api.table(&tag).map(|table| &table.name);
            match table.is_some() && object.and_then(|object| object.operations.as_ref()) == table {
                true => continue,
                false => return Err(other_callbacks(&given.field)),
            }
        }
        let ty = types::of(api, &given.ty, given.tag.as_deref()).map_err(|why| {
            Why::new(
                format!("field `{}`: {}", given.field, why.reason),
                why.remedy,
            )
        })?;
        if types::is_address(api, &ty) {
            fit::address(function).map_err(|why| {
                Why::new(
                    format!("field `{}`: {}", given.field, why.reason),
                    why.remedy,
                )
            })?;
        }
        let table = match &ty {
            Ty::Table(tag) => api.table(tag).map(|table| &table.name),
            _ => None,
        };
        if table.is_some() && object.and_then(|object| object.operations.as_ref()) != table {
            return Err(other_callbacks(&given.field));
        }
        if matches!(ty, Ty::Object(_) | Ty::RecordRef(_) | Ty::Section(_)) {
            return Err(Why::new(
                format!("field `{}`: nothing keeps its object alive", given.field),
                "make it a parameter of the constructor with `keeps`",
            ));
        }
    }
    Ok(())
}

fn other_callbacks(field: &str) -> Why {
    Why::new(
        format!("field `{field}`: the object has other callbacks"),
        "an object has one trait; remove one of the tables from the contract",
    )
}

fn owner(api: &Api, function: &Function) -> Result<(), Why> {
    let Some(tag) = &function.owner else {
        return Err(Why::new(
            "it belongs to no object",
            "only functions with an object among their parameters, or that return one, are emitted",
        ));
    };
    let known = api.object(tag).is_some()
        || api.section(tag).is_some()
        || api.record(tag).is_some()
        || api.tagged_int(tag).is_some()
        || api.flag_set(tag).is_some();
    if !known {
        return Err(Why::new(
            format!("`struct {tag}` is not under contract"),
            format!("declare it: `struct __contract(object(\"...\")) {tag};`"),
        ));
    }
    let foreign = api
        .object(tag)
        .is_some_and(|object| object.shape == Shape::Foreign);
    if foreign {
        return Err(Why::new(
            format!("`struct {tag}` has its methods elsewhere"),
            "give it an object of ours as a parameter, or extend the type it has",
        ));
    }
    Ok(())
}

/// A contract must state whether C stores a pointer: silence is not permission.
fn stored(param: &Param, ty: &Ty) -> Result<(), Why> {
    if *ty == Ty::LockClass && param.kind != ParamKind::Keeps {
        return Err(Why::new(
            format!(
                "parameter `{}`: a lock refers to its class for ever",
                param.name
            ),
            "add `keeps`",
        ));
    }
    let pointer = matches!(ty, Ty::Object(_) | Ty::RecordRef(_) | Ty::Text);
    match pointer && param.kind == ParamKind::Plain {
        true => Err(Why::new(
            format!(
                "parameter `{}`: the contract does not state whether it is stored",
                param.name
            ),
            "add `borrows` if it is used for the call only, else `keeps` or `outlives`",
        )),
        false => Ok(()),
    }
}

fn kept(api: &Api, function: &Function, keeps: bool, name: &str, ty: &Ty) -> Result<(), Why> {
    if keeps && *ty == Ty::Text && matches!(function.role, Role::Constructor | Role::Method) {
        return kept_text(api, function, name);
    }
    if !keeps || matches!(ty, Ty::Text | Ty::LockClass) {
        return Ok(());
    }
    if function.role != Role::Constructor {
        return Err(Why::new(
            format!(
                "parameter `{name}`: only a constructor can keep an object, as the new one has room for what it keeps, \
                 and a method may be called any number of times"
            ),
            "have C take a reference of its own and write `borrows`, or keep the object in the constructor",
        ));
    }
    match ty {
        Ty::Object(tag) => match api.object(tag).map(|object| object.shape) {
            Some(Shape::Counted | Shape::Foreign | Shape::Pinned) => kept_by(api, function, name),
            Some(Shape::Owned) if !typed(api, tag) => kept_by(api, function, name),
            _ => Err(Why::new(
                format!("parameter `{name}`: nothing can keep a `struct {tag}` alive"),
                "put its get and put, or a constructor without `stage`, `outlives` and `scoped`, under contract",
            )),
        },
        _ => Err(Why::new(
            format!("parameter `{name}`: only objects and strings can be kept"),
            "put `keeps` on a pointer to an object",
        )),
    }
}

/// A string is in the text of the driver's module, and so must not be read when that is unloaded, also by an object that was
/// leaked (`mem::forget`). An object that nothing ends is not known to C when none of its functions runs.
fn kept_text(api: &Api, function: &Function, name: &str) -> Result<(), Why> {
    let own = function.owner.as_deref().and_then(|tag| api.object(tag));
    let own = own.filter(|object| object.foreign.is_none());
    let ends = |role: &Role| matches!(role, Role::Destructor | Role::Put);
    let end = own.and_then(|object| api.one_in_role(&object.tag, ends));
    let constructor = function.role == Role::Constructor;
    match (own, end.map(|end| end.reaped)) {
        _ if function.promise.is_some() => Ok(()),
        (Some(_), None | Some(Some(Stated::Harmless))) => Ok(()),
        (Some(_), Some(Some(Stated::Promised))) if !constructor => Ok(()),
        (Some(object), _) => Err(Why::new(
            format!(
                "parameter `{name}`: `{}` can be leaked, and C may read the string when its module is gone",
                object.name
            ),
            "add `reaped` to what ends it if C ends what a module leaves behind, or `unsafe` to this function, or have C \
             copy the string and write `borrows`",
        )),
        (None, _) => Err(Why::new(
            format!("parameter `{name}`: C may read the string when its module is gone"),
            "add `unsafe`, or have C copy the string and write `borrows`",
        )),
    }
}

/// Whether the type of an object has a lifetime or a stage.
fn typed(api: &Api, tag: &str) -> bool {
    api.object(tag)
        .is_some_and(|object| object.lifetime || !object.stages.is_empty())
}

/// The constructors of one object must keep the same parameters: they are fields of one type.
fn kept_by(api: &Api, function: &Function, name: &str) -> Result<(), Why> {
    let refuse =
        |why: &str, remedy: &str| Err(Why::new(format!("parameter `{name}`: {why}"), remedy));
    let Some(object) = function.owner.as_deref().and_then(|tag| api.object(tag)) else {
        return Ok(());
    };
    if object.shape == Shape::Counted {
        return refuse(
            "the lifetime of a counted object is not known",
            "write `borrows`, and take a reference in C",
        );
    }
    let kept = function.params.iter().find(|param| param.name == name);
    let kept = kept
        .and_then(|param| param.ty.pointee_record())
        .and_then(|tag| api.object(tag));
    let local = kept.is_some_and(|kept| kept.foreign.is_none() && !(kept.send && kept.sync));
    if local && (object.send || object.sync) {
        return refuse(
            "several threads may use the object, but not the one that it keeps",
            "add `send` and `sync` to the kept object, too, or remove them from this one",
        );
    }
    if object.lifetime || !object.stages.is_empty() {
        return refuse(
            "an object with stages, that something outlives or that is `scoped` cannot keep anything",
            "write `outlives`",
        );
    }
    let keeps = |function: &Function| -> Vec<(String, CType)> {
        let kept = function
            .params
            .iter()
            .filter(|param| param.kind == ParamKind::Keeps);
        let kept = kept.filter(|param| param.ty.pointee_record().is_some());
        kept.map(|param| (param.name.clone(), param.ty.clone()))
            .collect()
    };
    let differs = |other: &&Function| keeps(other) != keeps(function);
    match api
        .in_role(&object.tag, |role| *role == Role::Constructor)
        .find(differs)
    {
        Some(_) => refuse(
            "another constructor of the same object keeps something else",
            "keep the same parameters in all constructors, under the same names",
        ),
        None => Ok(()),
    }
}

/// `kept`: every constructor of the object keeps a pointer of that type under that name.
fn kept_before(api: &Api, function: &Function, param: &Param, name: &str) -> Result<(), Why> {
    let refuse = |why: String, remedy: String| {
        Err(Why::new(
            format!("parameter `{}`: {why}", param.name),
            remedy,
        ))
    };
    let tag = function.owner.as_deref().unwrap_or_default();
    let deferred = function.deferred.is_some()
        || api
            .one_in_role(tag, |role| *role == Role::Destructor)
            .is_some_and(|end| end.deferred.is_some());
    let reaches =
        matches!(function.role, Role::Destructor | Role::Method) && function.requires.is_none();
    if !reaches || deferred {
        return refuse(
            "only a destructor or a method of the object itself can pass what it keeps".into(),
            "write `borrows`".into(),
        );
    }
    let keeps = |made: &Function| {
        made.params.iter().any(|other| {
            other.kind == ParamKind::Keeps
                && other.name == name
                && other.ty.pointee_record().is_some()
                && other.ty.pointee_record() == param.ty.pointee_record()
        })
    };
    let made = |role: &Role| *role == Role::Constructor;
    match api.one_in_role(tag, made).is_some() && api.in_role(tag, made).all(keeps) {
        true => Ok(()),
        false => refuse(
            format!("the constructor does not keep `{name}`"),
            format!(
                "put `keeps` on the parameter `{name}` of the constructor, or write `kept(other)`"
            ),
        ),
    }
}

fn outlives(
    api: &Api,
    function: &Function,
    outlives: bool,
    name: &str,
    ty: &Ty,
) -> Result<(), Why> {
    if !outlives {
        return Ok(());
    }
    let made = function.owner.as_deref().and_then(|tag| api.object(tag));
    if function.role != Role::Constructor || made.is_none_or(|object| object.shape != Shape::Owned)
    {
        return Err(Why::new(
            format!("parameter `{name}`: the function returns no object that it could outlive"),
            "`outlives` is for constructors that return the object; constructors in place use `keeps`",
        ));
    }
    match ty {
        Ty::Object(_) => Ok(()),
        _ => Err(Why::new(
            format!("parameter `{name}`: only an object can outlive another"),
            "put `outlives` on a pointer to an object",
        )),
    }
}

/// An object with stages has a type for each, and a parameter has one type.
fn one_type(api: &Api, name: &str, ty: &Ty) -> Result<(), Why> {
    let Ty::Object(tag) = ty else { return Ok(()) };
    match api
        .object(tag)
        .is_some_and(|object| !object.stages.is_empty())
    {
        true => Err(Why::new(
            format!("parameter `{name}`: its stage is not known"),
            "make it a method of that object, with `stage`",
        )),
        false => Ok(()),
    }
}

fn result(api: &Api, function: &Function) -> Result<(), Why> {
    if matches!(
        function.role,
        Role::Get | Role::Put | Role::Destructor | Role::Unlock(_)
    ) {
        // The result is not used.
        return Ok(());
    }
    if let CType::Pointer { .. } = function.ret.plain() {
        return pointer(api, function);
    }
    let protocol = matches!(
        function.role,
        Role::Begin(_) | Role::Check(_) | Role::Outcome
    ) || matches!(function.role, Role::Lock(_) | Role::TryLock(_));
    let signed = matches!(function.ret.plain(), CType::Int("i32" | "isize" | "i64"));
    if signed && !protocol && function.errno.is_none() && !function.plain {
        return Err(Why::new(
            "the contract does not state whether its integer result is an error",
            "add `errno`, or `plain` if it is a number",
        ));
    }
    if function.errno.is_some() && !signed {
        return Err(Why::new(
            format!("`errno` on a result of type `{}`", function.ret.spell()),
            "only signed integers can be errors; remove `errno`",
        ));
    }
    if matches!(function.role, Role::Check(_))
        && !api
            .sections
            .iter()
            .any(|s| s.protocol == Protocol::Sequence)
    {
        return Err(Why::new(
            "it checks a section that no function begins",
            "put `begin` on its counterpart",
        ));
    }
    let ty = types::of(api, &function.ret, None).map_err(|why| match function.ret.plain() {
        CType::Record(tag) if api.record(tag).is_some() => {
            Why::new(why.reason, "have an iterator or a callback give it out")
        }
        _ => why,
    })?;
    if protocol
        || matches!(function.role, Role::Enter | Role::Iterator(_))
        || function.errno.is_some()
    {
        return Ok(());
    }
    types::from_c(api, &ty)
}

/// A string, or an object that the caller owns or borrows.
fn pointer(api: &Api, function: &Function) -> Result<(), Why> {
    if types::of(api, &function.ret, None).is_ok_and(|ty| ty == Ty::Text) {
        null(function)?;
        return lent_text(api, function);
    }
    let Some(tag) = function.ret.pointee_record() else {
        return Err(Why::new(
            "its result is a pointer that is not to an object",
            "only pointers to objects can be returned",
        ));
    };
    if api.record(tag).is_some() {
        return Err(Why::new(
            format!(
                "the contract cannot state how long the `struct {tag}` that it returns is valid"
            ),
            "return the structure and no pointer, or have an iterator or a callback give it out",
        ));
    }
    if api.object(tag).is_none() {
        return Err(Why::new(
            format!("its result points to `struct {tag}`, which is not under contract"),
            format!("declare it: `struct __contract(object(\"...\")) {tag};`"),
        ));
    }
    if !matches!(function.returns, Returns::Owned | Returns::Borrowed) {
        return Err(Why::new(
            "the contract does not state who owns the object that it returns",
            "add `owned` if the caller must release it, else `borrowed`",
        ));
    }
    null(function)?;
    match function.returns {
        Returns::Borrowed => lent(api, function, tag),
        _ => handed(api, function, tag),
    }
}

/// A contract must state whether a pointer may be NULL.
fn null(function: &Function) -> Result<(), Why> {
    match function.nullable || function.never_null {
        true => Ok(()),
        false => Err(Why::new(
            "the contract does not state whether its result may be NULL",
            "add `nullable`, or `nonnull` if it is never NULL",
        )),
    }
}

/// The parameter that is the object, of a method of an object.
fn object_of_method<'a>(api: &Api, function: &'a Function) -> Option<&'a str> {
    let tag = function.owner.as_deref()?;
    api.object(tag)?;
    function
        .this
        .map(|index| function.params[index].name.as_str())
}

/// A borrowed string must stay unchanged: a method that takes a string might replace it.
fn lent_text(api: &Api, function: &Function) -> Result<(), Why> {
    let this = object_of_method(api, function);
    let stated = this.is_some() && this == function.lives.as_deref();
    if function.returns != Returns::Borrowed || function.errno.is_some() || !stated {
        return Err(Why::new(
            "the contract does not state how long the string that it returns is valid",
            match this {
                Some(this) => {
                    format!("add `borrowed({this})` if it stays unchanged as long as `{this}`")
                }
                None => "only a method of an object returns a string".to_owned(),
            },
        ));
    }
    lasting(api, function)
}

/// A borrowed object is valid as long as the object that returned it, and nothing may replace it meanwhile.
fn lent(api: &Api, function: &Function, tag: &str) -> Result<(), Why> {
    let this = object_of_method(api, function);
    match (&function.lives, this) {
        (Some(lives), Some(this)) if lives == this => {}
        (None, Some(this)) => {
            return Err(Why::new(
                "the contract does not state how long the object that it returns is valid",
                format!("add `borrowed({this})` if it is valid as long as `{this}`, else `owned`"),
            ))
        }
        _ => {
            return Err(Why::new(
                "the contract does not state how long the object that it returns lives",
                "add `owned`, or `borrowed(...)` with the object that the result belongs to",
            ))
        }
    }
    let shape = api.object(tag).map(|object| object.shape);
    if !matches!(
        shape,
        Some(Shape::Counted | Shape::Borrowed | Shape::Foreign)
    ) {
        return Err(Why::new(
            format!("a `struct {tag}` that C owns has the same type as one that Rust owns"),
            "return an object that is counted, or reached by reference only",
        ));
    }
    lasting(api, function)
}

/// What is borrowed from an object must stay valid while other functions are called. That follows if all functions only read
/// the object; otherwise the contract must state it.
fn lasting(api: &Api, function: &Function) -> Result<(), Why> {
    let owner = function.owner.as_deref();
    let changes = |other: &&Function| {
        let writes = |param: &Param| {
            param.ty.pointee_record() == owner && owner.is_some() && !param.ty.is_const_pointer()
        };
        // What makes or ends the object itself runs when nothing is borrowed from it.
        let ends = matches!(
            other.role,
            Role::Constructor | Role::Destructor | Role::Get | Role::Put
        );
        let outside = ends && other.owner.as_deref() == owner;
        !outside && other.params.iter().any(writes)
    };
    // A method is a better example than the lock under which it is called.
    let all = || {
        api.functions
            .iter()
            .chain(&api.lost)
            .filter(|other| changes(other))
    };
    let method = |other: &&Function| other.role == Role::Method && other.c != function.c;
    match all().find(method).or_else(|| all().next()) {
        Some(other) if !function.constant => Err(Why::new(
            format!("`{}` may free or replace what it returns while that is in use", other.c),
            "add `constant` if the result stays valid when other functions are called, else return an `owned` reference",
        )),
        _ => Ok(()),
    }
}

/// An `owned` result must be an object that can be held by itself.
fn handed(api: &Api, function: &Function, tag: &str) -> Result<(), Why> {
    let Some(object) = api.object(tag) else {
        return Ok(());
    };
    let made = function.role == Role::Constructor;
    let bare = object.stages.is_empty()
        && !object.lifetime
        && api
            .in_role(tag, |role| *role == Role::Constructor)
            .all(|made| {
                made.params.iter().all(|param| {
                    param.kind != ParamKind::Keeps || param.ty.pointee_record().is_none()
                })
            });
    match object.shape {
        Shape::Counted | Shape::Foreign => Ok(()),
        Shape::Owned if made || bare => Ok(()),
        Shape::Owned => Err(Why::new(
            format!("the stage or lifetime of the `struct {tag}` that it returns is not known"),
            "write `constructor`, as on the function that makes one",
        )),
        _ => Err(Why::new(
            format!("a `struct {tag}` cannot be held by a pointer to it"),
            "put its get and put, or a constructor that returns it, under contract",
        )),
    }
}
