// SPDX-License-Identifier: GPL-2.0

//! Records the types that the check phase has found, so that emit only prints. It runs last, when declarations that
//! cannot be typed have been left out.

use super::fit;
use super::reason;
use super::types;
use super::types::Ty;
use crate::ir;
use crate::ir::Argument;
use crate::ir::Gives;
use crate::ir::Held;
use crate::ir::Kept;
use crate::ir::Returned;
use crate::ir::Type;
use crate::model::clauses::written;
use crate::model::Api;
use crate::model::Function;
use crate::model::Member;
use crate::model::Object;
use crate::model::Param;
use crate::model::ParamKind;
use crate::model::Returns;
use crate::model::Role;
use crate::model::Shape;
use crate::read::CType;

/// Settle the types of all remaining declarations.
pub(super) fn settle(api: &mut Api) {
    for index in 0..api.objects.len() {
        api.objects[index].generic = generic(api, &api.objects[index]);
    }
    for index in 0..api.objects.len() {
        api.objects[index].keeps = keeps(api, &api.objects[index]);
        api.objects[index].table = given_table(api, &api.objects[index]);
        let destructor = api.one_in_role(&api.objects[index].tag, |role| *role == Role::Destructor);
        let counts = destructor.is_some_and(|destructor| destructor.counts);
        let deferred = destructor.and_then(|destructor| destructor.deferred.clone());
        let get = api.one_in_role(&api.objects[index].tag, |role| *role == Role::Get);
        let cloned = get.filter(|_| counts).map(|get| get.c.clone());
        api.objects[index].deferred = deferred;
        api.objects[index].cloned = cloned;
    }
    let functions: Vec<_> = api
        .functions
        .iter()
        .map(|function| of_function(api, function))
        .collect();
    for (function, (arguments, gives)) in api.functions.iter_mut().zip(functions) {
        function.arguments = arguments;
        function.gives = gives;
    }
    fields(api);
    callbacks(api);
}

fn generic(api: &Api, object: &Object) -> Option<ir::Generic> {
    let tag = fit::generic(api, object)?;
    let operations = api.object(tag).and_then(|source| source.operations.clone());
    let end = api.one_in_role(tag, |role| *role == Role::Destructor);
    // What a destructor defers drops the data later, on another thread.
    let later = end.is_some_and(|end| end.deferred.is_some());
    Some(ir::Generic {
        bound: operations.or_else(|| later.then(|| "Send + 'static".to_owned())),
    })
}

/// The type of an object, in Rust.
fn rust(object: &Object) -> String {
    match (&object.foreign, &object.generic) {
        (Some(path), _) => path.clone(),
        (None, Some(_)) => format!("{}<T>", object.name),
        (None, None) if object.lifetime => format!("{}<'_>", object.name),
        (None, None) => object.name.clone(),
    }
}

/// The type parameters of an object, with their bounds.
pub(super) fn bounds(object: &Object) -> String {
    match &object.generic {
        Some(ir::Generic { bound: Some(bound) }) => format!("<T: {bound}>"),
        Some(ir::Generic { bound: None }) => "<T>".to_owned(),
        None => String::new(),
    }
}

/// The name of a parameter in Rust, which no parameter before it has.
fn name_of(function: &Function, name: &str) -> String {
    let own = renamed(function, name);
    let before = function
        .params
        .iter()
        .take_while(|param| param.name != name);
    let same = |other: &Param| written(&renamed(function, &other.name)) == written(&own);
    match before.into_iter().any(same) {
        true => format!("{own}_"),
        false => own,
    }
}

/// Names that generated constructors have themselves.
const IN_CONSTRUCTORS: [&str; 5] = ["slot", "data", "inner", "ptr", "storage"];

/// Rename parameters that collide with names in generated constructors.
fn renamed(function: &Function, name: &str) -> String {
    match (&function.role, name) {
        (Role::Constructor, name) if IN_CONSTRUCTORS.contains(&name) => format!("{name}_"),
        // The closure.
        (_, "body") if function.scoped => format!("{name}_"),
        // The result of the C function, beside the `out` parameters.
        (_, "value")
            if function
                .params
                .iter()
                .any(|param| param.kind == ParamKind::Out) =>
        {
            format!("{name}_")
        }
        // Not every name in C is one that Rust's lints accept.
        _ => name.to_lowercase(),
    }
}

fn kept(api: &Api, function: &Function, param: &Param) -> Option<Kept> {
    let other = param.ty.pointee_record().and_then(|tag| api.object(tag))?;
    let inner = rust(other);
    let (rust, given) = match (other.shape, &other.kept) {
        (Shape::Pinned | Shape::Owned, _) => (format!("Arc<{inner}>"), None),
        (_, Some(kept)) => (format!("ARef<{kept}>"), Some(format!("&{inner}"))),
        _ => (format!("ARef<{inner}>"), None),
    };
    Some(Kept {
        name: name_of(function, &param.name),
        rust,
        given,
        foreign: other.foreign.is_some(),
    })
}

/// The parameters that the constructors of an object keep, which are the same for each.
fn keeps(api: &Api, object: &Object) -> Vec<Kept> {
    let made = api.one_in_role(&object.tag, |role| *role == Role::Constructor);
    let kept = |made: &Function, param: &Param| {
        kept(api, made, param).filter(|_| param.kind == ParamKind::Keeps)
    };
    made.iter()
        .flat_map(|made| made.params.iter().filter_map(|param| kept(made, param)))
        .collect()
}

fn given_table(api: &Api, object: &Object) -> Option<String> {
    let table = object.given.iter().find(|given| {
        matches!(
            types::of(api, &given.ty, given.tag.as_deref()),
            Ok(Ty::Table(_))
        )
    });
    table.map(|given| given.field.clone())
}

/// A type in Rust. A declaration without one was left out, or is not a value.
fn typed(api: &Api, ty: &Ty, c: &CType) -> Type {
    match ty {
        Ty::Unit
        | Ty::Section(_)
        | Ty::Table(_)
        | Ty::Callback
        | Ty::Closure
        | Ty::Made { .. }
        | Ty::LengthOf(_) => Type::Unit,
        Ty::Bool => Type::Bool,
        Ty::Int(name) => Type::Int(name),
        Ty::Object(tag) => {
            let rust = api.object(tag).map(rust).unwrap_or_default();
            Type::Object {
                tag: tag.clone(),
                rust,
            }
        }
        Ty::Record(tag) => Type::Record(record(api, tag)),
        Ty::RecordRef(tag) => Type::RecordRef(record(api, tag)),
        Ty::Choice(tag) => {
            let found = api.choice(tag);
            Type::Choice {
                tag: tag.clone(),
                name: found.map(|choice| choice.name.clone()).unwrap_or_default(),
                open: found.is_some_and(|choice| choice.open),
            }
        }
        Ty::Flags(tag) => {
            let found = api.flag_set(tag);
            let name = found.map(|flags| flags.name.clone()).unwrap_or_default();
            Type::Newtype {
                name,
                int: found.map_or("u32", |flags| flags.int),
            }
        }
        Ty::Tagged(tag) => {
            let found = api.tagged_int(tag);
            let name = found.map(|tagged| tagged.name.clone()).unwrap_or_default();
            Type::Newtype {
                name,
                int: found.map_or("u32", |tagged| tagged.int),
            }
        }
        Ty::Identity { nonnull } => Type::Identity {
            nonnull: *nonnull,
            typed: matches!(c.plain(), CType::Pointer { to, .. } if *to.plain() != CType::Void),
            constant: c.is_const_pointer(),
        },
        Ty::Slice { element, mutable } => slice(api, element, *mutable, c),
        Ty::Text => Type::Text,
        Ty::Gfp => Type::Gfp,
        Ty::LockClass => Type::LockClass,
    }
}

fn record(api: &Api, tag: &str) -> ir::Record {
    let found = api.record(tag);
    ir::Record {
        tag: tag.to_owned(),
        name: found.map(|record| record.name.clone()).unwrap_or_default(),
        confined: found.is_some_and(|record| record.confined),
    }
}

fn slice(api: &Api, element: &Ty, mutable: bool, c: &CType) -> Type {
    let (to, void) = match c.plain() {
        CType::Pointer { to, .. } => (to.as_ref(), *to.plain() == CType::Void),
        _ => (c, false),
    };
    Type::Slice {
        element: Box::new(typed(api, element, to)),
        mutable,
        cast: void || !matches!(element, Ty::Int(_) | Ty::Bool),
    }
}

fn plain(api: &Api, c: &CType, int_type: Option<&str>) -> Type {
    types::of(api, c, int_type)
        .map(|ty| typed(api, &ty, c))
        .unwrap_or_default()
}

/// What a function returns.
fn gives(api: &Api, function: &Function) -> Gives {
    let value = Gives::Value(plain(api, &function.ret, None));
    if !matches!(function.returns, Returns::Owned | Returns::Borrowed) {
        return value;
    }
    if let (Gives::Value(Type::Text), Some(lives)) = (&value, &function.lives) {
        return Gives::Text(lives.clone());
    }
    let tag = function.made.as_deref().or(function.ret.pointee_record());
    tag.and_then(|tag| api.object(tag))
        .and_then(|object| returned(api, function, object))
        .map_or(value, Gives::Object)
}

fn returned(api: &Api, function: &Function, object: &Object) -> Option<Returned> {
    let held = match (function.returns, object.shape) {
        (Returns::Owned, Shape::Owned) if object.scoped => {
            let end = api.one_in_role(&object.tag, |role| *role == Role::Destructor)?;
            Held::Scoped {
                name: object.name.clone(),
                end: end.c.clone(),
                ret: end.ret.clone(),
            }
        }
        (Returns::Owned, Shape::Owned) => Held::Own {
            name: object.name.clone(),
            keeps: object.keeps.iter().map(|kept| kept.name.clone()).collect(),
            marker: object.lifetime || !object.stages.is_empty(),
        },
        (Returns::Owned, _) => Held::Counted,
        _ => Held::Lent(function.lives.clone()?),
    };
    Some(Returned {
        rust: rust(object),
        held,
    })
}

fn of_function(api: &Api, function: &Function) -> (Vec<Argument>, Gives) {
    let arguments = function.params.iter().enumerate().map(|(index, param)| {
        match function.this == Some(index) {
            true => Argument::This,
            false => argument(api, function, param),
        }
    });
    (arguments.collect(), gives(api, function))
}

fn argument(api: &Api, function: &Function, param: &Param) -> Argument {
    let ty = types::of_param(api, param).unwrap_or(Ty::Unit);
    match &ty {
        Ty::Table(_) => Argument::Table,
        Ty::Callback => {
            let method = api
                .table(&function.c)
                .and_then(|table| table.callbacks.first());
            Argument::Callback(
                method
                    .map(|method| method.signature.name.clone())
                    .unwrap_or_default(),
            )
        }
        Ty::Closure => Argument::Closure,
        Ty::LengthOf(slice) => Argument::Length {
            slice: name_of(function, slice),
            name: name_of(function, &param.name),
            narrow: *param.ty.plain() != CType::Int("usize"),
        },
        ty if param.kind == ParamKind::Out && !matches!(ty, Ty::Made { .. }) => {
            // The pointee, not the pointer.
            let c = match param.ty.plain() {
                CType::Pointer { to, .. } => to,
                _ => &param.ty,
            };
            Argument::Out {
                name: name_of(function, &param.name),
                ty: typed(api, ty, c),
            }
        }
        Ty::Object(_) if matches!(param.kind, ParamKind::Kept(_)) => {
            let name = match &param.kind {
                ParamKind::Kept(name) => name,
                _ => &param.name,
            };
            let made = |role: &Role| *role == Role::Constructor;
            let owner = function.owner.as_deref().unwrap_or_default();
            let field = api.one_in_role(owner, made).map(|made| name_of(made, name));
            Argument::Field(field.unwrap_or_default())
        }
        Ty::Made { tag, constant } => Argument::Made {
            name: name_of(function, &param.name),
            tag: tag.clone(),
            constant: *constant,
        },
        Ty::Object(_) if param.kind == ParamKind::Keeps => match kept(api, function, param) {
            Some(kept) => Argument::Kept(kept),
            None => value(api, function, param, &ty),
        },
        _ => value(api, function, param, &ty),
    }
}

fn value(api: &Api, function: &Function, param: &Param, ty: &Ty) -> Argument {
    let ty = typed(api, ty, &param.ty);
    let name = name_of(function, &param.name);
    let in_place = function.role == Role::Constructor && function.this.is_some();
    let (lifetime, reason) = match (&ty, &param.kind) {
        (Type::Text, ParamKind::Keeps) => (
            Some("'static"),
            Some(reason::Argument::Text(name.clone()).into()),
        ),
        (Type::LockClass, _) => (None, Some(reason::Argument::Forever(name.clone()).into())),
        (_, ParamKind::Outlives) if function.scoped => (
            None,
            Some(reason::Argument::OutlivesScope(name.clone()).into()),
        ),
        (_, ParamKind::Outlives) => (
            Some("'a"),
            Some(reason::Argument::Outlives(name.clone()).into()),
        ),
        // The arguments of an initializer must live until it runs.
        (ty, _) => {
            let lifetime = (in_place && ty.is_reference()).then_some("'a");
            let reason = match ty {
                Type::Slice { cast, .. } => Some(
                    reason::Argument::Counted {
                        name: name.clone(),
                        cast: *cast,
                    }
                    .into(),
                ),
                ty if ty.is_reference() => Some(reason::Argument::Borrowed(name.clone()).into()),
                _ => None,
            };
            (lifetime, reason)
        }
    };
    Argument::Value(ir::Value {
        name,
        ty,
        nullable: param.nullable,
        lifetime,
        reason,
    })
}

/// The name of a field that is given to the constructors of an object, of which no constructor has a parameter.
fn given_name(api: &Api, object: &Object, given: &str) -> String {
    let made = || api.in_role(&object.tag, |role| *role == Role::Constructor);
    let params = made().flat_map(|made| made.params.iter().map(|param| name_of(made, &param.name)));
    let mut taken: Vec<String> = params.map(|name| written(&name)).collect();
    taken.extend(IN_CONSTRUCTORS.map(str::to_owned));
    let mut name = given.to_owned();
    while taken.contains(&written(&name)) {
        name.push('_');
    }
    name
}

/// The fields that the caller sets, and the members that have accessors.
fn fields(api: &mut Api) {
    let of = |api: &Api, given: &crate::model::Given| plain(api, &given.ty, given.tag.as_deref());
    for index in 0..api.objects.len() {
        let typed: Vec<(Type, String)> = api.objects[index]
            .given
            .iter()
            .map(|given| {
                let name = given_name(api, &api.objects[index], &given.name);
                (of(api, given), name)
            })
            .collect();
        let members: Vec<Type> = api.objects[index]
            .guarded
            .iter()
            .map(|guarded| member(api, &guarded.member))
            .collect();
        let constants: Vec<Type> = api.objects[index]
            .constants
            .iter()
            .map(|found| member(api, &found.member))
            .collect();
        let object = &mut api.objects[index];
        object
            .constants
            .iter_mut()
            .zip(constants)
            .for_each(|(found, typed)| found.member.typed = typed);
        object
            .given
            .iter_mut()
            .zip(typed)
            .for_each(|(given, (typed, name))| (given.typed, given.name) = (typed, name));
        object
            .guarded
            .iter_mut()
            .zip(members)
            .for_each(|(guarded, typed)| guarded.member.typed = typed);
    }
    for index in 0..api.sections.len() {
        let typed: Vec<Type> = api.sections[index]
            .given
            .iter()
            .map(|given| of(api, given))
            .collect();
        api.sections[index]
            .given
            .iter_mut()
            .zip(typed)
            .for_each(|(given, typed)| given.typed = typed);
    }
    for index in 0..api.records.len() {
        let typed: Vec<Type> = api.records[index]
            .members
            .iter()
            .map(|found| member(api, found))
            .collect();
        api.records[index]
            .members
            .iter_mut()
            .zip(typed)
            .for_each(|(member, typed)| member.typed = typed);
    }
}

/// The type of a member, or of its elements if it is an array.
fn member(api: &Api, member: &Member) -> Type {
    match member.ty.plain() {
        CType::Pointer { to, .. } | CType::Flexible(to) if member.counted.is_some() => {
            let tags = (member.int_type.as_deref(), member.element.as_deref());
            let ty = types::element(api, to, tags, false);
            ty.map(|ty| typed(api, &ty, to)).unwrap_or_default()
        }
        _ => plain(api, &member.ty, member.int_type.as_deref()),
    }
}

fn callbacks(api: &mut Api) {
    for table in 0..api.tables.len() {
        for index in 0..api.tables[table].callbacks.len() {
            let callback = &api.tables[table].callbacks[index];
            let params = callback.others().map(|param| {
                let ty = types::of_callback(api, param);
                ty.map(|ty| typed(api, &ty, &param.ty)).unwrap_or_default()
            });
            let params = params.collect();
            let gives = plain(api, &callback.signature.ret, None);
            let callback = &mut api.tables[table].callbacks[index];
            callback.typed = params;
            callback.gives = gives;
        }
    }
}
