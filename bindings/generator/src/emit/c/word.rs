// SPDX-License-Identifier: GPL-2.0

//! Flag and tagged words: a structure of its own, so that one word is not taken for another.

use super::snake;
use crate::model::Api;
use crate::model::FlagWord;
use crate::model::Role;
use crate::model::Tagged;
use crate::model::Variant;
use crate::read::CType;

/// A flag word.
pub(super) fn flags(flags: &FlagWord) -> String {
    word(&flags.name, flags.int, &flags.bits)
}

/// A tagged word and its parts.
pub(super) fn tagged(api: &Api, tagged: &Tagged) -> String {
    let mut text = word(&tagged.name, tagged.int, &tagged.bits);
    let name = snake(&tagged.name);
    for part in api.in_role(&tagged.tag, |role| *role == Role::Method) {
        if part.params.len() != 1 || part.ret == CType::Void {
            continue;
        }
        let ret = part.ret.spell();
        let short = &part.name;
        text.push_str(&format!(
            "\nstatic inline {ret} {name}_{short}({name}_t word)\n{{\n\treturn {}(word.raw);\n}}\n",
            part.c
        ));
    }
    text
}

fn word(name: &str, int: &'static str, bits: &[Variant]) -> String {
    let name = snake(name);
    let int = CType::Int(int).spell();
    let mut text = format!("/* A word that is not taken for any other. */\ntypedef struct {{\n\t{int} raw;\n}} {name}_t;\n\n");
    for bit in bits {
        text.push_str(&format!(
            "#define {}_{} ((const {name}_t){{ {} }})\n",
            name.to_ascii_uppercase(),
            bit.shout,
            bit.c
        ));
    }
    text.push_str(&format!(
        "\nstatic inline bool {name}_has({name}_t word, {name}_t bits)\n{{\n\treturn (word.raw & bits.raw) == bits.raw;\n}}\n\
         \nstatic inline {name}_t {name}_or({name}_t a, {name}_t b)\n{{\n\treturn ({name}_t){{ a.raw | b.raw }};\n}}\n"
    ));
    text
}
