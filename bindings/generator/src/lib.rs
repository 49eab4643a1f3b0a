// SPDX-License-Identifier: GPL-2.0

//! Reads contracts on C declarations and writes typed objects for Rust and for C.
//!
//! Four phases, each a module: [`read`], [`model`], [`check`], [`emit`].

#![forbid(unsafe_code)]

pub mod check;
pub mod diag;
pub mod emit;
pub mod explain;
pub mod ir;
pub mod model;
pub mod plan;
pub mod read;
pub mod source;
pub mod texts;

use diag::Diagnostics;
use model::Api;
use read::Input;
use source::Sources;
use std::path::Path;

/// The result of the phases read, model and check.
#[derive(Debug)]
pub struct Run {
    /// The typed API.
    pub api: Api,
    /// The files that were read.
    pub sources: Sources,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// The text that a run writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The module for the `kernel` crate.
    pub rust: String,
    /// Shims for functions that Rust cannot link to.
    pub helpers: Option<String>,
    /// The typed header.
    pub typed_c: String,
    /// The declarations that were left out, with reasons.
    pub report: String,
}

/// Reads the headers and makes a model of their contracts.
pub fn analyse(name: &str, input: &Input) -> Run {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let headers = read::read(input, &mut sources, &mut diagnostics);
    let mut api = model::build(name, &headers, &mut diagnostics);
    api.includes = headers
        .main
        .iter()
        .map(|file| sources.short_path(*file))
        .map(|path| {
            path.strip_prefix("include/")
                .map(str::to_owned)
                .unwrap_or(path)
        })
        .collect();
    api.declared = check::account::declared(&api);
    if !diagnostics.has_errors() {
        check::check(&mut api, &mut diagnostics);
    }
    Run {
        api,
        sources,
        diagnostics,
    }
}

impl Run {
    /// Reads what a folder has for the documentation: `NAME.rs` is the example of the item `NAME`, and `NAME.md` what is
    /// reported about it and what it has ([`texts`]).
    pub fn examples(&mut self, folder: &Path) -> Result<(), String> {
        let failed =
            |path: &Path, error: std::io::Error| format!("error: {}: {error}", path.display());
        for entry in std::fs::read_dir(folder).map_err(|error| failed(folder, error))? {
            let path = entry.map_err(|error| failed(folder, error))?.path();
            let name = path
                .file_stem()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
            if path.extension().is_some_and(|extension| extension == "md") {
                texts::apply(&mut self.api, &name, &text)?;
                continue;
            }
            let api = &self.api;
            let known = api
                .objects
                .iter()
                .any(|object| object.name == name && object.foreign.is_none())
                || api.tables.iter().any(|table| table.name == name)
                || api.records.iter().any(|record| record.name == name)
                || api.sections.iter().any(|section| section.name == name);
            if !known {
                return Err(format!(
                    "error: {}: no type or trait that can have an example has the name `{name}`",
                    path.display()
                ));
            }
            self.api.examples.insert(name, text);
        }
        Ok(())
    }

    /// Leaves out the shims of some functions, which Rust can link to already.
    pub fn without_shims(&mut self, names: &[String]) -> Result<(), String> {
        for name in names {
            let mut functions = self.api.functions.iter_mut();
            match functions.find(|function| function.c == *name && function.needs_helper) {
                Some(function) => function.needs_helper = false,
                None => {
                    return Err(format!(
                        "error: `{name}` is not a function that needs a shim"
                    ))
                }
            }
        }
        Ok(())
    }

    /// What is written, with all that is decided.
    pub fn plan(&self) -> Result<plan::Module, String> {
        check::plan::plan(&self.api)
    }

    /// Writes the output; the error is one of the generator's own, or of a formatter.
    pub fn emit(&self) -> Result<Output, String> {
        let module = self.plan()?;
        let rust = emit::rust::write(&module)?;
        if let Some(name) = emit::account::vanished(&module, &rust)?.first() {
            return Err(format!(
                "error: `{name}` is under contract, and neither written nor left out: this is a bug of hmm-bindgen"
            ));
        }
        Ok(Output {
            rust,
            helpers: emit::helpers::write(&module)?,
            typed_c: emit::c::write(&module)?,
            report: emit::report::left_out(&module, &self.sources),
        })
    }

    /// The findings as text.
    pub fn complaints(&self, color: bool) -> String {
        self.diagnostics.render(&self.sources, color)
    }
}
