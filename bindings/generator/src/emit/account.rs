// SPDX-License-Identifier: GPL-2.0

//! Compares the declarations under contract with the output: each must be written or reported.

use crate::check::account::Mark;
use crate::plan::Module;
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

/// The declarations under contract that are neither in the text nor in the report.
pub fn vanished(module: &Module, rust: &str) -> Result<Vec<String>, String> {
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
    let reported = |name: &str| module.left_out.iter().any(|left| left.name == name);
    let lost =
        module.declared.iter().filter(|declared| !written(&declared.mark) && !reported(&declared.name));
    Ok(lost.map(|declared| declared.name.clone()).collect())
}
