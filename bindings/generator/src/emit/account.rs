// SPDX-License-Identifier: GPL-2.0

//! Compares the declarations under contract with the output: each must be written or reported.

use crate::model::Api;
use std::collections::BTreeSet;
use syn::visit::Visit;

/// The items of a Rust module.
#[derive(Default)]
struct Found {
    /// Types and traits.
    items: BTreeSet<String>,
    /// `Type::function`, also those of traits.
    functions: BTreeSet<String>,
    /// The names that follow `bindings::`.
    bound: BTreeSet<String>,
    /// The type or trait that is being read.
    inside: String,
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.items.insert(item.ident.to_string());
        syn::visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.items.insert(item.ident.to_string());
        syn::visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.items.insert(item.ident.to_string());
        self.inside = item.ident.to_string();
        syn::visit::visit_item_trait(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.inside = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        }
        .unwrap_or_default();
        syn::visit::visit_item_impl(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        let name = signature.ident.to_string();
        // A name that no identifier may have is written with an underscore.
        let name = match name.trim_end_matches('_') {
            bare @ ("self" | "Self" | "super" | "crate") => bare,
            _ => name.trim_start_matches("r#"),
        };
        self.functions.insert(format!("{}::{name}", self.inside));
        syn::visit::visit_signature(self, signature);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|first| first.ident == "bindings") {
            self.bound.extend(segments.next().map(|name| name.ident.to_string()));
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        if let Ok(body) = mac.parse_body::<syn::Expr>() {
            self.visit_expr(&body);
        }
    }
}

/// A declaration under contract.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declared {
    /// Its name in the report.
    pub name: String,
    /// The mark that it was written.
    mark: Mark,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// A call of the C function.
    Bound(String),
    /// A type or a trait.
    Item(String),
    /// A function of a type or of a trait.
    Function(String),
}

/// Every declaration of the API that is under contract, in the model before check leaves any out.
pub fn declared(api: &Api) -> Vec<Declared> {
    let mut all = Vec::new();
    let mut add = |name: String, mark: Mark| all.push(Declared { name, mark });
    let own = |span| api.module(span).is_none();
    for object in api.objects.iter().filter(|object| own(object.span) && object.foreign.is_none()) {
        add(format!("struct {}", object.tag), Mark::Item(object.name.clone()));
        for constant in &object.constants {
            let accessor = format!("{}::{}", object.name, constant.member.name);
            add(format!("{}.{}", object.tag, constant.member.name), Mark::Function(accessor));
        }
    }
    for record in api.records.iter().filter(|record| own(record.span)) {
        add(format!("struct {}", record.tag), Mark::Item(record.name.clone()));
        for member in &record.members {
            let accessor = format!("{}::{}", record.name, member.name);
            add(format!("{}.{}", record.tag, member.name), Mark::Function(accessor));
        }
    }
    for choice in api.choices.iter().filter(|choice| own(choice.span)) {
        add(format!("enum {}", choice.tag), Mark::Item(choice.name.clone()));
    }
    for flags in api.flags.iter().filter(|flags| own(flags.span)) {
        add(format!("enum {}", flags.tag), Mark::Item(flags.name.clone()));
    }
    for tagged in api.tagged.iter().filter(|tagged| own(tagged.span)) {
        add(tagged.tag.clone(), Mark::Item(tagged.name.clone()));
    }
    for table in api.tables.iter().filter(|table| own(table.span)) {
        // A callback that is a parameter goes with its function.
        add(table.declared_as(), Mark::Item(table.name.clone()));
        for callback in &table.callbacks {
            let name = &callback.signature.name;
            let declared = match table.single {
                true => table.tag.clone(),
                false => format!("{}.{name}", table.tag),
            };
            add(declared, Mark::Function(format!("{}::{name}", table.name)));
        }
    }
    for section in api.sections.iter().filter(|section| own(section.span)) {
        let method = api.object(&section.of).map(|object| format!("{}::{}", object.name, section.method));
        add(format!("section {}", section.name), Mark::Function(method.unwrap_or_default()));
    }
    for function in api.functions.iter().filter(|function| own(function.span)) {
        // Rust ends an object by the function that may defer it.
        let called = function.deferred.as_ref().unwrap_or(&function.c);
        add(function.c.clone(), Mark::Bound(called.clone()));
    }
    all
}

/// The declarations under contract that are neither in the text nor in the report.
pub fn vanished(api: &Api, rust: &str) -> Result<Vec<String>, String> {
    let file = syn::parse_file(rust).map_err(|error| format!("the generator wrote invalid Rust: {error}"))?;
    let mut found = Found::default();
    found.visit_file(&file);
    let written = |mark: &Mark| match mark {
        Mark::Bound(name) => found.bound.contains(name),
        Mark::Item(name) => found.items.contains(name),
        Mark::Function(name) => {
            // A section that may be given more has two methods.
            found.functions.contains(name) || found.functions.contains(&format!("{name}_with"))
        }
    };
    let reported = |name: &str| api.left_out.iter().any(|left| left.name == name);
    let lost = api.declared.iter().filter(|declared| !written(&declared.mark) && !reported(&declared.name));
    Ok(lost.map(|declared| declared.name.clone()).collect())
}
