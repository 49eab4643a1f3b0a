// SPDX-License-Identifier: GPL-2.0

//! The typed header: the same contracts in the idiom of the kernel's cleanup.h.

mod errno;
mod lock;
mod newtype;
mod object;
mod ops;
mod section;
mod stage;

use super::snake;
use crate::plan::Module;

/// The text of the header.
pub fn write(module: &Module) -> Result<String, String> {
    let guard = format!("_{}_TYPED_H", module.name.to_ascii_uppercase());
    let mut text = String::from("/* SPDX-License-Identifier: GPL-2.0 */\n");
    text.push_str("/* Written by hmm-bindgen from contracts; do not edit. */\n");
    text.push_str(&format!("#ifndef {guard}\n#define {guard}\n\n"));
    if module
        .objects
        .iter()
        .any(|wrapper| !wrapper.object.stages.is_empty())
    {
        // For the warning of a method that is called on an empty stage.
        text.push_str("#include <linux/bug.h>\n");
    }
    text.push_str("#include <linux/cleanup.h>\n");
    for include in &module.includes {
        text.push_str(&format!("#include <{include}>\n"));
    }
    for part in parts(module).iter().filter(|part| !part.is_empty()) {
        text.push('\n');
        text.push_str(part);
    }
    text.push_str(&format!("\n#endif /* {guard} */\n"));
    crate::emit::format::c(&text)
}

fn parts(module: &Module) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(module.flags.iter().map(newtype::flags));
    parts.extend(module.tagged.iter().map(newtype::tagged));
    parts.extend(module.records.iter().flat_map(newtype::members));
    for wrapper in &module.objects {
        parts.extend(object::classes(wrapper));
        parts.extend(
            wrapper
                .destructor
                .as_ref()
                .map(|end| stage::classes(wrapper, &end.function.c)),
        );
        parts.extend(
            wrapper
                .guards
                .iter()
                .flat_map(|guard| lock::guards(&wrapper.object.tag, guard)),
        );
    }
    parts.extend(module.tables.iter().map(ops::table));
    parts.extend(module.sections.iter().filter_map(section::scope));
    parts.extend(module.prototypes.iter().map(errno::stricter));
    parts
}

/// A comment, filled.
fn comment(text: &str) -> String {
    let mut out = String::from("/*\n");
    let mut line = String::from(" *");
    for part in text.split_whitespace() {
        if line.len() + 1 + part.len() > 80 {
            out.push_str(&line);
            out.push('\n');
            line = String::from(" *");
        }
        line.push(' ');
        line.push_str(part);
    }
    out + &line + "\n */\n"
}

/// A macro, each line but the last with a continuation.
fn define(head: &str, lines: &[String]) -> String {
    let mut text = format!("#define {head}");
    for line in lines {
        text.push_str(&format!(" \\\n\t{line}"));
    }
    text.push('\n');
    text
}
