// SPDX-License-Identifier: GPL-2.0

//! Stages and lifetimes: which objects have them, and whether every stage can be come to.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::model::Api;
use crate::model::Function;
use crate::model::ParamKind;
use crate::model::Role;
use crate::model::Shape;
use crate::model::Stage;

/// Settles the stages of every object and whether something must outlive it.
pub(super) fn check(api: &mut Api, diagnostics: &mut Diagnostics) {
    for index in 0..api.objects.len() {
        let tag = api.objects[index].tag.clone();
        let functions: Vec<&Function> =
            api.functions.iter().filter(|function| function.owner.as_deref() == Some(&tag)).collect();
        let lifetime = functions
            .iter()
            .filter(|function| function.role == Role::Constructor)
            .any(|function| function.params.iter().any(|param| param.kind == ParamKind::Outlives));
        let mut stages: Vec<String> = Vec::new();
        for stage in functions.iter().filter_map(|function| function.stage.as_ref()) {
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
        api.objects[index].lifetime = lifetime && api.objects[index].shape == Shape::Owned;
        api.objects[index].stages = stages;
    }
    for function in &api.functions {
        if let Some(stage) = &function.stage {
            about(api, function, stage, diagnostics);
        }
    }
}

/// Whether a stage can be told there at all.
fn about(api: &Api, function: &Function, stage: &Stage, diagnostics: &mut Diagnostics) {
    let shape = function.owner.as_deref().and_then(|tag| api.object(tag)).map(|object| object.shape);
    let error = if shape != Some(Shape::Owned) {
        Diagnostic::error(
            stage.span,
            format!("`{}` is of nothing that has stages", function.c),
            "expected a function of an object that a constructor returns",
        )
        .help(
            "a stage is told by the type of what is held; what stays where it is, or is shared, has one type",
        )
    } else if !matches!(function.role, Role::Constructor | Role::Method) {
        Diagnostic::error(
            stage.span,
            format!("`{}` has a role in every stage", function.c),
            "expected on a constructor or a method",
        )
        .help("take `stage` away")
    } else if stage.next.is_some() && function.role == Role::Method && function.returns_value() {
        Diagnostic::error(
            stage.span,
            format!("`{}` leads to another stage and returns something else", function.c),
            "expected a function that returns nothing, or `errno`",
        )
        .help("what it returns can be asked by another function, in the stage that it leads to")
    } else {
        return;
    };
    diagnostics.push(error);
}

/// A constructor says in which one stage the object begins.
fn made_in_one(functions: &[&Function], diagnostics: &mut Diagnostics) {
    for made in functions.iter().filter(|function| function.role == Role::Constructor) {
        if made.stage.as_ref().is_none_or(|stage| stage.next.is_some()) {
            diagnostics.push(
                Diagnostic::error(
                    made.stage.as_ref().map_or(made.contract, |stage| stage.span),
                    format!("in which stage `{}` makes the object is not said", made.c),
                    "expected `stage(\"Stage\")`, with one name",
                )
                .help("name the stage that the object is in at first"),
            );
        }
    }
}

/// Every stage in which something may be done is one that something leads to.
fn reached(functions: &[&Function], diagnostics: &mut Diagnostics) {
    for function in functions.iter().filter(|function| function.role != Role::Constructor) {
        let Some(stage) = &function.stage else { continue };
        let leads = functions.iter().any(|other| match (&other.stage, &other.role) {
            (Some(there), Role::Constructor) => there.of == stage.of,
            (Some(there), _) => there.next.as_ref() == Some(&stage.of),
            _ => false,
        });
        if !leads {
            diagnostics.push(
                Diagnostic::error(
                    stage.span,
                    format!("nothing leads to the stage `{}`", stage.of),
                    "expected a stage that a constructor or another function leads to",
                )
                .help("write it as it is written there, or say what leads to it"),
            );
        }
    }
}
