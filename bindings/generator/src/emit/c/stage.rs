// SPDX-License-Identifier: GPL-2.0

//! Stages: a structure and a cleanup class for each. A step moves the object from one structure to the next. The object
//! is ended when the structure that has it goes out of scope.

use super::snake;
use crate::emit::helpers::declare;
use crate::model::Function;
use crate::model::Object;
use crate::plan::Marker;
use crate::plan::Stage;
use crate::plan::Wrapper;
use crate::read::CType;

/// The classes of an object's stages, and the functions of each.
pub(super) fn classes(wrapper: &Wrapper, end: &str) -> String {
    let object = &wrapper.object;
    let of_stage = |stage: &Stage| {
        let Some(Marker { stage: at, .. }) = &stage.name else {
            return String::new();
        };
        let mut text = String::new();
        for (index, entry) in stage.entries.iter().enumerate() {
            text.push_str(&step(object, entry, at, end));
            text.push_str(&class(object, entry, at, end, index == 0));
        }
        text + &stage
            .methods
            .iter()
            .map(|function| method(object, function, at))
            .collect::<String>()
    };
    // A step may lead back to an earlier stage.
    let marked = wrapper
        .stages
        .iter()
        .filter_map(|stage| stage.name.as_ref());
    let definitions: String = marked
        .map(|found| definition(object, &found.stage))
        .collect();
    definitions + &wrapper.stages.iter().map(of_stage).collect::<String>()
}

/// A function that leads to a stage, and the stage before.
type Entry = (Function, Option<String>);

/// The structure of a stage, and of its class.
fn name(object: &Object, stage: &str) -> String {
    format!("{}_{}", object.tag, snake(stage))
}

fn definition(object: &Object, stage: &str) -> String {
    let (tag, own) = (&object.tag, name(object, stage));
    let text = super::comment(&format!(
        "A struct {tag} in the stage {stage}, or an error. CLASS({own}, x)(...): ended when @x goes out of scope, unless a \
         step took it to the next stage."
    ));
    format!(
        "{text}struct {own} {{\n\tstruct {tag} *raw;\n}};\n\n\
         /* Why there is none: 0 if there is one, -ESTALE after a step has taken it. */\n\
         static inline int __must_check {own}_error(const struct {own} *{stage})\n{{\n\
         \treturn {stage}->raw ? PTR_ERR_OR_ZERO({stage}->raw) : -ENOMEM;\n}}\n\n",
        stage = snake(stage)
    )
}

/// The parameters of a function without the object: as declarations, and as arguments.
fn others(function: &Function) -> (Vec<String>, Vec<String>) {
    let other = |(index, _): &(usize, &crate::model::Param)| function.this != Some(*index);
    let params: Vec<_> = function
        .params
        .iter()
        .enumerate()
        .filter(other)
        .map(|(_, param)| param)
        .collect();
    let declared = params
        .iter()
        .map(|param| declare(&param.ty, &param.name))
        .collect();
    (
        declared,
        params.iter().map(|param| param.name.clone()).collect(),
    )
}

fn list(first: &str, rest: &[String]) -> String {
    let mut all = vec![first.to_owned()];
    all.extend(rest.iter().cloned());
    all.retain(|part| !part.is_empty());
    if all.is_empty() {
        "void".to_owned()
    } else {
        all.join(", ")
    }
}

/// The call, with `object` as the argument for the object.
fn call(function: &Function, object: &str) -> String {
    let name = |(index, param): (usize, &crate::model::Param)| match function.this == Some(index) {
        true => object.to_owned(),
        false => param.name.clone(),
    };
    let args: Vec<String> = function.params.iter().enumerate().map(name).collect();
    format!("{}({})", function.c, args.join(", "))
}

/// The name of the function behind a class; the first class of a stage has the name of the stage.
fn step_name(object: &Object, function: &Function, stage: &str) -> String {
    format!("{}_by_{}", name(object, stage), function.name)
}

/// A step: it takes the object out of the structure before, so that the object is ended only once.
fn step(object: &Object, (function, before): &Entry, stage: &str, end: &str) -> String {
    let (tag, own, step) = (
        &object.tag,
        name(object, stage),
        step_name(object, function, stage),
    );
    let (declared, _) = others(function);
    let Some(before) = before.as_ref().map(|before| name(object, before)) else {
        return format!(
            "static inline struct {own} {step}({})\n{{\n\treturn (struct {own}){{ {} }};\n}}\n\n",
            list("", &declared),
            call(function, "")
        );
    };
    let made = call(function, "raw");
    let does = match function.errno.is_some() {
        false => format!("\tif (!IS_ERR_OR_NULL(raw))\n\t\t{made};\n"),
        true => format!(
            "\tif (!IS_ERR_OR_NULL(raw)) {{\n\t\tint error = {made};\n\n\t\tif (error) {{\n\t\t\t{end}(raw);\n\
             \t\t\traw = ERR_PTR(error);\n\t\t}}\n\t}}\n"
        ),
    };
    format!(
        "static inline struct {own} {step}({})\n{{\n\tstruct {tag} *raw = before->raw;\n\n\
         \tbefore->raw = ERR_PTR(-ESTALE);\n{does}\treturn (struct {own}){{ raw }};\n}}\n\n",
        list(&format!("struct {before} *before"), &declared)
    )
}

/// The cleanup class of a stage; a second function that leads to the stage extends the class.
fn class(
    object: &Object,
    (function, before): &Entry,
    stage: &str,
    end: &str,
    first: bool,
) -> String {
    let (own, step) = (name(object, stage), step_name(object, function, stage));
    let (declared, names) = others(function);
    let (params, values) = match before {
        None => (list("", &declared), names.join(", ")),
        Some(before) => {
            let before = name(object, before);
            (
                list(&format!("struct {before} *before"), &declared),
                list("before", &names),
            )
        }
    };
    match first {
        true => format!(
            "DEFINE_CLASS({own}, struct {own}, if (!IS_ERR_OR_NULL(_T.raw)) {end}(_T.raw), {step}({values}), {params})\n\n"
        ),
        false => format!("EXTEND_CLASS({own}, _by_{}, {step}({values}), {params})\n\n", function.name),
    }
}

/// A function that is called in a stage and does not change it.
fn method(object: &Object, function: &Function, stage: &str) -> String {
    let own = name(object, stage);
    let (declared, _) = others(function);
    let ret = function.ret.spell();
    let space = if ret.ends_with('*') { "" } else { " " };
    let at = snake(stage);
    let none = match function.ret.plain() {
        CType::Void => "return".to_owned(),
        CType::Record(_) => format!("return ({ret}){{}}"),
        CType::Pointer { .. } => "return NULL".to_owned(),
        _ if function.errno.is_some() => format!("return {own}_error({at})"),
        _ => "return 0".to_owned(),
    };
    let back = if function.ret.plain() == &CType::Void {
        ""
    } else {
        "return "
    };
    let inner = call(function, &format!("{at}->raw"));
    format!(
        "static inline {ret}{space}{own}_{}({})\n{{\n\tif (WARN_ON_ONCE(IS_ERR_OR_NULL({at}->raw)))\n\t\t{none};\n\
         \t{back}{inner};\n}}\n\n",
        function.name,
        list(&format!("const struct {own} *{at}"), &declared)
    )
}
