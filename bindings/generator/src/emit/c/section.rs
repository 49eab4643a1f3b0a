// SPDX-License-Identifier: GPL-2.0

//! Sections: a loop whose body is the section. The section's structure has a name in the body only.

use super::define;
use crate::model::Room;
use crate::plan::Entered;
use crate::plan::Iterator;
use crate::plan::Run;
use crate::plan::Sequence;

/// The macro that runs a section.
pub(super) fn scope(run: &Run) -> Option<String> {
    match run {
        Run::Entered(entered) => Some(self::entered(entered)),
        // Work before the lock and work under it are two statements, which one C loop cannot express.
        Run::Sequence(sequence) => sequence.lock.is_none().then(|| self::sequence(sequence)),
    }
}

/// The parameters of a section's macro.
struct Params<'a> {
    required: Vec<&'a str>,
    optional: Vec<&'a str>,
}

impl<'a> Params<'a> {
    fn new(entered: &'a Entered) -> Self {
        let named = |optional: bool| {
            let given = entered
                .section
                .given
                .iter()
                .filter(move |given| given.optional == optional);
            given.map(|given| given.name.as_str()).collect()
        };
        Params {
            required: named(false),
            optional: named(true),
        }
    }

    fn listed(&self, prefix: &str) -> String {
        self.required
            .iter()
            .map(|name| format!(", {prefix}{name}"))
            .collect()
    }
}

fn entered(entered: &Entered) -> String {
    let (tag, outcome, enter) = (&entered.section.tag, &entered.outcome.c, &entered.enter.c);
    let name = format!("{}_{}", entered.section.of, entered.section.method);
    let params = Params::new(entered);
    let Names { own, inner, leave } = names_of(entered);
    let path = if inner.is_empty() {
        String::new()
    } else {
        format!(".{inner}")
    };
    let more = if params.optional.is_empty() {
        ""
    } else {
        ", ..."
    };
    let head = format!("{name}(_name, _error{}{more})", params.listed("_"));
    let room = entered.room.as_ref().map(|(room, _)| room);
    let mut lines: Vec<String> = room.map(provide_room).into_iter().flatten().collect();
    lines.extend(initialiser(entered, &params, &own, &path));
    lines.push(format!("     {enter}(&_name{path}) ||"));
    lines.push(format!(
        "     ((_error) = {outcome}(&_name{path}), false);)"
    ));
    let mut text = match inner.is_empty() {
        true => String::new(),
        false => format!(
            "/* A struct {tag} that is taken for no other: one of {name}(). */\n\
             struct {own} {{\n\tstruct {tag} {inner};\n}};\n\n\
             static inline void {leave}(struct {own} *section)\n{{\n\t{}(&section->{inner});\n}}\n\n",
            entered.leave.c
        ),
    };
    text.push_str(&format!(
        "/* A struct {own} that is left when it goes out of scope. */\n\
         #define scoped_{own} struct {own} __cleanup({leave})\n\n"
    ));
    text.push_str(&super::comment(&text_of(&name, &params)));
    text.push_str(&define(&head, &lines));
    text.extend(
        entered
            .iterators
            .iter()
            .map(|found| iterator(entered, found)),
    );
    text
}

/// The beginning of the loop: the state, with the fields that are set.
fn initialiser(entered: &Entered, params: &Params<'_>, own: &str, path: &str) -> Vec<String> {
    let (open, close) = if path.is_empty() {
        (String::new(), "")
    } else {
        (format!(" {path} = {{"), "}")
    };
    let mut lines = vec![format!("for (scoped_{own} _name = {{{open}")];
    lines.extend(
        params
            .required
            .iter()
            .map(|name| format!("\t\t.{name} = (_{name}),")),
    );
    lines.extend(
        entered
            .set
            .iter()
            .map(|set| format!("\t\t.{} = {},", set.field, set.c)),
    );
    lines.extend(entered.room.iter().map(|(room, _)| {
        format!(
            "\t\t.{} = _name##_room, .{} = {},",
            room.field, room.length, room.count
        )
    }));
    lines.extend((!params.optional.is_empty()).then(|| "\t\t__VA_ARGS__".to_owned()));
    lines.push(format!("     {close}}};"));
    lines
}

fn text_of(name: &str, params: &Params<'_>) -> String {
    let fields = params
        .optional
        .iter()
        .map(|name| format!(".{name} = ..."))
        .collect::<Vec<_>>()
        .join(", ");
    let and = if fields.is_empty() {
        fields
    } else {
        format!(" {fields} may follow.")
    };
    format!(
        "{name}(name, error{}) {{ }}: the statement runs for each batch of the section; @name can be \
         named in it and nowhere else. @error, an int, is set to the result; it is not set when the statement \
         is left early.{and}",
        params.listed("")
    )
}

/// A loop that runs once and declares the array that the inner loop uses. `break` and `continue` leave the inner loop
/// as they would leave a single one: the outer loop ends with it.
fn provide_room(room: &Room) -> [String; 2] {
    let elem = room.elem.spell();
    [
        format!(
            "for ({elem} _name##_room[{}] __uninitialized, *_name##_once = _name##_room;",
            room.count
        ),
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

fn names_of(entered: &Entered) -> Names {
    let tag = &entered.section.tag;
    match entered.first {
        true => Names {
            own: tag.clone(),
            inner: "",
            leave: entered.leave.c.clone(),
        },
        false => {
            let own = format!("{tag}_{}", super::snake(&entered.section.name));
            Names {
                leave: format!("{own}_leave"),
                own,
                inner: "state",
            }
        }
    }
}

/// The loop over the items of a section.
fn iterator(entered: &Entered, found: &Iterator) -> String {
    let item = &found.item;
    let Names { own, inner, .. } = names_of(entered);
    let name = format!("{own}_{}", super::snake(&found.name));
    let call = &found.function.c;
    let part = super::snake(&item.name);
    let (tag, before, state, into) = match inner {
        "" => (
            item.tag.clone(),
            String::new(),
            "_section".to_owned(),
            String::new(),
        ),
        _ => (
            format!("{own}_{part}"),
            format!(
                "struct {own}_{part} {{\n\tstruct {} {part};\n}};\n\n",
                item.tag
            ),
            format!("&(_section)->{inner}"),
            format!(".{part}"),
        ),
    };
    let from_state = if inner.is_empty() {
        String::new()
    } else {
        format!("{inner}.")
    };
    let start = found
        .start
        .iter()
        .map(|(to, from)| format!("{into}.{to} = (_section)->{from_state}{from}"));
    let start = start.collect::<Vec<_>>().join(", ");
    let lines = [
        format!("for (struct {tag} _item = {{ {start} }};"),
        format!("     {call}({state}, &_item{into});)"),
    ];
    let text = format!(
        "{name}(item, section) {{ }}: the statement runs for each struct {tag} that @section, which one is \
         inside of, shows; @item can be named in it and nowhere else."
    );
    format!(
        "\n{before}{}{}",
        super::comment(&text),
        define(&format!("{name}(_item, _section)"), &lines)
    )
}

fn sequence(sequence: &Sequence) -> String {
    let (begin, check) = (&sequence.begin.c, &sequence.check.c);
    let name = format!("{}_{}", sequence.section.of, sequence.section.method);
    let seq = sequence.begin.ret.spell();
    let text = format!(
        "/*\n * {name}(object) {{ }}: the statement is repeated until the data has not changed\n * while it ran; \
         it must not be left early.\n */\n"
    );
    let lines = [
        format!("for ({seq} _seq = {begin}(_object), _more = 1; _more;"),
        format!("_more = {check}(_object, _seq), _seq = _more ? {begin}(_object) : _seq)"),
    ];
    text + &define(&format!("{name}(_object)"), &lines)
}
