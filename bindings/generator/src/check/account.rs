// SPDX-License-Identifier: GPL-2.0

//! The declarations under contract, each of which is written or reported.

use crate::model::Api;

/// A declaration under contract.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declared {
    /// Its name in the report.
    pub name: String,
    /// The mark that it was written.
    pub mark: Mark,
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
    let mut add = |name: String, mark: Mark| all.push(Declared { name, mark });
    let own = |span| api.module(span).is_none();
    for object in api.objects.iter().filter(|object| own(object.span) && object.foreign.is_none()) {
        add(format!("struct {}", object.tag), Mark::Item(object.name.clone()));
        for constant in &object.constants {
            let accessor = format!("{}::{}", object.name, constant.member.name);
            add(format!("{}.{}", object.tag, constant.member.name), Mark::Function(accessor));
        }
    }
    for record in api.records.iter().filter(|record| own(record.span)) {
        add(format!("struct {}", record.tag), Mark::Item(record.name.clone()));
        for member in &record.members {
            let accessor = format!("{}::{}", record.name, member.name);
            add(format!("{}.{}", record.tag, member.name), Mark::Function(accessor));
        }
    }
    for choice in api.choices.iter().filter(|choice| own(choice.span)) {
        add(format!("enum {}", choice.tag), Mark::Item(choice.name.clone()));
    }
    for flags in api.flags.iter().filter(|flags| own(flags.span)) {
        add(format!("enum {}", flags.tag), Mark::Item(flags.name.clone()));
    }
    for tagged in api.tagged.iter().filter(|tagged| own(tagged.span)) {
        add(tagged.tag.clone(), Mark::Item(tagged.name.clone()));
    }
    for table in api.tables.iter().filter(|table| own(table.span)) {
        // A callback that is a parameter goes with its function.
        add(table.declared_as(), Mark::Item(table.name.clone()));
        for callback in &table.callbacks {
            let name = &callback.signature.name;
            let declared = match table.single {
                true => table.tag.clone(),
                false => format!("{}.{name}", table.tag),
            };
            add(declared, Mark::Function(format!("{}::{name}", table.name)));
        }
    }
    for section in api.sections.iter().filter(|section| own(section.span)) {
        let method = api.object(&section.of).map(|object| format!("{}::{}", object.name, section.method));
        add(format!("section {}", section.name), Mark::Function(method.unwrap_or_default()));
    }
    for function in api.functions.iter().filter(|function| own(function.span)) {
        // Rust ends an object by the function that may defer it.
        let called = function.deferred.as_ref().unwrap_or(&function.c);
        add(function.c.clone(), Mark::Bound(called.clone()));
    }
    all
}
