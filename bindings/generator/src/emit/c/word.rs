// SPDX-License-Identifier: GPL-2.0

//! Flag and tagged words: a structure of its own, so that one word is not taken for another.

use crate::model::Api;
use crate::model::FlagWord;
use crate::model::Member;
use crate::model::Plain;
use crate::model::Role;
use crate::model::Tagged;
use crate::read::CType;

/// A flag word.
pub(super) fn flags(flags: &FlagWord) -> String {
    word(&flags.tag, flags.int, true)
}

/// A tagged word and its parts.
pub(super) fn tagged(api: &Api, tagged: &Tagged) -> String {
    let mut text = word(&tagged.tag, tagged.int, tagged.of_enum);
    let name = word_name(&tagged.tag);
    let short = name.trim_end_matches("_word");
    for part in api.in_role(&tagged.tag, |role| *role == Role::Method) {
        if part.params.len() != 1 || part.ret == CType::Void {
            continue;
        }
        let ret = part.ret.spell();
        text.push_str(&format!(
            "\nstatic inline {ret} {short}_{}(struct {name} word)\n{{\n\treturn {}(word.raw);\n}}\n",
            part.name, part.c
        ));
    }
    text
}

/// The members of a record that hold words, each as the type that it is.
pub(super) fn members(api: &Api, record: &Plain) -> Vec<String> {
    let of = |member: &Member| {
        let word = member.word.as_deref().filter(|_| member.counted.is_none())?;
        let known = api.flag_word(word).is_some() || api.tagged_word(word).is_some();
        let (tag, name) = (&record.tag, &member.name);
        known.then(|| {
            let word = word_name(word);
            format!(
                "static inline struct {word} {tag}_{name}(const struct {tag} *{tag})\n{{\n\t\
                 return (struct {word}){{ {tag}->{name} }};\n}}\n"
            )
        })
    };
    record.members.iter().filter_map(of).collect()
}

/// The name of the structure: the tag may be a typedef's name already.
fn word_name(tag: &str) -> String {
    format!("{}_word", tag.strip_suffix("_t").unwrap_or(tag))
}

fn word(tag: &str, int: &'static str, of_enum: bool) -> String {
    let name = word_name(tag);
    let short = name.trim_end_matches("_word");
    let int = CType::Int(int).spell();
    let mut text =
        format!("/* A word that is not taken for any other. */\nstruct {name} {{\n\t{int} raw;\n}};\n");
    if of_enum {
        text.push_str(&format!(
            "\nstatic inline struct {name} {short}_of({int} bits)\n{{\n\treturn (struct {name}){{ bits }};\n}}\n\
             \nstatic inline bool {short}_has(struct {name} word, enum {tag} bits)\n{{\n\treturn (word.raw & bits) == bits;\n}}\n"
        ));
    }
    text
}
