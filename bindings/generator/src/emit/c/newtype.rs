// SPDX-License-Identifier: GPL-2.0

//! Flag sets and tagged integers: a structure for each, so that the compiler distinguishes them.

use crate::model::Api;
use crate::model::FlagSet;
use crate::model::Member;
use crate::model::Plain;
use crate::model::Role;
use crate::model::Tagged;
use crate::read::CType;

/// A flag set.
pub(super) fn flags(flags: &FlagSet) -> String {
    newtype(&flags.tag, flags.int, true)
}

/// A tagged integer and its parts.
pub(super) fn tagged(api: &Api, tagged: &Tagged) -> String {
    let mut text = newtype(&tagged.tag, tagged.int, tagged.of_enum);
    let name = struct_name(&tagged.tag);
    let short = name.trim_end_matches("_val");
    for part in api.in_role(&tagged.tag, |role| *role == Role::Method) {
        if part.params.len() != 1 || part.ret == CType::Void {
            continue;
        }
        let ret = part.ret.spell();
        text.push_str(&format!(
            "\nstatic inline {ret} {short}_{}(struct {name} val)\n{{\n\treturn {}(val.raw);\n}}\n",
            part.name, part.c
        ));
    }
    text
}

/// The members of a record that are flag sets or tagged integers, with their types.
pub(super) fn members(api: &Api, record: &Plain) -> Vec<String> {
    let of = |member: &Member| {
        let of = member.int_type.as_deref().filter(|_| member.counted.is_none())?;
        let known = api.flag_set(of).is_some() || api.tagged_int(of).is_some();
        let (tag, name) = (&record.tag, &member.name);
        known.then(|| {
            let of = struct_name(of);
            format!(
                "static inline struct {of} {tag}_{name}(const struct {tag} *{tag})\n{{\n\t\
                 return (struct {of}){{ {tag}->{name} }};\n}}\n"
            )
        })
    };
    record.members.iter().filter_map(of).collect()
}

/// The name of the structure: the tag may be a typedef's name already.
fn struct_name(tag: &str) -> String {
    format!("{}_val", tag.strip_suffix("_t").unwrap_or(tag))
}

fn newtype(tag: &str, int: &'static str, of_enum: bool) -> String {
    let name = struct_name(tag);
    let short = name.trim_end_matches("_val");
    let int = CType::Int(int).spell();
    let mut text = format!("/* An integer with a type of its own. */\nstruct {name} {{\n\t{int} raw;\n}};\n");
    if of_enum {
        text.push_str(&format!(
            "\nstatic inline struct {name} {short}_of({int} bits)\n{{\n\treturn (struct {name}){{ bits }};\n}}\n\
             \nstatic inline bool {short}_has(struct {name} val, enum {tag} bits)\n{{\n\treturn (val.raw & bits) == bits;\n}}\n"
        ));
    }
    text
}
