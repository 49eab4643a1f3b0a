// SPDX-License-Identifier: GPL-2.0

//! First phase: read the headers.
//!
//! libclang finds the declarations; the contracts, the kernel-doc and the attribute
//! macros, which the preprocessor has removed, are read from the text around them.

mod attributes;
pub mod cflags;
mod clang;
mod class;
mod ctype;
mod enumeration;
mod function;
mod kerneldoc;
pub mod lexer;
mod record;
pub mod terms;
mod typedef;

pub use attributes::Attribute;
pub use attributes::KNOWN as ATTRIBUTES;
pub use class::Class;
pub use class::ClassKind;
pub use class::Success;
pub use ctype::CType;
pub use enumeration::Constant;
pub use enumeration::Enumeration;
pub use function::Function;
pub use function::Parameter;
pub use kerneldoc::Doc;
pub use record::Field;
pub use record::Record;
pub use typedef::Typedef;

use crate::diag::Diagnostics;
use crate::source::FileId;
use crate::source::Sources;
use crate::source::Span;
use std::collections::BTreeMap;
use std::path::PathBuf;
use terms::Term;

/// The headers to read, with their options.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The headers for whose declarations bindings are written.
    pub headers: Vec<PathBuf>,
    /// Headers with contracts for what other headers declare.
    pub contracts: Vec<PathBuf>,
    /// Headers with typed objects in other modules, each with the module's path.
    pub elsewhere: Vec<(String, PathBuf)>,
    /// Sources that hold kernel-doc of functions that the headers declare.
    pub docs: Vec<PathBuf>,
    /// Arguments for the C compiler.
    pub flags: Vec<String>,
}

/// A contract as written.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// Its clauses; those of every redeclaration together.
    pub terms: Vec<Term>,
    /// The text of the (first) contract.
    pub span: Option<Span>,
}

impl Contract {
    /// Whether it has no clause.
    pub fn is_empty(&self) -> bool {
        self.span.is_none()
    }

    fn merge(&mut self, other: Contract) {
        self.terms.extend(other.terms);
        self.span = self.span.or(other.span);
    }
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Headers {
    /// Functions, by name.
    pub functions: BTreeMap<String, Function>,
    /// Structures, by tag.
    pub records: BTreeMap<String, Record>,
    /// Enumerations, by tag.
    pub enums: BTreeMap<String, Enumeration>,
    /// Typedefs, by name.
    pub typedefs: BTreeMap<String, Typedef>,
    /// Guards and cleanup classes that the headers define.
    pub classes: Vec<Class>,
    /// The headers of [`Input::headers`].
    pub main: Vec<FileId>,
    /// Headers whose typed side is in another module.
    pub elsewhere: Vec<(FileId, String)>,
    /// The text of the overviews (`DOC:` comments) of those headers.
    pub overviews: Vec<Doc>,
}

/// Read the headers. Errors go to `diagnostics`.
pub fn read(input: &Input, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Headers {
    let mut headers = Headers::default();
    clang::read(input, sources, diagnostics, &mut headers);
    for (module, path) in &input.elsewhere {
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        let file = sources.add(&path, || std::fs::read_to_string(&path).unwrap_or_default());
        headers.elsewhere.push((file, module.clone()));
    }
    for file in headers
        .main
        .iter()
        .chain(headers.elsewhere.iter().map(|(file, _)| file))
    {
        headers.classes.extend(class::find(sources, *file));
    }
    let mut docs = kerneldoc::Library::default();
    for file in sources_of(&headers) {
        docs.scan(file, sources.text(file));
    }
    for path in &input.docs {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let file = sources.add(path, || text);
                docs.scan(file, sources.text(file));
            }
            Err(error) => diagnostics.push(crate::diag::Diagnostic::plain(format!(
                "{}: {error}",
                path.display()
            ))),
        }
    }
    docs.attach(&mut headers);
    headers
}

fn sources_of(headers: &Headers) -> Vec<FileId> {
    let functions = headers.functions.values().map(|f| f.span.file);
    let records = headers.records.values().map(|r| r.span.file);
    let enums = headers.enums.values().map(|e| e.span.file);
    let typedefs = headers.typedefs.values().map(|t| t.span.file);
    let all = functions.chain(records).chain(enums).chain(typedefs);
    let mut files: Vec<FileId> = all.chain(headers.main.iter().copied()).collect();
    files.sort();
    files.dedup();
    files
}
