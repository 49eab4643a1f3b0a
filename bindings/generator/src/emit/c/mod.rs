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
use crate::model::Api;

/// The text of the header.
pub fn write(api: &Api) -> Result<String, String> {
    let guard = format!("_{}_TYPED_H", api.name.to_ascii_uppercase());
    let mut text = String::from("/* SPDX-License-Identifier: GPL-2.0 */\n");
    text.push_str("/* Written by hmm-bindgen from contracts; do not edit. */\n");
    text.push_str(&format!("#ifndef {guard}\n#define {guard}\n\n"));
    let own = |span| api.module(span).is_none();
    if api.objects.iter().any(|object| own(object.span) && !object.stages.is_empty()) {
        // For the warning of a method that is called on an empty stage.
        text.push_str("#include <linux/bug.h>\n");
    }
    text.push_str("#include <linux/cleanup.h>\n");
    for include in &api.includes {
        text.push_str(&format!("#include <{include}>\n"));
    }
    let mut parts: Vec<String> = Vec::new();
    parts.extend(api.flags.iter().filter(|found| own(found.span)).map(newtype::flags));
    parts
        .extend(api.tagged.iter().filter(|found| own(found.span)).map(|tagged| newtype::tagged(api, tagged)));
    let records = api.records.iter().filter(|record| own(record.span));
    parts.extend(records.flat_map(|record| newtype::members(api, record)));
    for object in api.objects.iter().filter(|object| object.foreign.is_none() && own(object.span)) {
        parts.extend(object::classes(api, object));
        parts.extend(stage::classes(api, object));
        parts.extend(lock::guards(api, object));
    }
    parts
        .extend(api.tables.iter().filter(|found| own(found.span)).filter_map(|table| ops::table(api, table)));
    parts.extend(
        api.sections
            .iter()
            .filter(|found| own(found.span))
            .filter_map(|section| section::scope(api, section)),
    );
    let functions = api.functions.iter().filter(|function| own(function.span));
    parts.extend(functions.filter_map(|function| errno::stricter(api, function)));
    for part in parts.iter().filter(|part| !part.is_empty()) {
        text.push('\n');
        text.push_str(part);
    }
    text.push_str(&format!("\n#endif /* {guard} */\n"));
    crate::emit::format::c(&text)
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

/// Whether a header defines a cleanup class for that function already.
fn has_class(api: &Api, function: &str) -> bool {
    api.classes.iter().any(|class| class.leave == function || class.enter.as_deref() == Some(function))
}
