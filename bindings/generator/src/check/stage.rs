// SPDX-License-Identifier: GPL-2.0

//! Stages and lifetimes: which objects have them, and whether every stage can be reached.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Function;
use crate::model::Object;
use crate::model::ParamKind;
use crate::model::Role;
use crate::model::Shape;
use crate::model::Stage;

/// Settle the stages of every object, and whether something must outlive it.
pub(super) fn check(api: &mut Api, diagnostics: &mut Diagnostics) {
    for index in 0..api.objects.len() {
        let tag = api.objects[index].tag.clone();
        let functions: Vec<&Function> = api
            .functions
            .iter()
            .filter(|function| function.owner.as_deref() == Some(&tag))
            .collect();
        let lifetime = functions
            .iter()
            .filter(|function| function.role == Role::Constructor)
            .any(|function| {
                function
                    .params
                    .iter()
                    .any(|param| param.kind == ParamKind::Outlives)
            });
        let mut stages: Vec<String> = Vec::new();
        for stage in functions
            .iter()
            .filter_map(|function| function.stage.as_ref())
        {
            for name in [Some(&stage.of), stage.next.as_ref()].into_iter().flatten() {
                if !stages.contains(name) {
                    stages.push(name.clone());
                }
            }
        }
        if !stages.is_empty() {
            made_in_one(&functions, diagnostics);
            reached(&functions, diagnostics);
        }
        let outlived = lifetime && api.objects[index].shape == Shape::Owned;
        let scoped = api.objects[index].scoped;
        if outlived && !scoped && (api.objects[index].send || api.objects[index].sync) {
            diagnostics.push(threads(&api.objects[index]));
        }
        api.objects[index].lifetime = outlived || scoped;
        api.objects[index].stages = stages;
    }
    for function in &api.functions {
        if let Some(stage) = &function.stage {
            about(api, function, stage, diagnostics);
        }
    }
}

/// Nothing shows whether what outlives the object may be used on another thread.
fn threads(object: &Object) -> Diagnostic {
    Diagnostic::error(
        object.contract,
        format!(
            "`{}` belongs to one thread, as what `outlives` it may",
            object.name
        ),
        "expected neither `send` nor `sync`",
    )
    .help("remove `send` and `sync`, or write `keeps` instead of `outlives`")
}

/// Check that `stage` can be on this function.
fn about(api: &Api, function: &Function, stage: &Stage, diagnostics: &mut Diagnostics) {
    let shape = function
        .owner
        .as_deref()
        .and_then(|tag| api.object(tag))
        .map(|object| object.shape);
    let error = if shape != Some(Shape::Owned) {
        Diagnostic::error(
            stage.span,
            format!("`{}` belongs to an object without stages", function.c),
            "expected a function of an object that a constructor returns",
        )
        .help(
            "the stage is part of the type of an owned pointer; an object in place, or a shared one, has one type",
        )
    } else if !matches!(function.role, Role::Constructor | Role::Method) {
        Diagnostic::error(
            stage.span,
            format!("`{}` is called in every stage", function.c),
            "expected on a constructor or a method",
        )
        .help("remove `stage`")
    } else if stage.next.is_some() && function.role == Role::Method && function.returns_value() {
        Diagnostic::error(
            stage.span,
            format!(
                "`{}` leads to another stage and returns a value",
                function.c
            ),
            "expected a function that returns nothing, or `errno`",
        )
        .help("return the value from another function, in the stage that this one leads to")
    } else {
        return;
    };
    diagnostics.push(error);
}

/// A constructor must name the one stage in which the object begins.
fn made_in_one(functions: &[&Function], diagnostics: &mut Diagnostics) {
    for made in functions
        .iter()
        .filter(|function| function.role == Role::Constructor)
    {
        if made.stage.as_ref().is_none_or(|stage| stage.next.is_some()) {
            diagnostics.push(
                Diagnostic::error(
                    made.stage
                        .as_ref()
                        .map_or(made.contract, |stage| stage.span),
                    format!(
                        "`{}` does not state in which stage it makes the object",
                        made.c
                    ),
                    "expected `stage(\"Stage\")`, with one name",
                )
                .help("name the first stage of the object"),
            );
        }
    }
}

/// Check that a constructor or a function leads to each stage in which a function may be called.
fn reached(functions: &[&Function], diagnostics: &mut Diagnostics) {
    for function in functions
        .iter()
        .filter(|function| function.role != Role::Constructor)
    {
        let Some(stage) = &function.stage else {
            continue;
        };
        let leads = functions
            .iter()
            .any(|other| match (&other.stage, &other.role) {
                (Some(there), Role::Constructor) => there.of == stage.of,
                (Some(there), _) => there.next.as_ref() == Some(&stage.of),
                _ => false,
            });
        if !leads {
            diagnostics.push(
                Diagnostic::error(
                    stage.span,
                    format!("no function leads to the stage `{}`", stage.of),
                    "expected a stage that a constructor or another function leads to",
                )
                .help(
                    "use the name that the other function uses, or add a function that leads to it",
                ),
            );
        }
    }
}
