// SPDX-License-Identifier: GPL-2.0

//! Flag sets and tagged integers: a structure for each, so that the compiler distinguishes them.

use crate::model::FlagSet;
use crate::plan::Record;
use crate::plan::TaggedInt;
use crate::read::CType;

/// A flag set.
pub(super) fn flags(flags: &FlagSet) -> String {
    newtype(&flags.tag, flags.int, true)
}

/// A tagged integer and its parts.
pub(super) fn tagged(found: &TaggedInt) -> String {
    let tagged = &found.tagged;
    let mut text = newtype(&tagged.tag, tagged.int, tagged.of_enum);
    let name = struct_name(&tagged.tag);
    let short = name.trim_end_matches("_val");
    for part in &found.plain_parts {
        let ret = part.ret.spell();
        text.push_str(&format!(
            "\nstatic inline {ret} {short}_{}(struct {name} val)\n{{\n\treturn {}(val.raw);\n}}\n",
            part.name, part.c
        ));
    }
    text
}

/// The members of a record that are flag sets or tagged integers, with their types.
pub(super) fn members(found: &Record) -> Vec<String> {
    let tag = &found.record.tag;
    let of = |(name, of): &(String, String)| {
        let of = struct_name(of);
        format!(
            "static inline struct {of} {tag}_{name}(const struct {tag} *{tag})\n{{\n\t\
             return (struct {of}){{ {tag}->{name} }};\n}}\n"
        )
    };
    found.typed_members.iter().map(of).collect()
}

/// The name of the structure: the tag may be a typedef's name already.
fn struct_name(tag: &str) -> String {
    format!("{}_val", tag.strip_suffix("_t").unwrap_or(tag))
}

fn newtype(tag: &str, int: &'static str, of_enum: bool) -> String {
    let name = struct_name(tag);
    let short = name.trim_end_matches("_val");
    let int = CType::Int(int).spell();
    let mut text =
        format!("/* An integer with a type of its own. */\nstruct {name} {{\n\t{int} raw;\n}};\n");
    if of_enum {
        text.push_str(&format!(
            "\nstatic inline struct {name} {short}_of({int} bits)\n{{\n\treturn (struct {name}){{ bits }};\n}}\n\
             \nstatic inline bool {short}_has(struct {name} val, enum {tag} bits)\n{{\n\treturn (val.raw & bits) == bits;\n}}\n"
        ));
    }
    text
}
