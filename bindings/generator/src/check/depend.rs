// SPDX-License-Identifier: GPL-2.0

//! Leaves out declarations that depend on one that is left out.

use super::leave_out;
use super::lose;
use super::ops::table_falls;
use super::types::Why;
use crate::model::Api;
use crate::model::Function;
use crate::model::Object;
use crate::model::Protocol;
use crate::model::Role;
use crate::model::Section;
use crate::model::Shape;

/// Remove declarations that need one that is left out. The check phase calls this until nothing changes.
pub(super) fn check(api: &mut Api) {
    let objects: Vec<(String, Why)> = api
        .objects
        .iter()
        .filter_map(|object| Some((object.tag.clone(), object_needs(api, object)?)))
        .collect();
    for (tag, why) in objects {
        object_falls(api, &tag, why);
    }
    let sections: Vec<(String, Why)> = api
        .sections
        .iter()
        .filter_map(|section| Some((section.name.clone(), section_needs(api, section)?)))
        .collect();
    for (name, why) in sections {
        section_falls(api, &name, why);
    }
    let functions: Vec<(String, Why)> = api
        .functions
        .iter()
        .filter_map(|function| Some((function.c.clone(), function_needs(api, function)?)))
        .collect();
    for (name, why) in functions {
        lose(api, &name, why);
    }
}

/// A function of `struct tag` in this role that is left out.
fn lost<'a>(api: &'a Api, tag: &str, role: impl Fn(&Role) -> bool) -> Option<&'a Function> {
    api.lost
        .iter()
        .find(|function| function.owner.as_deref() == Some(tag) && role(&function.role))
}

fn needs(function: &Function) -> Why {
    Why::new(
        format!("`{}` is left out", function.c),
        "complete its contract",
    )
}

/// An object needs its constructor, and the function that ends it: without the latter it would leak.
fn object_needs(api: &Api, object: &Object) -> Option<Why> {
    let tag = object.tag.as_str();
    let ends = |role: &Role| matches!(role, Role::Destructor | Role::Get | Role::Put);
    if let Some(gone) = lost(api, tag, ends) {
        // A second constructor may be left out.
        if api.one_in_role(tag, |role| *role == gone.role).is_none() {
            return Some(needs(gone));
        }
    }
    let made = api
        .one_in_role(tag, |role| *role == Role::Constructor)
        .is_some();
    let by_hand = matches!(object.shape, Shape::Pinned | Shape::Owned);
    (by_hand && !made).then(|| {
        Why::new(
            "its constructor is left out",
            "complete the contract of the constructor",
        )
    })
}

fn object_falls(api: &mut Api, tag: &str, why: Why) {
    let Some(at) = api.objects.iter().position(|object| object.tag == tag) else {
        return;
    };
    let object = api.objects.remove(at);
    leave_out(api, &format!("struct {tag}"), object.span, why);
    for constant in &object.constants {
        let why = Why::new(
            format!("`struct {tag}` is left out"),
            "complete its contract",
        );
        leave_out(
            api,
            &format!("{tag}.{}", constant.member.name),
            constant.member.span,
            why,
        );
    }
    let gone = || {
        Why::new(
            format!("`struct {tag}` is left out"),
            "complete its contract",
        )
    };
    let own: Vec<String> = api
        .functions
        .iter()
        .filter(|function| function.owner.as_deref() == Some(tag))
        .map(|function| function.c.clone())
        .collect();
    for name in own {
        lose(api, &name, gone());
    }
    let sections: Vec<String> = api
        .sections
        .iter()
        .filter(|section| section.of == tag)
        .map(|section| section.name.clone())
        .collect();
    for name in sections {
        section_falls(api, &name, gone());
    }
    let tables = api
        .tables
        .iter()
        .filter(|table| Some(&table.name) == object.operations.as_ref());
    let tables: Vec<_> = tables.cloned().collect();
    for table in tables {
        table_falls(api, &table, gone());
        api.tables.retain(|other| other.tag != table.tag);
    }
}

/// A section needs the functions that enter and leave it.
fn section_needs(api: &Api, section: &Section) -> Option<Why> {
    let runs = |role: &Role| match section.protocol {
        Protocol::Entered => matches!(role, Role::Enter | Role::Leave | Role::Outcome),
        Protocol::Sequence => {
            matches!(role, Role::Begin(name) | Role::Check(name) if *name == section.name)
        }
    };
    let tag = match section.protocol {
        Protocol::Entered => &section.tag,
        Protocol::Sequence => &section.of,
    };
    if let Some(gone) = lost(api, tag, runs) {
        if api.one_in_role(tag, |role| *role == gone.role).is_none() {
            return Some(needs(gone));
        }
    }
    let (guard, _) = section.holds.as_ref()?;
    let taken = |role: &Role| match role {
        Role::Lock(name) => name == guard,
        // A sequence takes the lock itself, and cannot fail to.
        Role::TryLock(name) => name == guard && section.protocol == Protocol::Entered,
        _ => false,
    };
    let lock = lost(api, &section.of, taken)?;
    api.one_in_role(&section.of, taken)
        .is_none()
        .then(|| needs(lock))
}

fn section_falls(api: &mut Api, name: &str, why: Why) {
    let Some(at) = api.sections.iter().position(|section| section.name == name) else {
        return;
    };
    let section = api.sections.remove(at);
    leave_out(api, &format!("section {name}"), section.span, why);
    let shared = api.sections.iter().any(|other| other.tag == section.tag);
    let own: Vec<String> = api
        .functions
        .iter()
        .filter(|function| match (&function.role, section.protocol) {
            (Role::Begin(of) | Role::Check(of), Protocol::Sequence) => {
                *of == section.name && function.owner.as_ref() == Some(&section.of)
            }
            (_, Protocol::Entered) => !shared && function.owner.as_ref() == Some(&section.tag),
            _ => false,
        })
        .map(|function| function.c.clone())
        .collect();
    for c in own {
        lose(
            api,
            &c,
            Why::new(
                format!("the section `{name}` is left out"),
                "complete its contract",
            ),
        );
    }
}

/// A guard needs the functions that take and release the lock.
fn function_needs(api: &Api, function: &Function) -> Option<Why> {
    let tag = function.owner.as_deref()?;
    let gone = |guard: &String, role: &dyn Fn(&Role) -> bool| -> Option<Why> {
        match api.one_in_role(tag, role) {
            Some(_) => None,
            None => Some(match lost(api, tag, role) {
                Some(other) => needs(other),
                None => Why::new(
                    format!("no function takes `{guard}`"),
                    "complete the contract of the lock",
                ),
            }),
        }
    };
    match &function.role {
        Role::Lock(guard) | Role::TryLock(guard) => gone(
            guard,
            &|role| matches!(role, Role::Unlock(name) if name == guard),
        ),
        Role::Unlock(guard) => gone(
            guard,
            &|role| matches!(role, Role::Lock(name) | Role::TryLock(name) if name == guard),
        ),
        _ => None,
    }
}
