// SPDX-License-Identifier: GPL-2.0

//! The last step of the check phase: what belongs to each item, so that emit has nothing to look up.
//!
//! All that is looked up here exists, as other declarations were left out. That it does not is an error of the generator,
//! and ends the run.

use crate::ir::Argument;
use crate::ir::Type;
use crate::model::Api;
use crate::model::Function;
use crate::model::LeftOut;
use crate::model::Object;
use crate::model::ParamKind;
use crate::model::Plain;
use crate::model::Protocol;
use crate::model::Returns;
use crate::model::Role;
use crate::model::Section;
use crate::model::Shape;
use crate::model::Stated;
use crate::model::Table;
use crate::model::Tagged;
use crate::plan;
use crate::plan::Module;
use crate::read::CType;
use crate::source::Span;

/// Something that is missing: the error of a run.
type Found<T> = Result<T, String>;

fn missing(what: &str, of: &str) -> String {
    format!("error: `{of}` is under contract without {what}: this is a bug of hmm-bindgen")
}

/// What is written for an API.
pub fn plan(api: &Api) -> Found<Module> {
    let own = |span: Span| api.module(span).is_none();
    let objects = api
        .objects
        .iter()
        .filter(|object| object.foreign.is_none() && own(object.span));
    let functions: Vec<&Function> = api
        .functions
        .iter()
        .filter(|function| own(function.span))
        .collect();
    let retries = |function: &Function| {
        function
            .errno
            .as_ref()
            .is_some_and(|errno| !errno.retry.is_empty())
    };
    let path = |(name, module): (&str, &str)| (name.to_owned(), format!("{module}::{name}"));
    let reported = |left: &&LeftOut| own(left.span);
    Ok(Module {
        name: api.name.clone(),
        includes: api.includes.clone(),
        overviews: api.overviews.clone(),
        about: api.about.clone(),
        elsewhere: api.imports().map(path).collect(),
        choices: api
            .choices
            .iter()
            .filter(|found| own(found.span))
            .cloned()
            .collect(),
        flags: api
            .flags
            .iter()
            .filter(|found| own(found.span))
            .cloned()
            .collect(),
        tagged: api
            .tagged
            .iter()
            .filter(|found| own(found.span))
            .map(|found| tagged(api, found))
            .collect(),
        records: api
            .records
            .iter()
            .filter(|found| own(found.span))
            .map(|found| record(api, found))
            .collect(),
        retries: api.functions.iter().any(retries),
        objects: objects
            .map(|object| wrapper(api, object))
            .collect::<Found<_>>()?,
        tables: tables(api)?,
        sections: sections(api, |section| own(section.span))?,
        prototypes: functions
            .iter()
            .filter_map(|function| prototype(api, function))
            .collect(),
        shims: functions
            .iter()
            .filter(|function| function.needs_helper)
            .copied()
            .cloned()
            .collect(),
        shared: shared(api),
        declared: api.declared.clone(),
        left_out: api.left_out.clone(),
        reported: api.left_out.iter().filter(reported).cloned().collect(),
    })
}

fn example(api: &Api, name: &str) -> plan::Example {
    api.examples.get(name).cloned()
}

fn methods<'a>(api: &'a Api, tag: &'a str) -> impl Iterator<Item = &'a Function> {
    api.in_role(tag, |role| *role == Role::Method)
}

fn tagged(api: &Api, tagged: &Tagged) -> plan::TaggedInt {
    let parts: Vec<Function> = methods(api, &tagged.tag).cloned().collect();
    let plain = |part: &&Function| part.params.len() == 1 && part.ret != CType::Void;
    let plain_parts = parts.iter().filter(plain).cloned().collect();
    plan::TaggedInt {
        tagged: tagged.clone(),
        parts,
        plain_parts,
    }
}

fn record(api: &Api, record: &Plain) -> plan::Record {
    let passed = |method: &Function| {
        let value = method
            .params
            .first()
            .is_some_and(|param| param.ty.pointee_record().is_none());
        match (record.by_reference(), value) {
            (true, _) => plan::Passed::Shown,
            (false, true) => plan::Passed::Value,
            (false, false) => plan::Passed::Copy,
        }
    };
    let single = record
        .members
        .iter()
        .filter(|member| member.counted.is_none());
    let typed = single.filter(|member| matches!(member.typed, Type::Newtype { .. }));
    let named =
        |member: &crate::model::Member| Some((member.name.clone(), member.int_type.clone()?));
    plan::Record {
        methods: methods(api, &record.tag)
            .map(|method| (method.clone(), passed(method)))
            .collect(),
        typed_members: typed.filter_map(named).collect(),
        example: example(api, &record.name),
        record: record.clone(),
    }
}

/// The table of an object's callbacks.
fn table_of<'a>(api: &'a Api, object: &Object) -> Found<Option<&'a Table>> {
    let Some(name) = &object.operations else {
        return Ok(None);
    };
    let table = api.tables.iter().find(|table| table.name == *name);
    table
        .map(Some)
        .ok_or_else(|| missing("its table", &object.tag))
}

fn tables(api: &Api) -> Found<Vec<plan::OpsTable>> {
    let own = |table: &&Table| api.module(table.span).is_none() && !table.single;
    let of = |table: &Table| {
        let object = api
            .objects
            .iter()
            .find(|object| object.operations.as_ref() == Some(&table.name));
        let object = object.ok_or_else(|| missing("an object", &table.tag))?;
        Ok(plan::OpsTable {
            table: table.clone(),
            of: object.tag.clone(),
        })
    };
    api.tables.iter().filter(own).map(of).collect()
}

fn wrapper(api: &Api, object: &Object) -> Found<plan::Wrapper> {
    let tag = object.tag.as_str();
    let table = table_of(api, object)?;
    let typed = object.lifetime || !object.stages.is_empty();
    let made = api.in_role(tag, |role| *role == Role::Constructor);
    let here = |function: &&Function| function.requires.is_none() && function.stage.is_none();
    Ok(plan::Wrapper {
        table: table.map(|table| plan::Trait {
            table: table.clone(),
            example: example(api, &table.name),
        }),
        constructors: made
            .filter(|_| object.shape == Shape::Pinned || !typed)
            .cloned()
            .collect(),
        destructor: end(api, object),
        counted: counted(api, object)?,
        methods: methods(api, tag).filter(here).cloned().collect(),
        locks: locks(api, object, None)?,
        guards: guards(api, object)?,
        stages: stages(api, object)?,
        sections: sections(api, |section| section.of == tag)?,
        example: example(api, &object.name),
        object: object.clone(),
    })
}

/// Whether a header defines a cleanup class for that function already.
fn has_class(api: &Api, function: &str) -> bool {
    api.classes
        .iter()
        .any(|class| class.leave == function || class.enter.as_deref() == Some(function))
}

fn end(api: &Api, object: &Object) -> Option<plan::End> {
    let function = api
        .one_in_role(&object.tag, |role| *role == Role::Destructor)?
        .clone();
    // A cleanup class has the object only.
    let class = !has_class(api, &function.c) && function.params.len() == 1;
    Some(plan::End { function, class })
}

fn counted(api: &Api, object: &Object) -> Found<Option<plan::Counted>> {
    if object.shape != Shape::Counted {
        return Ok(None);
    }
    let find = |role: Role| {
        let found = api.one_in_role(&object.tag, |other| *other == role);
        found
            .cloned()
            .ok_or_else(|| missing("its count", &object.tag))
    };
    let (get, put) = (find(Role::Get)?, find(Role::Put)?);
    let class = !has_class(api, &put.c);
    Ok(Some(plan::Counted { get, put, class }))
}

fn guard_of(function: &Function) -> Option<&String> {
    match &function.role {
        Role::Lock(guard) | Role::TryLock(guard) => Some(guard),
        _ => None,
    }
}

fn required(function: &Function) -> Option<&str> {
    function.requires.as_ref().map(|(guard, _)| guard.as_str())
}

fn unlock_of<'a>(api: &'a Api, tag: &str, guard: &str) -> Found<&'a Function> {
    let found = api.one_in_role(tag, |role| matches!(role, Role::Unlock(of) if of == guard));
    found.ok_or_else(|| missing("an unlock", guard))
}

/// The functions that take a lock while the guard `held` exists, or with none.
fn locks(api: &Api, object: &Object, held: Option<&str>) -> Found<Vec<plan::Lock>> {
    let all = api
        .in_role(&object.tag, |_| true)
        .filter(|function| required(function) == held);
    let lock = |function: &Function| -> Option<Found<plan::Lock>> {
        let guard = guard_of(function)?;
        let fails = match (&function.role, &function.errno, function.ret.plain()) {
            (Role::Lock(_), ..) => plan::Fails::Never,
            (_, Some(_), _) => plan::Fails::Errno,
            (_, None, CType::Bool) => plan::Fails::False,
            _ => plan::Fails::Zero,
        };
        let of = |unlock: &Function| plan::Lock {
            function: function.clone(),
            guard: guard.clone(),
            held: held.map(str::to_owned),
            cookie: unlock.cookie().is_some(),
            task: !function.scoped && keeps_task(api, &object.tag, function.unbound),
            fails,
        };
        Some(unlock_of(api, &object.tag, guard).map(of))
    };
    all.filter_map(lock).collect()
}

/// The guards of an object, in the order of their functions.
fn guards(api: &Api, object: &Object) -> Found<Vec<plan::Guard>> {
    let mut names: Vec<&String> = Vec::new();
    for name in api.in_role(&object.tag, |_| true).filter_map(guard_of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
        .into_iter()
        .map(|name| guard(api, object, name))
        .collect()
}

fn guard(api: &Api, object: &Object, name: &str) -> Found<plan::Guard> {
    let tag = object.tag.as_str();
    let unlock = unlock_of(api, tag, name)?;
    let taken = |role: &Role| matches!(role, Role::Lock(of) | Role::TryLock(of) if of == name);
    let cookie = unlock.cookie().map(|_| match unlock.arguments.last() {
        Some(Argument::Value(value)) => Ok(value.ty.clone()),
        _ => Err(missing("a type for its cookie", name)),
    });
    // A method of that name is written instead.
    let method = |guarded: &&crate::model::Guarded| {
        api.in_role(tag, |_| true)
            .any(|other| other.name == guarded.member.name)
    };
    let members = object
        .guarded
        .iter()
        .filter(|guarded| guarded.guards.iter().any(|guard| guard == name));
    let data = object
        .data
        .iter()
        .find(|(guard, _)| guard == name)
        .map(|(_, sharing)| *sharing);
    let methods = methods(api, tag)
        .filter(|method| required(method) == Some(name))
        .map(|method| {
            let writes = method
                .this
                .is_some_and(|this| !method.params[this].ty.is_const_pointer());
            plan::Required {
                function: method.clone(),
                alone: data.is_some() && writes,
            }
        });
    let unbound = api.one_in_role(tag, taken).is_some_and(|lock| lock.unbound);
    let scoped = api.one_in_role(tag, taken).is_some_and(|lock| lock.scoped);
    Ok(plan::Guard {
        name: name.to_owned(),
        cookie: cookie.transpose()?,
        unbound,
        scoped,
        task: !scoped && keeps_task(api, tag, unbound),
        methods: methods.collect(),
        locks: locks(api, object, Some(name))?,
        members: members
            .filter(|guarded| !method(guarded))
            .cloned()
            .collect(),
        data,
        classes: guard_classes(api, object, name),
        unlock: unlock.clone(),
    })
}

/// Whether the guards of an object that belong to a thread keep its task: they do not where the caller of the constructor
/// promises that none is leaked.
fn keeps_task(api: &Api, tag: &str, unbound: bool) -> bool {
    let promised = |function: &Function| function.leaked == Some(Stated::Promised);
    !unbound && !api.in_role(tag, |_| true).any(promised)
}

fn guard_classes(api: &Api, object: &Object, name: &str) -> Vec<plan::GuardClass> {
    let tries = api.in_role(
        &object.tag,
        |role| matches!(role, Role::TryLock(of) if of == name),
    );
    // The macro's expression knows the object only.
    let tries = tries.filter(|attempt| !has_class(api, &attempt.c) && attempt.params.len() == 1);
    let tries: Vec<Function> = tries.cloned().collect();
    let class = |lock: &Function| {
        let known = api
            .classes
            .iter()
            .find(|class| class.enter.as_ref() == Some(&lock.c));
        plan::GuardClass {
            lock: lock.clone(),
            known: known.map(|class| class.name.clone()),
            writable: lock.params.len() == 1,
            tries: tries.clone(),
        }
    };
    api.in_role(
        &object.tag,
        |role| matches!(role, Role::Lock(of) if of == name),
    )
    .map(class)
    .collect()
}

/// Whether a function leads to a stage, or makes an object in it.
fn leads_to(function: &Function, stage: &str) -> bool {
    match (&function.stage, &function.role) {
        (Some(there), Role::Constructor) => there.of == stage,
        (Some(there), _) => there.next.as_deref() == Some(stage),
        _ => false,
    }
}

fn next(function: &Function) -> Option<&String> {
    function
        .stage
        .as_ref()
        .and_then(|stage| stage.next.as_ref())
}

fn stages(api: &Api, object: &Object) -> Found<Vec<plan::Stage>> {
    let steps = |here: &dyn Fn(&Function) -> bool| {
        let all = api.in_role(&object.tag, |role| {
            matches!(role, Role::Constructor | Role::Method)
        });
        let here = all.filter(|function| here(function));
        here.map(|function| (function.clone(), step(api, function)))
            .collect::<Vec<_>>()
    };
    let bare = |function: &Function| {
        function.stage.is_none() && object.lifetime && function.role == Role::Constructor
    };
    if object.stages.is_empty() {
        return Ok(vec![plan::Stage {
            name: None,
            steps: steps(&bare),
            entries: Vec::new(),
            methods: Vec::new(),
        }]);
    }
    let stage = |stage: &String| {
        let all = || {
            api.in_role(&object.tag, |role| {
                matches!(role, Role::Constructor | Role::Method)
            })
        };
        let entries = || all().filter(|function| leads_to(function, stage));
        let by = entries()
            .next()
            .ok_or_else(|| missing("a function that leads to it", stage))?;
        let before = |function: &Function| {
            let of = function
                .stage
                .as_ref()
                .filter(|_| function.role != Role::Constructor);
            of.map(|there| there.of.clone())
        };
        let stays = |function: &&Function| {
            function
                .stage
                .as_ref()
                .is_none_or(|there| there.of == *stage && there.next.is_none())
        };
        Ok(plan::Stage {
            name: Some(plan::Marker {
                stage: stage.clone(),
                by: by.name.clone(),
            }),
            steps: steps(&|function| {
                function
                    .stage
                    .as_ref()
                    .is_some_and(|there| there.of == *stage)
            }),
            entries: entries()
                .map(|function| (function.clone(), before(function)))
                .collect(),
            methods: methods(api, &object.tag).filter(stays).cloned().collect(),
        })
    };
    object.stages.iter().map(stage).collect()
}

fn step(api: &Api, function: &Function) -> plan::Step {
    match (&function.role, next(function)) {
        (Role::Constructor, _) => plan::Step::Makes {
            generics: generics(api, function),
        },
        (_, Some(next)) => plan::Step::Leads(next.clone()),
        (_, None) => plan::Step::Stays,
    }
}

/// The type parameters of what outlives an object, which its constructor has; and `R` for what a closure returns.
fn generics(api: &Api, function: &Function) -> String {
    let params = function
        .params
        .iter()
        .filter(|param| param.kind != ParamKind::Keeps);
    let others = params.filter_map(|param| api.object(param.ty.pointee_record()?));
    let bounds = others
        .map(super::settle::bounds)
        .rfind(|bounds| !bounds.is_empty())
        .unwrap_or_default();
    match (function.scoped, bounds.strip_suffix('>')) {
        (false, _) => bounds,
        (true, None) => "<R>".to_owned(),
        (true, Some(others)) => format!("{others}, R>"),
    }
}

fn sections(api: &Api, wanted: impl Fn(&Section) -> bool) -> Found<Vec<plan::Run>> {
    let run = |section: &Section| {
        let object = api
            .object(&section.of)
            .ok_or_else(|| missing("an object", &section.name))?;
        Ok(match section.protocol {
            Protocol::Entered => plan::Run::Entered(Box::new(entered(api, object, section)?)),
            Protocol::Sequence => plan::Run::Sequence(Box::new(sequence(api, object, section)?)),
        })
    };
    api.sections
        .iter()
        .filter(|section| wanted(section))
        .map(run)
        .collect()
}

fn in_role(api: &Api, tag: &str, role: &Role, section: &Section) -> Found<Function> {
    let found = api.one_in_role(tag, |other| other == role).cloned();
    found.ok_or_else(|| missing("all of its functions", &section.name))
}

fn entered(api: &Api, object: &Object, section: &Section) -> Found<plan::Entered> {
    let tag = section.tag.as_str();
    let first = api.section(tag).unwrap_or(section);
    let enter = in_role(api, tag, &Role::Enter, section)?;
    let held = section.holds.as_ref().map(|(guard, _)| guard);
    Ok(plan::Entered {
        object: object.name.clone(),
        stored: object.deferred.is_some(),
        bool: *enter.ret.plain() == CType::Bool,
        enter,
        leave: in_role(api, tag, &Role::Leave, section)?,
        outcome: in_role(api, tag, &Role::Outcome, section)?,
        state: format!("{}State", first.name),
        first: first.name == section.name,
        set: section
            .set
            .iter()
            .map(|set| constant(api, set))
            .collect::<Found<_>>()?,
        params: params(first, section),
        room: section.room.as_ref().map(elements).transpose()?,
        data: held
            .filter(|held| object.data.iter().any(|(guard, _)| guard == *held))
            .cloned(),
        methods: methods(api, tag).cloned().collect(),
        iterators: iterators(api, section)?,
        example: example(api, &section.name),
        section: section.clone(),
    })
}

/// What the structure states about the parameters that only this section has.
fn params(first: &Section, section: &Section) -> Vec<(String, String)> {
    let own =
        |given: &&crate::model::Given| first.given.iter().all(|other| other.field != given.field);
    let members = section.doc.as_ref().map(|doc| &doc.members);
    let stated = |given: &crate::model::Given| {
        Some((given.name.clone(), members?.get(&given.field)?.clone()))
    };
    section
        .given
        .iter()
        .filter(own)
        .filter_map(stated)
        .collect()
}

fn constant(api: &Api, set: &crate::model::Set) -> Found<plan::Constant> {
    let CType::Enum(tag) = set.ty.plain() else {
        return Err(missing("an enumeration", &set.field));
    };
    let doc = api.choice(tag).and_then(|choice| choice.doc.as_ref());
    Ok(plan::Constant {
        field: set.field.clone(),
        c: set.constant.clone(),
        bound: format!("{tag}_{}", set.constant),
        doc: doc.and_then(|doc| doc.members.get(&set.constant)).cloned(),
    })
}

fn elements(room: &crate::model::Room) -> Found<(crate::model::Room, plan::Elements)> {
    let exact = *room.length_ty.plain() == CType::Int("u32");
    match room.elem.plain() {
        CType::Int(int) => Ok((room.clone(), plan::Elements { int, exact })),
        _ => Err(missing("an element", &room.field)),
    }
}

fn iterators(api: &Api, section: &Section) -> Found<Vec<plan::Iterator>> {
    let steps = api.in_role(&section.tag, |role| section.shows(role));
    steps
        .map(|function| iterator(api, section, function))
        .collect()
}

fn iterator(api: &Api, section: &Section, function: &Function) -> Found<plan::Iterator> {
    let Role::Iterator(iteration) = &function.role else {
        return Err(missing("its role", &function.c));
    };
    let others = function
        .params
        .iter()
        .enumerate()
        .filter(|(index, _)| function.this != Some(*index));
    let item = others
        .filter_map(|(_, param)| param.ty.pointee_record())
        .find_map(|tag| api.record(tag));
    let shown = |other: &&Section| other.tag == section.tag && other.shows(&function.role);
    Ok(plan::Iterator {
        function: function.clone(),
        name: iteration.name.clone(),
        start: iteration.start.clone(),
        item: item.ok_or_else(|| missing("an item", &function.c))?.clone(),
        bool: *function.ret.plain() == CType::Bool,
        first: api
            .sections
            .iter()
            .find(shown)
            .is_none_or(|first| first.name == section.name),
    })
}

fn sequence(api: &Api, object: &Object, section: &Section) -> Found<plan::Sequence> {
    let check = in_role(
        api,
        &section.of,
        &Role::Check(section.name.clone()),
        section,
    )?;
    let lock = section.holds.as_ref().map(|(guard, _)| {
        let lock = in_role(api, &section.of, &Role::Lock(guard.clone()), section)?;
        Ok::<_, String>((guard.clone(), lock.name))
    });
    Ok(plan::Sequence {
        object: object.clone(),
        begin: in_role(
            api,
            &section.of,
            &Role::Begin(section.name.clone()),
            section,
        )?,
        bool: *check.ret.plain() == CType::Bool,
        check,
        lock: lock.transpose()?,
        section: section.clone(),
    })
}

/// A redeclaration of a function with the attributes that its contract adds; `None` if it adds none.
fn prototype(api: &Api, function: &Function) -> Option<plan::Prototype> {
    let fails = function.errno.is_some() && function.role != Role::Outcome;
    let owned = function.returns == Returns::Owned;
    let check = (fails || owned) && !function.must_check;
    let held = required(function).and_then(|guard| lock_held(api, function, guard));
    let adds = !function.needs_helper && (check || held.is_some());
    adds.then(|| plan::Prototype {
        function: function.clone(),
        check,
        held,
    })
}

/// The lock behind a guard, as an expression in the function's parameters, and how it is held. A lock that C takes by
/// attempts only has no name there.
fn lock_held(api: &Api, function: &Function, guard: &str) -> Option<(String, &'static str)> {
    let this = &function.params.get(function.this?)?.name;
    let enter = api.one_in_role(
        function.owner.as_deref()?,
        |role| matches!(role, Role::Lock(of) if of == guard),
    )?;
    let name = enter.lock_name.as_deref();
    let (name, kind) = match name.and_then(|name| name.strip_suffix(" shared")) {
        Some(shared) => (Some(shared), "_shared"),
        None => (name, ""),
    };
    Some(match name.and_then(|name| name.split_once("->")) {
        Some((_, member)) => (format!("&{this}->{member}"), kind),
        None => (this.clone(), kind),
    })
}

/// What both sides know the layout or value of.
fn shared(api: &Api) -> plan::Shared {
    // Rust needs the size of objects that it holds in place; to others it has pointers only.
    let in_place = api
        .objects
        .iter()
        .filter(|object| object.shape == Shape::Pinned);
    let objects = in_place.map(|object| &object.tag);
    let structs = objects
        .chain(api.records.iter().map(|record| &record.tag))
        .chain(api.tables.iter().map(|table| &table.tag))
        .chain(api.sections.iter().map(|section| &section.tag));
    let choices = api
        .choices
        .iter()
        .map(|choice| (choice.tag.clone(), choice.variants.clone()));
    let flags = api
        .flags
        .iter()
        .map(|flags| (flags.tag.clone(), flags.bits.clone()));
    let tagged = api
        .tagged
        .iter()
        .map(|tagged| (tagged.tag.clone(), tagged.bits.clone()));
    plan::Shared {
        structs: structs.cloned().collect(),
        constants: choices.chain(flags).chain(tagged).collect(),
    }
}
