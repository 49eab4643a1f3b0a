// SPDX-License-Identifier: GPL-2.0

//! Sections: a loop whose body is the section. The section's structure has a name in the body only.

use super::define;
use crate::model::Api;
use crate::model::Function;
use crate::model::Given;
use crate::model::Plain;
use crate::model::Protocol;
use crate::model::Role;
use crate::model::Room;
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
    let Names { own, inner, leave } = names_of(api, section, leave);
    let path = if inner.is_empty() { String::new() } else { format!(".{inner}") };
    let params: Vec<String> = required.iter().map(|name| format!(", _{name}")).collect();
    let head = format!("{name}(_name, _error{}{})", params.join(""), if more { ", ..." } else { "" });
    let tag = &section.tag;
    let given = required.iter().map(|name| format!("\t\t.{name} = (_{name}),"));
    let set = section.set.iter().map(|set| format!("\t\t.{} = {},", set.field, set.constant));
    let (open, close) = if path.is_empty() { (String::new(), "") } else { (format!(" {path} = {{"), "}") };
    let room = section.room.as_ref();
    let mut lines: Vec<String> = room.map(provide_room).into_iter().flatten().collect();
    lines.push(format!("for (scoped_{own} _name = {{{open}"));
    lines.extend(given.chain(set));
    lines.extend(
        room.map(|room| format!("\t\t.{} = _name##_room, .{} = {},", room.field, room.length, room.count)),
    );
    lines.extend(more.then(|| "\t\t__VA_ARGS__".to_owned()));
    lines.push(format!("     {close}}};"));
    lines.push(format!("     {enter}(&_name{path}) ||"));
    lines.push(format!("     ((_error) = {outcome}(&_name{path}), false);)"));
    let named: Vec<String> = required.iter().map(|name| format!(", {name}")).collect();
    let fields = optional.iter().map(|name| format!(".{name} = ...")).collect::<Vec<_>>().join(", ");
    let and = if more { format!(" {fields} may follow.") } else { String::new() };
    let text_of = format!(
        "{name}(name, error{}) {{ }}: the statement runs for each batch of the section; @name can be \
         named in it and nowhere else. @error, an int, is set to the result; it is not set when the statement \
         is left early.{and}",
        named.join("")
    );
    let mut text = match inner.is_empty() {
        true => String::new(),
        false => format!(
            "/* A struct {tag} that is taken for no other: one of {name}(). */\n\
             struct {own} {{\n\tstruct {tag} {inner};\n}};\n\n\
             static inline void {leave}(struct {own} *section)\n{{\n\t{}(&section->{inner});\n}}\n\n",
            api.one_in_role(&section.tag, |role| *role == Role::Leave)?.c
        ),
    };
    text.push_str(&format!(
        "/* A struct {own} that is left when it goes out of scope. */\n\
         #define scoped_{own} struct {own} __cleanup({leave})\n\n"
    ));
    text.push_str(&super::comment(&text_of));
    text.push_str(&define(&head, &lines));
    for step in api.in_role(&section.tag, |role| section.shows(role)) {
        text.push_str(&iterator(api, section, step).unwrap_or_default());
    }
    Some(text)
}

/// A loop that runs once and declares the array that the inner loop uses. `break` and `continue` leave the inner loop
/// as they would leave a single one: the outer loop ends with it.
fn provide_room(room: &Room) -> [String; 2] {
    let elem = room.elem.spell();
    [
        format!("for ({elem} _name##_room[{}] __uninitialized, *_name##_once = _name##_room;", room.count),
        "     _name##_once; _name##_once = NULL)".to_owned(),
    ]
}

/// The names of a section's structure in C. The first of several sections with the same state uses that structure
/// itself; the others wrap it in a structure of their own.
struct Names {
    own: String,
    /// The member that is the state; empty if the structure is the state itself.
    inner: &'static str,
    leave: String,
}

fn names_of(api: &Api, section: &Section, leave: &str) -> Names {
    let tag = &section.tag;
    match api.section(tag).is_some_and(|first| first.name == section.name) {
        true => Names { own: tag.clone(), inner: "", leave: leave.to_owned() },
        false => {
            let own = format!("{tag}_{}", super::snake(&section.name));
            Names { leave: format!("{own}_leave"), own, inner: "state" }
        }
    }
}

/// The loop over the items of a section.
fn iterator(api: &Api, section: &Section, step: &Function) -> Option<String> {
    let Role::Iterator(iteration) = &step.role else { return None };
    let item: &Plain = step.params.iter().enumerate().find_map(|(index, param)| {
        let other = step.this != Some(index);
        param.ty.pointee_record().filter(|_| other).and_then(|tag| api.record(tag))
    })?;
    let Names { own, inner, .. } = names_of(api, section, "");
    let name = format!("{own}_{}", super::snake(&iteration.name));
    let call = &step.c;
    let part = super::snake(&item.name);
    let (tag, before, state, into) = match inner {
        "" => (item.tag.clone(), String::new(), "_section".to_owned(), String::new()),
        _ => (
            format!("{own}_{part}"),
            format!("struct {own}_{part} {{\n\tstruct {} {part};\n}};\n\n", item.tag),
            format!("&(_section)->{inner}"),
            format!(".{part}"),
        ),
    };
    let from_state = if inner.is_empty() { String::new() } else { format!("{inner}.") };
    let start =
        iteration.start.iter().map(|(to, from)| format!("{into}.{to} = (_section)->{from_state}{from}"));
    let start = start.collect::<Vec<_>>().join(", ");
    let lines = [
        format!("for (struct {tag} _item = {{ {start} }};"),
        format!("     {call}({state}, &_item{into});)"),
    ];
    let text = format!(
        "{name}(item, section) {{ }}: the statement runs for each struct {tag} that @section, which one is \
         inside of, shows; @item can be named in it and nowhere else."
    );
    Some(format!(
        "\n{before}{}{}",
        super::comment(&text),
        define(&format!("{name}(_item, _section)"), &lines)
    ))
}

fn sequence(api: &Api, section: &Section) -> Option<String> {
    if section.holds.is_some() {
        // Work before the lock and work under it are two statements, which one C loop cannot express.
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
        "/*\n * {name}(object) {{ }}: the statement is repeated until the data has not changed\n * while it ran; \
         it must not be left early.\n */\n"
    );
    let lines = [
        format!("for ({seq} _seq = {begin}(_object), _more = 1; _more;"),
        format!("_more = {check}(_object, _seq), _seq = _more ? {begin}(_object) : _seq)"),
    ];
    Some(text + &define(&format!("{name}(_object)"), &lines))
}
