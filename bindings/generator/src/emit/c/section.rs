// SPDX-License-Identifier: GPL-2.0

//! Sections: a loop whose body is the section. What it shows has a name in the body only.

use super::define;
use crate::model::Api;
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
    let needed = || section.given.iter().filter(|given| !given.optional);
    let params: Vec<String> = needed().map(|given| format!("_{}", given.name)).collect();
    let fields = needed().map(|given| format!(".{0} = (_{0}), ", given.name));
    let head = format!("{name}(_name, _error, {})", params.join(", "));
    let tag = &section.tag;
    let lines = [
        format!("for (struct {tag} _name __cleanup({leave}) = {{ {}}};", fields.collect::<String>()),
        format!("{enter}(&_name) ||"),
        format!("((_error) = {outcome}(&_name), false);)"),
    ];
    let text = format!(
        "/*\n * {name}(name, error, ...) {{ }}: the statement runs for each piece of what was asked\n * for; \
         @name can be named in it and nowhere else. @error, an int, tells how it ended;\n * it is not set \
         when the statement is left early.\n */\n"
    );
    Some(text + &define(&head, &lines))
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
