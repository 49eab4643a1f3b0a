// SPDX-License-Identifier: GPL-2.0

//! Ops tables: the callbacks take the driver's own structure, and a table without a required
//! callback does not compile.

use super::define;
use crate::emit::helpers::declare;
use crate::model::Callback;
use crate::model::Reached;
use crate::model::Table;
use crate::plan::OpsTable;
use crate::read::CType;

/// The macros that define a table.
pub(super) fn table(found: &OpsTable) -> String {
    let (table, of) = (&found.table, &found.of);
    let required: Vec<&Callback> = table.callbacks.iter().filter(|c| c.required).collect();
    let all: Vec<&Callback> = table.callbacks.iter().collect();
    let name = format!("DEFINE_{}", table.tag.to_ascii_uppercase());
    let mut text = format!(
        "/*\n * {name}(name, type, member, callbacks...): a struct {} whose callbacks\n * take the @type \
         that has the struct {of} as its @member.\n */\n",
        table.tag
    );
    text.push_str(&one(&name, table, of, &required));
    if all.len() != required.len() {
        text.push_str("\n/* The same, with the optional callbacks. */\n");
        text.push_str(&one(&format!("{name}_ALL"), table, of, &all));
    }
    text
}

/// The macro's argument for a callback, which is none of its others.
fn argument(callback: &Callback) -> String {
    match callback.signature.name.as_str() {
        name @ ("name" | "type" | "member") => format!("_{name}_fn"),
        name => format!("_{name}"),
    }
}

fn one(name: &str, table: &Table, tag: &str, callbacks: &[&Callback]) -> String {
    let names: String = callbacks
        .iter()
        .map(|c| format!(", {}", argument(c)))
        .collect();
    let head = format!("{name}(_name, _type, _member{names})");
    let mut lines = Vec::new();
    for callback in callbacks {
        let signature = &callback.signature;
        let params: Vec<String> = signature
            .params
            .iter()
            .map(|p| declare(&p.ty, &p.name))
            .collect();
        let rest = callback.others().map(|p| format!(", {}", p.name));
        let first = &callback.object().name;
        let (pointer, inside) = match &callback.reached {
            Reached::Object => (first.clone(), String::new()),
            Reached::Member { path, .. } => (first.clone(), format!(".{path}")),
            Reached::Closure => (format!("(struct {tag} *){first}"), String::new()),
        };
        let ret = signature.ret.spell();
        let back = if signature.ret == CType::Void {
            ""
        } else {
            "return "
        };
        lines.push(format!(
            "static {ret} _name##_{}({})",
            signature.name,
            params.join(", ")
        ));
        lines.push("{".into());
        lines.push(format!(
            "{back}{}(container_of({pointer}, _type, _member{inside}){});",
            argument(callback),
            rest.collect::<String>()
        ));
        lines.push("}".into());
    }
    lines.push(format!("static const struct {} _name = {{", table.tag));
    for callback in callbacks {
        let name = &callback.signature.name;
        lines.push(format!(".{name} = _name##_{name},"));
    }
    lines.push("}".into());
    define(&head, &lines)
}
