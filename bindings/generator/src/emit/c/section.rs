// SPDX-License-Identifier: GPL-2.0

//! Sections: a loop whose body is the section. What it shows has a name in the body only.

use super::define;
use crate::model::Api;
use crate::model::Function;
use crate::model::Given;
use crate::model::Plain;
use crate::model::Protocol;
use crate::model::Role;
use crate::model::Section;
use crate::read::CType;

/// The macro that runs a section.
pub(super) fn scope(api: &Api, section: &Section) -> Option<String> {
    match section.protocol {
        Protocol::Entered => entered(api, section),
        Protocol::Sequence => sequence(api, section),
    }
}

fn entered(api: &Api, section: &Section) -> Option<String> {
    let enter = &api.one_in_role(&section.tag, |role| *role == Role::Enter)?.c;
    let leave = &api.one_in_role(&section.tag, |role| *role == Role::Leave)?.c;
    let outcome = &api.one_in_role(&section.tag, |role| *role == Role::Outcome)?.c;
    let name = format!("{}_{}", section.of, section.method);
    let (optional, required): (Vec<_>, Vec<_>) = section.given.iter().partition(|given| given.optional);
    let names = |of: &[&Given]| of.iter().map(|given| given.name.clone()).collect::<Vec<_>>();
    let (optional, required) = (names(&optional), names(&required));
    let more = !optional.is_empty();
    let params: Vec<String> = required.iter().map(|name| format!(", _{name}")).collect();
    let head = format!("{name}(_name, _error{}{})", params.join(""), if more { ", ..." } else { "" });
    let tag = &section.tag;
    let fields: Vec<String> = required.iter().map(|name| format!("\t\t.{name} = (_{name}),")).collect();
    let mut lines = vec![format!("for (scoped_{tag} _name = {{")];
    lines.extend(fields);
    lines.extend(more.then(|| "\t\t__VA_ARGS__".to_owned()));
    lines.push("     };".into());
    lines.push(format!("     {enter}(&_name) ||"));
    lines.push(format!("     ((_error) = {outcome}(&_name), false);)"));
    let told: Vec<String> = required.iter().map(|name| format!(", {name}")).collect();
    let fields = optional.iter().map(|name| format!(".{name} = ...")).collect::<Vec<_>>().join(", ");
    let and = if more { format!(" {fields} may follow.") } else { String::new() };
    let text_of = format!(
        "{name}(name, error{}) {{ }}: the statement runs for each piece of what was asked for; @name can be \
         named in it and nowhere else. @error, an int, tells how it ended; it is not set when the statement \
         is left early.{and}",
        told.join("")
    );
    let mut text = format!(
        "/* A struct {tag} that is left when it goes out of scope. */\n\
         #define scoped_{tag} struct {tag} __cleanup({leave})\n\n"
    );
    text.push_str(&super::comment(&text_of));
    text.push_str(&define(&head, &lines));
    for step in api.in_role(&section.tag, |role| matches!(role, Role::Iterator(_))) {
        text.push_str(&iterator(api, section, step).unwrap_or_default());
    }
    Some(text)
}

/// The loop over what a section shows.
fn iterator(api: &Api, section: &Section, step: &Function) -> Option<String> {
    let Role::Iterator(iteration) = &step.role else { return None };
    let item: &Plain = step.params.iter().enumerate().find_map(|(index, param)| {
        let other = step.this != Some(index);
        param.ty.pointee_record().filter(|_| other).and_then(|tag| api.record(tag))
    })?;
    let name = format!("{}_{}", section.tag, iteration.name.to_lowercase());
    let (tag, call) = (&item.tag, &step.c);
    let start = iteration.start.iter().map(|(to, from)| format!(".{to} = (_section)->{from}"));
    let start = start.collect::<Vec<_>>().join(", ");
    let lines =
        [format!("for (struct {tag} _item = {{ {start} }};"), format!("     {call}(_section, &_item);)")];
    let text = format!(
        "{name}(item, section) {{ }}: the statement runs for each struct {tag} that @section, which one is \
         inside of, shows; @item can be named in it and nowhere else."
    );
    Some(format!("\n{}{}", super::comment(&text), define(&format!("{name}(_item, _section)"), &lines)))
}

fn sequence(api: &Api, section: &Section) -> Option<String> {
    if section.holds.is_some() {
        // The work before the lock and the work under it are two statements; C has no loop for that.
        return None;
    }
    let begin_role = Role::Begin(section.name.clone());
    let check_role = Role::Check(section.name.clone());
    let begin = api.one_in_role(&section.of, move |role| *role == begin_role)?;
    let check = &api.one_in_role(&section.of, move |role| *role == check_role)?.c;
    let name = format!("{}_{}", section.of, section.method);
    let seq = match begin.ret.plain() {
        CType::Void => return None,
        _ => begin.ret.spell(),
    };
    let begin = &begin.c;
    let text = format!(
        "/*\n * {name}(object) {{ }}: the statement runs again for as long as what it reads has\n * changed \
         meanwhile; it must not be left early.\n */\n"
    );
    let lines = [
        format!("for ({seq} _seq = {begin}(_object), _more = 1; _more;"),
        format!("_more = {check}(_object, _seq), _seq = _more ? {begin}(_object) : _seq)"),
    ];
    Some(text + &define(&format!("{name}(_object)"), &lines))
}
