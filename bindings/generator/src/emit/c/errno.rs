// SPDX-License-Identifier: GPL-2.0

//! Stricter prototypes: results that must be checked, locks that must be held.

use crate::emit::helpers::declare;
use crate::plan::Prototype;

/// A redeclaration of a function with the attributes that its contract adds.
pub(super) fn stricter(prototype: &Prototype) -> String {
    let function = &prototype.function;
    let params: Vec<String> = function
        .params
        .iter()
        .map(|p| declare(&p.ty, &p.name))
        .collect();
    let params = if params.is_empty() {
        "void".to_owned()
    } else {
        params.join(", ")
    };
    let ret = function.ret.spell();
    let space = if ret.ends_with('*') { "" } else { " " };
    let must = if prototype.check { "__must_check " } else { "" };
    let held = match &prototype.held {
        Some((lock, kind)) => format!(" __must_hold{kind}({lock})"),
        None => String::new(),
    };
    format!("{must}{ret}{space}{}({params}){held};\n", function.c)
}
