// SPDX-License-Identifier: GPL-2.0

//! Second phase: the meaning of the contracts.
//!
//! Each kind of item has a file with its type and how clauses make one. Nothing here looks at more
//! than one declaration at a time; that is for [`crate::check`].

mod callback;
mod choice;
pub mod clauses;
mod errno;
mod field;
mod flags;
mod function;
mod lock;
mod object;
mod ops;
mod param;
mod record;
mod result;
mod section;
mod stage;
mod tagged;

pub use callback::Block;
pub use callback::Callback;
pub use callback::Reached;
pub use callback::SelfKind;
pub use choice::Choice;
pub use choice::Variant;
pub use errno::Errno;
pub use flags::FlagSet;
pub use function::Again;
pub use function::Context;
pub use function::Function;
pub use function::Returns;
pub use function::Role;
pub use function::Stated;
pub use lock::Sharing;
pub use object::Constant;
pub use object::Guarded;
pub use object::Object;
pub use object::Shape;
pub use ops::Table;
pub use param::Kind as ParamKind;
pub use param::Param;
pub use record::Member;
pub use record::Plain;
pub use section::Given;
pub use section::Protocol;
pub use section::Room;
pub use section::Section;
pub use section::Set;
pub use stage::Stage;
pub use tagged::Tagged;

use crate::check::account::Declared;
use crate::diag::Diagnostics;
use crate::read::CType;
use crate::read::Class;
use crate::read::Doc;
use crate::read::Headers;
use crate::source::FileId;
use crate::source::Span;
use std::collections::BTreeMap;

/// The items of the typed side.
#[derive(Debug, Default)]
pub struct Api {
    /// The name of the module, which is also part of the name of the typed header.
    pub name: String,
    /// The headers, as C includes them.
    pub includes: Vec<String>,
    /// Text about the whole, of the C side.
    pub overviews: Vec<Doc>,
    /// Text about the module in its stead.
    pub about: Option<String>,
    /// Objects.
    pub objects: Vec<Object>,
    /// Plain data.
    pub records: Vec<Plain>,
    /// Enumerations of mutually exclusive values.
    pub choices: Vec<Choice>,
    /// Enumerations whose values are combined with `|`.
    pub flags: Vec<FlagSet>,
    /// Integers that contain a value and flags.
    pub tagged: Vec<Tagged>,
    /// Tables of callbacks.
    pub tables: Vec<Table>,
    /// Critical sections.
    pub sections: Vec<Section>,
    /// Functions under contract.
    pub functions: Vec<Function>,
    /// Guards and cleanup classes that C has already.
    pub classes: Vec<Class>,
    /// Headers whose typed side is in another module.
    pub elsewhere: Vec<(FileId, String)>,
    /// Examples for the documentation, by the name of their type or trait.
    pub examples: BTreeMap<String, String>,
    /// The declarations under contract.
    pub declared: Vec<Declared>,
    /// The members of each structure that was read, with their types.
    pub fields: BTreeMap<String, Vec<(String, CType)>>,
    /// Declarations that are left out, and why.
    pub left_out: Vec<LeftOut>,
    /// The functions among them: others may need them.
    pub lost: Vec<Function>,
}

/// A declaration that the typed side does not have.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// Its name in C.
    pub name: String,
    /// Why.
    pub reason: String,
    /// How to change that.
    pub remedy: String,
    /// Where it is.
    pub span: Span,
}

impl Api {
    /// The module of declarations at that place, if it is another one.
    pub fn module(&self, span: Span) -> Option<&str> {
        self.elsewhere
            .iter()
            .find(|(file, _)| *file == span.file)
            .map(|(_, module)| module.as_str())
    }

    /// The names of items of other modules, with their modules.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &str)> {
        let objects = self.objects.iter().map(|o| (&o.name, o.span));
        let all = objects
            .chain(self.records.iter().map(|r| (&r.name, r.span)))
            .chain(self.choices.iter().map(|c| (&c.name, c.span)))
            .chain(self.flags.iter().map(|f| (&f.name, f.span)))
            .chain(self.tagged.iter().map(|t| (&t.name, t.span)));
        all.filter_map(|(name, span)| Some((name.as_str(), self.module(span)?)))
    }

    /// The object that wraps `struct tag`.
    pub fn object(&self, tag: &str) -> Option<&Object> {
        self.objects.iter().find(|object| object.tag == tag)
    }

    /// The plain data that `struct tag` is.
    pub fn record(&self, tag: &str) -> Option<&Plain> {
        self.records.iter().find(|record| record.tag == tag)
    }

    /// The choice that `enum tag` is.
    pub fn choice(&self, tag: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.tag == tag)
    }

    /// The flag set that `enum tag` is.
    pub fn flag_set(&self, tag: &str) -> Option<&FlagSet> {
        self.flags.iter().find(|flags| flags.tag == tag)
    }

    /// The tagged integer of that tag.
    pub fn tagged_int(&self, tag: &str) -> Option<&Tagged> {
        self.tagged.iter().find(|tagged| tagged.tag == tag)
    }

    /// The table that `struct tag` is.
    pub fn table(&self, tag: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.tag == tag)
    }

    /// The first of the sections whose state is `struct tag`.
    pub fn section(&self, tag: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.tag == tag)
    }

    /// The function of that name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.c == name)
    }

    /// The functions of `struct tag` in a role.
    pub fn in_role<'a>(
        &'a self,
        tag: &'a str,
        role: impl Fn(&Role) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Function> + 'a {
        let matches = move |f: &&Function| f.owner.as_deref() == Some(tag) && role(&f.role);
        self.functions.iter().filter(matches)
    }

    /// The function of `struct tag` in a role.
    pub fn one_in_role(&self, tag: &str, role: impl Fn(&Role) -> bool) -> Option<&Function> {
        let matches = |f: &&Function| f.owner.as_deref() == Some(tag) && role(&f.role);
        self.functions.iter().find(matches)
    }
}

/// Make a model of the headers' contracts.
pub fn build(name: &str, headers: &Headers, diagnostics: &mut Diagnostics) -> Api {
    let mut api = Api {
        name: name.to_owned(),
        overviews: headers.overviews.clone(),
        classes: headers.classes.clone(),
        elsewhere: headers.elsewhere.clone(),
        ..Api::default()
    };
    let fields = |record: &crate::read::Record| {
        record
            .fields
            .iter()
            .map(|field| (field.name.clone(), field.ty.clone()))
            .collect::<Vec<_>>()
    };
    api.fields = headers
        .records
        .values()
        .map(|record| (record.name.clone(), fields(record)))
        .collect();
    for record in headers
        .records
        .values()
        .filter(|record| !record.contract.is_empty())
    {
        lower_record(record, &mut api, diagnostics);
    }
    for found in headers
        .enums
        .values()
        .filter(|found| !found.contract.is_empty())
    {
        lower_enum(found, &mut api, diagnostics);
    }
    for typedef in headers.typedefs.values() {
        let mut clauses = clauses::Clauses::new('t', &typedef.contract, typedef.span);
        api.tagged
            .extend(tagged::of_typedef(typedef, &mut clauses, diagnostics));
        clauses.finish(diagnostics);
    }
    for function in headers.functions.values() {
        function::lower(function, headers, &mut api, diagnostics);
    }
    // A function named by a destructor needs no contract of its own.
    let deferred: Vec<String> = api
        .functions
        .iter()
        .filter_map(|function| function.deferred.clone())
        .collect();
    api.left_out.retain(|left| !deferred.contains(&left.name));
    for table in &mut api.tables {
        table
            .callbacks
            .sort_by_key(|callback| callback.signature.span);
    }
    api.functions.sort_by_key(|function| function.span);
    api.objects.sort_by_key(|object| object.span);
    api.records.sort_by_key(|record| record.span);
    api.choices.sort_by_key(|choice| choice.span);
    api
}

fn lower_record(record: &crate::read::Record, api: &mut Api, diagnostics: &mut Diagnostics) {
    let mut clauses = clauses::Clauses::new('s', &record.contract, record.span);
    let record = &field::spread(record, &mut clauses, diagnostics);
    if let Some(object) = object::lower(record, &mut clauses, diagnostics) {
        api.objects.push(object);
        api.tables.extend(object::callbacks(record, diagnostics));
    } else if let Some(plain) = record::lower(record, &mut clauses, diagnostics) {
        api.records.push(plain);
    } else if let Some(table) = ops::lower(record, &mut clauses, diagnostics) {
        api.tables.push(table);
    } else {
        let sections = section::lower(record, &mut clauses, diagnostics);
        if sections.is_empty() && !diagnostics.has_errors() {
            diagnostics.push(
                crate::diag::Diagnostic::error(
                    clauses.span,
                    format!(
                        "this contract has no clause for the kind of `struct {}`",
                        record.name
                    ),
                    "expected one of object(...), record(...), ops(...), section(...)",
                )
                .help(format!(
                    "write `object(\"{}\")`",
                    clauses::camel(&record.name)
                )),
            );
        }
        api.sections.extend(sections);
    }
    clauses.finish(diagnostics);
}

fn lower_enum(found: &crate::read::Enumeration, api: &mut Api, diagnostics: &mut Diagnostics) {
    let mut clauses = clauses::Clauses::new('e', &found.contract, found.span);
    if let Some(choice) = choice::lower(found, &mut clauses, diagnostics) {
        api.choices.push(choice);
    } else if let Some(flags) = flags::lower(found, &mut clauses, diagnostics) {
        api.flags.push(flags);
    } else if let Some(tagged) = tagged::of_enum(found, &mut clauses, diagnostics) {
        api.tagged.push(tagged);
    } else if !diagnostics.has_errors() {
        diagnostics.push(
            crate::diag::Diagnostic::error(
                clauses.span,
                format!(
                    "this contract has no clause for the kind of `enum {}`",
                    found.name
                ),
                "expected one of choice(...), flags(...), tagged(...)",
            )
            .help(format!(
                "write `choice(\"{}\")`",
                clauses::camel(&found.name)
            )),
        );
    }
    clauses.finish(diagnostics);
}
