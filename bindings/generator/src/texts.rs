// SPDX-License-Identifier: GPL-2.0

//! Texts about items of Rust, which replace what the C side states about its own.
//!
//! `NAME.md` is about the type, trait or guard `NAME`: the text before the first heading about itself, and that below
//! `## item` about its function, callback or member of that name. `module.md` is about the module.

use crate::model::Api;
use crate::model::Function;
use crate::model::Role;
use crate::read::Doc;

/// The name of the file about the module.
const MODULE: &str = "module";

/// Uses the text of a file.
pub fn apply(api: &mut Api, name: &str, text: &str) -> Result<(), String> {
    if name == MODULE {
        api.about = Some(text.trim().to_owned());
        return Ok(());
    }
    let mut parts = text.split("\n## ");
    let own = parts.next().unwrap_or_default();
    // A file may begin with an item.
    let (own, first) = match own.strip_prefix("## ") {
        Some(first) => ("", Some(first)),
        None => (own, None),
    };
    if !own.trim().is_empty() && !about_type(api, name, &doc(own)) {
        return Err(format!(
            "error: {name}.md: there is no type or trait `{name}`"
        ));
    }
    for part in first.into_iter().chain(parts) {
        let (item, text) = part.split_once('\n').unwrap_or((part, ""));
        if !about_item(api, name, item.trim(), &doc(text)) {
            return Err(format!(
                "error: {name}.md: `{name}` has no `{}`",
                item.trim()
            ));
        }
    }
    Ok(())
}

/// The first paragraph, and the others.
fn doc(text: &str) -> Doc {
    let (brief, body) = text.trim().split_once("\n\n").unwrap_or((text.trim(), ""));
    Doc {
        brief: brief.replace('\n', " "),
        body: body.to_owned(),
        ..Doc::default()
    }
}

/// Replaces the text, and keeps that about members.
fn replace(old: &mut Option<Doc>, new: &Doc) {
    let members = old.take().map(|doc| doc.members).unwrap_or_default();
    *old = Some(Doc {
        members,
        ..new.clone()
    });
}

fn about_type(api: &mut Api, name: &str, text: &Doc) -> bool {
    let objects = api
        .objects
        .iter_mut()
        .map(|found| (&found.name, &mut found.doc));
    let tables = api
        .tables
        .iter_mut()
        .map(|found| (&found.name, &mut found.doc));
    let records = api
        .records
        .iter_mut()
        .map(|found| (&found.name, &mut found.doc));
    let sections = api
        .sections
        .iter_mut()
        .map(|found| (&found.name, &mut found.doc));
    let choices = api
        .choices
        .iter_mut()
        .map(|found| (&found.name, &mut found.doc));
    let flags = api
        .flags
        .iter_mut()
        .map(|found| (&found.name, &mut found.doc));
    let tagged = api
        .tagged
        .iter_mut()
        .map(|found| (&found.name, &mut found.doc));
    let mut all = objects
        .chain(tables)
        .chain(records)
        .chain(sections)
        .chain(choices)
        .chain(flags)
        .chain(tagged);
    match all.find(|(found, _)| *found == name) {
        Some((_, doc)) => {
            replace(doc, text);
            true
        }
        None => false,
    }
}

fn about_item(api: &mut Api, name: &str, item: &str, text: &Doc) -> bool {
    let whole = format!("{}\n\n{}", text.brief, text.body);
    let callback = (api.tables.iter_mut().filter(|table| table.name == name))
        .flat_map(|table| &mut table.callbacks)
        .find(|callback| callback.signature.name == item);
    if let Some(callback) = callback {
        callback.doc = Some(whole);
        return true;
    }
    if let Some(record) = api.records.iter_mut().find(|record| record.name == name) {
        if record.members.iter().any(|member| member.name == item) {
            record
                .doc
                .get_or_insert_default()
                .members
                .insert(item.to_owned(), whole);
            return true;
        }
    }
    let tags: Vec<String> = (api.objects.iter().map(|object| (&object.name, &object.tag)))
        .chain(api.records.iter().map(|record| (&record.name, &record.tag)))
        .chain(
            api.sections
                .iter()
                .map(|section| (&section.name, &section.tag)),
        )
        .chain(api.tagged.iter().map(|tagged| (&tagged.name, &tagged.tag)))
        .chain(api.flags.iter().map(|flags| (&flags.name, &flags.tag)))
        .filter(|(found, _)| *found == name)
        .map(|(_, tag)| tag.clone())
        .collect();
    let method =
        |section: &&mut crate::model::Section| section.method == item && tags.contains(&section.of);
    if let Some(section) = api.sections.iter_mut().find(method) {
        section.text = Some(text.clone());
        return true;
    }
    let of_guard = |function: &Function| {
        function
            .requires
            .as_ref()
            .is_some_and(|(guard, _)| guard == name)
    };
    let of_type = |function: &Function| {
        function.requires.is_none()
            && function
                .owner
                .as_ref()
                .is_some_and(|owner| tags.contains(owner))
    };
    let named = |function: &Function| match &function.role {
        Role::Iterator(iteration) => crate::emit::snake(&iteration.name) == item,
        _ => function.name == item,
    };
    let wanted =
        |function: &&mut Function| named(function) && (of_type(function) || of_guard(function));
    match api.functions.iter_mut().find(wanted) {
        Some(function) => {
            replace(&mut function.doc, text);
            true
        }
        None => false,
    }
}
