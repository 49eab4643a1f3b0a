// SPDX-License-Identifier: GPL-2.0

//! How each C declaration was mapped, and why.

use crate::check::types;
use crate::check::types::Ty;
use crate::model::Api;
use crate::model::Context;
use crate::model::Function;
use crate::model::ParamKind;
use crate::model::Returns;
use crate::model::Role;
use crate::model::Shape;
use crate::read::CType;
use crate::source::Sources;

/// How the declaration of that name was mapped; `None` if there is none.
pub fn explain(api: &Api, sources: &Sources, name: &str) -> Option<String> {
    let bare = name
        .trim_start_matches("struct ")
        .trim_start_matches("enum ")
        .trim_end_matches("()");
    if let Some(left) = api
        .left_out
        .iter()
        .find(|l| l.name == name || l.name == bare)
    {
        return Some(format!(
            "{} is left out.\n  why: {}\n  remedy: {}\n  declared at {}:{}\n",
            left.name,
            left.reason,
            left.remedy,
            sources.short_path(left.span.file),
            sources.line(left.span)
        ));
    }
    if let Some(function) = api.function(bare) {
        return Some(explain_function(api, sources, function));
    }
    explain_type(api, sources, bare)
}

fn owner_name(api: &Api, tag: &str) -> String {
    let object = api.object(tag).map(|o| o.name.clone());
    let record = api.record(tag).map(|r| r.name.clone());
    let section = api.section(tag).map(|s| s.name.clone());
    let tagged = api.tagged_int(tag).map(|t| t.name.clone());
    object
        .or(record)
        .or(section)
        .or(tagged)
        .unwrap_or_else(|| tag.to_owned())
}

fn explain_function(api: &Api, sources: &Sources, function: &Function) -> String {
    let tag = function.owner.clone().unwrap_or_default();
    let owner = owner_name(api, &tag);
    let scoped = api.object(&tag).is_some_and(|object| object.scoped);
    let becomes = becomes(function, &owner, scoped);
    let mut text = format!("{}() becomes {becomes}.\n", function.c);
    text.push_str(&place(sources, function));
    for clause in &function.from_c {
        text.push_str(&format!("  {clause}\n"));
    }
    for (index, param) in function.params.iter().enumerate() {
        text.push_str(&format!(
            "  parameter {}: {}\n",
            param.name,
            given(api, function, index)
        ));
    }
    text.push_str(match (function.returns, function.ret.plain()) {
        (Returns::Errno, _) => "  result: zero or an error (`errno`)\n",
        (Returns::Owned, _) if function.scoped && function.role == Role::Constructor => {
            "  result: that of the closure (`scoped`)\n"
        }
        (Returns::Owned, _) => "  result: a reference that the caller owns (`owned`)\n",
        (Returns::Borrowed, _) => {
            "  result: a reference that lives as long as the object (`borrowed`)\n"
        }
        (Returns::Value, CType::Void) => "  result: nothing\n",
        (Returns::Value, _) => "  result: a plain value\n",
    });
    text + &demands(function)
}

/// What a function is on the typed side. Its owner may be `scoped`.
fn becomes(function: &Function, owner: &str, scoped: bool) -> String {
    let on = function.requires.as_ref().map_or(owner, |(guard, _)| guard);
    match &function.role {
        Role::Constructor if function.scoped => format!(
            "`{owner}::{}`, which makes a `{owner}` for a closure and ends it when that returns",
            function.name
        ),
        Role::Constructor => format!("`{owner}::{}`, which makes a `{owner}`", function.name),
        Role::Destructor if scoped => {
            format!("the end of `{owner}`, when the closure returns that was given it")
        }
        Role::Destructor => format!("the drop of `{owner}`"),
        Role::Get => format!("cloning a reference to `{owner}`"),
        Role::Put => format!("dropping a reference to `{owner}`"),
        Role::Lock(guard) | Role::TryLock(guard) if function.scoped => {
            format!(
                "`{owner}::{}`, which lends a `{guard}` to a closure",
                function.name
            )
        }
        Role::Lock(guard) => format!("`{owner}::{}`, which gives a `{guard}`", function.name),
        Role::TryLock(guard) => format!("`{owner}::{}`, which may give a `{guard}`", function.name),
        Role::Unlock(guard) => format!("the drop of `{guard}`"),
        Role::Enter => format!("a turn of the loop that runs the section `{owner}`"),
        Role::Leave => format!("the end of the section `{owner}`"),
        Role::Outcome => format!("the result of the section `{owner}`"),
        Role::Begin(name) => format!("the beginning of the section `{name}`"),
        Role::Check(name) => format!("the check of the section `{name}`"),
        Role::Iterator(iteration) => format!("`{}::next`", iteration.name),
        Role::Method => format!("`{on}::{}`", function.name),
    }
}

/// Where a function is declared, with its contract.
fn place(sources: &Sources, function: &Function) -> String {
    // A declaration without a contract of its own, whose clauses all come from C: show the position of its name.
    let only_from_c = function.contract == function.span;
    format!(
        "  {} at {}:{}{}\n",
        if only_from_c { "declared" } else { "contract" },
        sources.short_path(function.contract.file),
        sources.line(function.contract),
        match only_from_c {
            true => String::new(),
            false => {
                let parts: Vec<&str> = sources
                    .slice(function.contract)
                    .split_whitespace()
                    .collect();
                format!(": {}", parts.join(" "))
            }
        }
    )
}

/// What a function demands of its caller.
fn demands(function: &Function) -> String {
    let mut text = String::new();
    if let Some(stage) = &function.stage {
        text.push_str(&match (&function.role, &stage.next) {
            (Role::Constructor, _) => format!("  makes it in the stage `{}` (`stage`)\n", stage.of),
            (_, Some(next)) => {
                format!(
                    "  takes it in the stage `{}` to the stage `{next}` (`stage`)\n",
                    stage.of
                )
            }
            (_, None) => format!(
                "  may be called only in the stage `{}` (`stage`)\n",
                stage.of
            ),
        });
    }
    if let Some((guard, _)) = &function.requires {
        text.push_str(&format!(
            "  may be called only with `{guard}` held (`requires`)\n"
        ));
    }
    if let Some(promise) = &function.promise {
        text.push_str(&format!(
            "  the caller must promise that {promise} (`unsafe`)\n"
        ));
    }
    match function.context {
        Context::MaySleep => text.push_str("  may sleep\n"),
        Context::Atomic => text.push_str("  never sleeps\n"),
        Context::Unstated => {}
    }
    if function.needs_helper {
        text.push_str(&format!(
            "  called through rust_helper_{}(), since it has no symbol\n",
            function.c
        ));
    }
    text
}

/// The argument for a parameter on the typed side.
fn given(api: &Api, function: &Function, index: usize) -> String {
    let param = &function.params[index];
    if function.this == Some(index) {
        return "the object itself".into();
    }
    if matches!(function.role, Role::Iterator(_)) {
        return "the next item".into();
    }
    if param.kind == ParamKind::Cookie {
        return "the value that the lock returned, kept in the guard (`cookie`)".into();
    }
    let mut text = match types::of_param(api, param) {
        Ok(ty) => typed(api, &ty),
        Err(why) => why.reason,
    };
    if matches!(param.kind, ParamKind::Kept(_)) {
        return format!("{text}, which the object keeps (`kept`)");
    }
    if param.kind == ParamKind::Out {
        return format!("returned: {text} (`out`)");
    }
    if param.nullable {
        text.push_str(", or none (`nullable`)");
    }
    if param.kind == ParamKind::Outlives {
        text.push_str(", which outlives the object (`outlives`)");
    }
    if param.kind == ParamKind::Keeps {
        text.push_str(", kept until the object ends (`keeps`)");
    }
    text
}

fn typed(api: &Api, ty: &Ty) -> String {
    match ty {
        Ty::Unit => "nothing".into(),
        Ty::Bool => "a bool".into(),
        Ty::Int(name) => format!("a number, `{name}`"),
        Ty::Object(tag) => format!("a reference to a `{}`", owner_name(api, tag)),
        Ty::Record(tag) => format!("a `{}`", owner_name(api, tag)),
        Ty::RecordRef(tag) => format!("a `{}`, by reference", owner_name(api, tag)),
        Ty::Choice(tag) => format!("a `{}`", api.choice(tag).map_or(tag, |choice| &choice.name)),
        Ty::Flags(tag) => format!("`{}`", api.flag_set(tag).map_or(tag, |flags| &flags.name)),
        Ty::Tagged(tag) => format!("a tagged integer, `{}`", owner_name(api, tag)),
        Ty::Section(_) => "the state of the section".into(),
        Ty::Table(tag) => {
            let name = api.table(tag).map_or(tag, |table| &table.name);
            format!("the table of the callbacks; a constant of the type that implements `{name}`")
        }
        Ty::Callback => "the callback; a function of the type that implements its trait".into(),
        Ty::Identity { nonnull: false } => "an address that is only compared (`identity`)".into(),
        Ty::Identity { nonnull: true } => {
            "an address that is only compared (`identity`), and not NULL".into()
        }
        Ty::Slice { element, mutable } => {
            let written = if *mutable {
                ", which is written to"
            } else {
                ""
            };
            format!("a slice; each element is {}{written}", typed(api, element))
        }
        Ty::LengthOf(slice) => format!("none: the length of the slice `{slice}`"),
        Ty::Text => "a C string".into(),
        Ty::Gfp => "allocation flags".into(),
        Ty::LockClass => "the class of a lock".into(),
        Ty::Made { tag, .. } => format!("the `{}` that it makes", owner_name(api, tag)),
        Ty::Closure => "the object's own address, which its callbacks get (`closure`)".into(),
    }
}

fn explain_type(api: &Api, sources: &Sources, tag: &str) -> Option<String> {
    let place = |span: crate::source::Span| {
        format!(
            "  declared at {}:{}\n",
            sources.short_path(span.file),
            sources.line(span)
        )
    };
    if let Some(object) = api.object(tag) {
        let held = match object.shape {
            Shape::Pinned => {
                "in place, initialised where it stays, because a constructor initialises it"
            }
            Shape::Counted => "by counted reference, because it has get and put",
            Shape::Owned if object.scoped => {
                "by a pointer while a closure runs, because its constructors are `scoped`"
            }
            Shape::Owned => "by a pointer that it owns, because a constructor returns one",
            Shape::Foreign => "by a type that exists already",
            Shape::Borrowed => "by reference only, because nothing in the contracts makes one",
        };
        let text = format!(
            "struct {tag} becomes the object `{}`.\n  held {held}\n",
            object.name
        );
        return Some(text + &place(object.span));
    }
    if let Some(record) = api.record(tag) {
        return Some(
            format!("struct {tag} becomes the record `{}`.\n", record.name) + &place(record.span),
        );
    }
    if let Some(choice) = api.choice(tag) {
        return Some(
            format!("enum {tag} becomes the choice `{}`.\n", choice.name) + &place(choice.span),
        );
    }
    if let Some(flags) = api.flag_set(tag) {
        return Some(
            format!("enum {tag} becomes the flag set `{}`.\n", flags.name) + &place(flags.span),
        );
    }
    if let Some(tagged) = api.tagged_int(tag) {
        return Some(
            format!("{tag} becomes the tagged integer `{}`.\n", tagged.name) + &place(tagged.span),
        );
    }
    if let Some(table) = api.table(tag) {
        return Some(
            format!("struct {tag} becomes the trait `{}`.\n", table.name) + &place(table.span),
        );
    }
    let sections: Vec<_> = api
        .sections
        .iter()
        .filter(|section| section.tag == tag)
        .collect();
    let names: Vec<String> = sections
        .iter()
        .map(|section| format!("`{}`", section.name))
        .collect();
    let what = if names.len() == 1 {
        "section"
    } else {
        "sections"
    };
    Some(
        format!("struct {tag} becomes the {what} {}.\n", names.join(", "))
            + &place(sections.first()?.span),
    )
}
