// SPDX-License-Identifier: GPL-2.0

//! The declarations under contract, each of which is written or reported.

use crate::model::Api;
use crate::model::Context;
use crate::model::Function;
use crate::model::Object;
use crate::model::Param;
use crate::model::ParamKind;
use crate::model::Role;
use crate::model::Sharing;
use crate::read::CType;

/// A declaration under contract.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declared {
    /// Its name in the report.
    pub name: String,
    /// The mark that it was written.
    pub mark: Mark,
    /// What else its contract states, and how each shows.
    pub stated: Vec<Stated>,
}

/// A clause or a parameter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stated {
    /// As the contract has it.
    pub what: String,
    /// How it shows.
    pub shows: Shows,
}

/// How a clause or a parameter shows in the functions that call the C function, or in the type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shows {
    /// C is given so many arguments.
    Arguments(usize),
    /// A parameter of that name.
    Parameter(String),
    /// One of these in what the function takes.
    Takes(Vec<String>),
    /// One of these in what it returns.
    Returns(Vec<String>),
    /// It is `unsafe`.
    Unsafe,
    /// Its name.
    Named(String),
    /// It is a function of that type.
    Of(String),
    /// A part of such a text in its documentation.
    Documented(&'static str),
    /// That trait is implemented for the type.
    Implements(&'static str),
    /// A guard of that name implements the trait.
    Guards(String, &'static str),
}

fn stated(what: impl Into<String>, shows: Shows) -> Stated {
    Stated {
        what: what.into(),
        shows,
    }
}

/// What the contract of an object states.
fn of_object(object: &Object) -> Vec<Stated> {
    let mut all = Vec::new();
    all.extend(
        object
            .send
            .then(|| stated("send", Shows::Implements("Send"))),
    );
    all.extend(
        object
            .sync
            .then(|| stated("sync", Shows::Implements("Sync"))),
    );
    all
}

/// What a function's contract states, as far as a function in Rust shows it.
fn of_function(api: &Api, function: &Function) -> Vec<Stated> {
    let shown = matches!(
        function.role,
        Role::Constructor | Role::Method | Role::Lock(_) | Role::TryLock(_)
    );
    if !shown
        || function
            .owner
            .as_deref()
            .is_none_or(|tag| api.object(tag).is_none())
    {
        return Vec::new();
    }
    let mut all = vec![
        stated("its parameters", Shows::Arguments(function.params.len())),
        stated("name", Shows::Named(function.name.clone())),
    ];
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let mut add = |is: bool, what: &str, shows: Shows| all.extend(is.then(|| stated(what, shows)));
    add(
        function.errno.is_some(),
        "errno",
        Shows::Returns(texts(&["Result", "Error"])),
    );
    add(
        function.nullable,
        "nullable",
        Shows::Returns(texts(&["Option"])),
    );
    add(function.promise.is_some(), "unsafe", Shows::Unsafe);
    add(function.scoped, "scoped", Shows::Takes(texts(&["FnOnce"])));
    add(
        function.context != Context::Unstated,
        "may_sleep or atomic",
        Shows::Documented("sleep"),
    );
    let guard = function
        .requires
        .as_ref()
        .map(|(guard, _)| guard)
        .filter(|guard| is_guard(guard));
    all.extend(guard.map(|guard| stated("requires", Shows::Of(guard.clone()))));
    if let Role::Lock(guard) | Role::TryLock(guard) = &function.role {
        if !function.role_from_c {
            let shows = match function.scoped {
                true => Shows::Takes(vec![guard.clone()]),
                false => Shows::Returns(vec![guard.clone()]),
            };
            all.push(stated("lock", shows));
            let object = function.owner.as_deref().and_then(|tag| api.object(tag));
            all.extend(object.iter().flat_map(|object| of_guard(object, guard)));
        }
    }
    let outs = function
        .params
        .iter()
        .filter(|param| param.kind == ParamKind::Out);
    all.extend(outs.map(|out| {
        stated(
            format!("the parameter `{}`", out.name),
            Shows::Returns(Vec::new()),
        )
    }));
    let others = function
        .params
        .iter()
        .enumerate()
        .filter(|(index, _)| function.this != Some(*index));
    all.extend(others.flat_map(|(_, param)| of_param(api, function, param)));
    all
}

/// The lock that `__must_hold` names is an expression in C.
fn is_guard(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
}

fn of_param(api: &Api, function: &Function, param: &Param) -> Vec<Stated> {
    let tables = param
        .ty
        .pointee_record()
        .is_some_and(|tag| api.table(tag).is_some());
    let given = match param.kind {
        ParamKind::Plain => !tables,
        ParamKind::Borrows | ParamKind::Keeps | ParamKind::Outlives => true,
        ParamKind::Slice(_) | ParamKind::Identity => true,
        _ => false,
    };
    if !given {
        return Vec::new();
    }
    let what = |clause: &str| format!("{clause} of the parameter `{}`", param.name);
    let takes = |clause: &str, texts: &[&str]| {
        stated(
            what(clause),
            Shows::Takes(texts.iter().map(|text| (*text).to_owned()).collect()),
        )
    };
    let mut all = vec![stated(
        format!("the parameter `{}`", param.name),
        Shows::Parameter(param.name.clone()),
    )];
    let kept = param
        .ty
        .pointee_record()
        .and_then(|tag| api.object(tag))
        .and_then(|object| object.kept.as_ref());
    all.extend(match &param.kind {
        ParamKind::Keeps if kept.is_none() => Some(takes("keeps", &["ARef", "Arc", "'static"])),
        ParamKind::Outlives if function.scoped => Some(takes("outlives", &["&"])),
        ParamKind::Outlives => Some(takes("outlives", &["'a"])),
        ParamKind::Slice(_) => Some(takes("slice", &["["])),
        ParamKind::Identity => Some(takes("identity", &["c_void"])),
        ParamKind::Borrows => Some(takes("borrows", &["&"])),
        _ => None,
    });
    all.extend(
        (param.nullable && param.kind == ParamKind::Borrows)
            .then(|| takes("nullable", &["Option"])),
    );
    let tag = match (&param.int_type, param.ty.plain()) {
        (Some(tag), _) => Some(tag),
        (None, CType::Enum(tag)) => Some(tag),
        _ => None,
    };
    let name = tag.and_then(|tag| {
        let choice = api.choice(tag).map(|found| &found.name);
        let flags = api.flag_set(tag).map(|found| &found.name);
        choice
            .or(flags)
            .or(api.tagged_int(tag).map(|found| &found.name))
    });
    all.extend(name.map(|name| takes("the type", &[name.as_str()])));
    all
}

/// What a guard gives access to.
fn of_guard(object: &Object, guard: &str) -> Vec<Stated> {
    let access = |sharing: &Sharing| match sharing {
        Sharing::Exclusive => "DerefMut",
        Sharing::Shared => "Deref",
    };
    let here = object.data.iter().filter(|(name, _)| name == guard);
    here.map(|(_, sharing)| stated("data", Shows::Guards(guard.to_owned(), access(sharing))))
        .collect()
}

/// How a declaration shows in the module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A call of the C function.
    Bound(String),
    /// A type or a trait.
    Item(String),
    /// A function of a type or of a trait.
    Function(String),
}

/// Every declaration of the API that is under contract, in the model before check leaves any out.
pub fn declared(api: &Api) -> Vec<Declared> {
    let mut all = Vec::new();
    let mut add = |name: String, mark: Mark| {
        all.push(Declared {
            name,
            mark,
            stated: Vec::new(),
        })
    };
    let item = |name: &str| Mark::Item(name.to_owned());
    let own = |span| api.module(span).is_none();
    for object in api
        .objects
        .iter()
        .filter(|object| own(object.span) && object.foreign.is_none())
    {
        add(format!("struct {}", object.tag), item(&object.name));
        for constant in &object.constants {
            let accessor = format!("{}::{}", object.name, constant.member.name);
            add(
                format!("{}.{}", object.tag, constant.member.name),
                Mark::Function(accessor),
            );
        }
    }
    for record in api.records.iter().filter(|record| own(record.span)) {
        add(format!("struct {}", record.tag), item(&record.name));
        for member in &record.members {
            let accessor = format!("{}::{}", record.name, member.name);
            add(
                format!("{}.{}", record.tag, member.name),
                Mark::Function(accessor),
            );
        }
    }
    for choice in api.choices.iter().filter(|choice| own(choice.span)) {
        add(format!("enum {}", choice.tag), item(&choice.name));
    }
    for flags in api.flags.iter().filter(|flags| own(flags.span)) {
        add(format!("enum {}", flags.tag), item(&flags.name));
    }
    for tagged in api.tagged.iter().filter(|tagged| own(tagged.span)) {
        add(tagged.tag.clone(), item(&tagged.name));
    }
    for table in api.tables.iter().filter(|table| own(table.span)) {
        // A callback that is a parameter goes with its function.
        add(table.declared_as(), item(&table.name));
        for callback in &table.callbacks {
            let name = &callback.signature.name;
            let declared = match table.single {
                true => table.tag.clone(),
                false => format!("{}.{name}", table.tag),
            };
            add(
                declared,
                Mark::Function(format!("{}::{}", table.name, callback.method())),
            );
        }
    }
    for section in api.sections.iter().filter(|section| own(section.span)) {
        let method = api
            .object(&section.of)
            .map(|object| format!("{}::{}", object.name, section.method));
        add(
            format!("section {}", section.name),
            Mark::Function(method.unwrap_or_default()),
        );
    }
    add_functions(api, &mut all);
    all
}

/// Add the functions to what is declared, and what the clauses of objects state.
fn add_functions(api: &Api, all: &mut Vec<Declared>) {
    let own = |span| api.module(span).is_none();
    for function in api.functions.iter().filter(|function| own(function.span)) {
        // Rust ends an object by the function that may defer it.
        let called = function.deferred.as_ref().unwrap_or(&function.c);
        let mark = Mark::Bound(called.clone());
        all.push(Declared {
            name: function.c.clone(),
            mark,
            stated: of_function(api, function),
        });
    }
    let objects = api
        .objects
        .iter()
        .filter(|object| own(object.span) && object.foreign.is_none());
    for object in objects {
        let name = format!("struct {}", object.tag);
        if let Some(declared) = all.iter_mut().find(|declared| declared.name == name) {
            declared.stated = of_object(object);
        }
    }
}
