// SPDX-License-Identifier: GPL-2.0

//! Shims for static inlines and macros: functions that Rust can link to.

use crate::model::Function;
use crate::plan::Module;
use crate::read::CType;

/// The text of the shims; `None` when none is needed.
pub fn write(module: &Module) -> Result<Option<String>, String> {
    if module.shims.is_empty() {
        return Ok(None);
    }
    let mut text = String::from("// SPDX-License-Identifier: GPL-2.0\n");
    text.push_str("/* Written by hmm-bindgen from contracts; do not edit. */\n\n");
    for include in &module.includes {
        text.push_str(&format!("#include <{include}>\n"));
    }
    for function in &module.shims {
        text.push('\n');
        text.push_str(&shim(function));
    }
    crate::emit::format::c(&text).map(Some)
}

fn shim(function: &Function) -> String {
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| declare(&param.ty, &param.name))
        .collect();
    let params = if params.is_empty() {
        "void".to_owned()
    } else {
        params.join(", ")
    };
    let args: Vec<&str> = function
        .params
        .iter()
        .map(|param| param.name.as_str())
        .collect();
    let ret = function.ret.spell();
    let space = if ret.ends_with('*') { "" } else { " " };
    let back = if function.ret == CType::Void {
        ""
    } else {
        "return "
    };
    format!(
        "__rust_helper {ret}{space}rust_helper_{name}({params})\n{{\n\t{back}{name}({args});\n}}\n",
        name = function.c,
        args = args.join(", ")
    )
}

/// A declaration of `name` with a type.
pub fn declare(ty: &CType, name: &str) -> String {
    if let CType::Pointer { to, .. } = ty {
        if let CType::Function { ret, params } = &**to {
            let params: Vec<String> = params.iter().map(CType::spell).collect();
            return format!("{} (*{name})({})", ret.spell(), params.join(", "));
        }
    }
    let spelled = ty.spell();
    match spelled.ends_with('*') {
        true => format!("{spelled}{name}"),
        false => format!("{spelled} {name}"),
    }
}
