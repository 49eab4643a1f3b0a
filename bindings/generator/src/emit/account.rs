// SPDX-License-Identifier: GPL-2.0

//! Compares the declarations under contract with the output: each must be written or reported.

use crate::check::account::Mark;
use crate::check::account::Shows;
use crate::plan::Module;
use std::collections::BTreeSet;
use syn::visit::Visit;

/// A function in Rust that calls one of C.
#[derive(Clone, Default)]
struct Caller {
    /// Its name.
    name: String,
    /// The type or trait that it is a function of.
    of: String,
    /// Whether it is `unsafe`.
    promised: bool,
    /// The names of its parameters.
    params: BTreeSet<String>,
    /// What it takes and returns, with the bounds.
    takes: String,
    /// What it returns.
    returns: String,
    /// Its documentation.
    docs: String,
    /// The C function, and the number of its arguments.
    calls: Vec<(String, usize)>,
}

impl Caller {
    fn of(of: &str, signature: &syn::Signature, attributes: &[syn::Attribute]) -> Self {
        let param = |input: &syn::FnArg| match input {
            syn::FnArg::Typed(typed) => match &*typed.pat {
                syn::Pat::Ident(ident) => Some(bare(&ident.ident.to_string())),
                _ => None,
            },
            syn::FnArg::Receiver(_) => None,
        };
        let returns = &signature.output;
        let docs = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("doc"));
        Caller {
            name: bare(&signature.ident.to_string()),
            of: of.to_owned(),
            promised: signature.unsafety.is_some(),
            params: signature.inputs.iter().filter_map(param).collect(),
            takes: quote::quote! { #signature }.to_string(),
            returns: quote::quote! { #returns }.to_string(),
            docs: docs.map(|doc| quote::quote! { #doc }.to_string()).collect(),
            calls: Vec::new(),
        }
    }

    /// Whether a clause or a parameter of a C function shows in this one.
    fn shows(&self, c: &str, shows: &Shows) -> bool {
        let has =
            |text: &str, types: &[String]| types.iter().any(|name| text.contains(name.as_str()));
        match shows {
            Shows::Arguments(count) => self
                .calls
                .iter()
                .any(|(called, given)| called == c && given == count),
            Shows::Parameter(name) => {
                let name = name.to_lowercase();
                self.params.contains(&name) || self.params.contains(&format!("{name}_"))
            }
            Shows::Takes(types) => has(&self.takes, types),
            Shows::Returns(types) if types.is_empty() => !self.returns.is_empty(),
            Shows::Returns(types) => has(&self.returns, types),
            Shows::Unsafe => self.promised,
            Shows::Named(name) => self.name == bare(name),
            Shows::Of(name) => self.of == *name,
            Shows::Documented(text) => self.docs.contains(text),
            Shows::Implements(_) | Shows::Guards(..) => false,
        }
    }
}

/// A name without the underscore that makes an identifier of a keyword.
fn bare(name: &str) -> String {
    let bare = name.trim_end_matches('_');
    match syn::parse_str::<syn::Ident>(bare) {
        Ok(_) => name.to_owned(),
        Err(_) => bare.to_owned(),
    }
}

/// The items of a Rust module.
#[derive(Default)]
struct Found {
    /// Types and traits.
    items: BTreeSet<String>,
    /// `Type::function`, also those of traits.
    functions: BTreeSet<String>,
    /// The names that follow `bindings::`.
    bound: BTreeSet<String>,
    /// Traits, and the types that implement them.
    implemented: BTreeSet<(String, String)>,
    /// The functions that call C.
    callers: Vec<Caller>,
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
        let last = |path: &syn::Path| path.segments.last().map(|last| last.ident.to_string());
        self.inside = match &*item.self_ty {
            syn::Type::Path(path) => last(&path.path),
            _ => None,
        }
        .unwrap_or_default();
        let of = item.trait_.as_ref().and_then(|(_, path, _)| last(path));
        self.implemented
            .extend(of.map(|of| (of, self.inside.clone())));
        syn::visit::visit_item_impl(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.callers
            .push(Caller::of(&self.inside, &item.sig, &item.attrs));
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        let name = bare(&signature.ident.to_string());
        self.functions.insert(format!("{}::{name}", self.inside));
        syn::visit::visit_signature(self, signature);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            let mut segments = function
                .path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string());
            if let (Some("bindings"), Some(name), Some(caller)) = (
                segments.next().as_deref(),
                segments.next(),
                self.callers.last_mut(),
            ) {
                caller.calls.push((bare(&name), call.args.len()));
            }
        }
        syn::visit::visit_expr_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments
            .next()
            .is_some_and(|first| first.ident == "bindings")
        {
            self.bound
                .extend(segments.next().map(|name| bare(&name.ident.to_string())));
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        if let Ok(body) = mac.parse_body::<syn::Expr>() {
            self.visit_expr(&body);
        }
    }
}

impl Found {
    fn written(&self, mark: &Mark) -> bool {
        match mark {
            Mark::Bound(name) => self.bound.contains(&bare(name)),
            Mark::Item(name) => self.items.contains(name),
            Mark::Function(name) => {
                // A section that may be given more has two methods.
                let (of, function) = name.rsplit_once("::").unwrap_or(("", name));
                let name = format!("{of}::{}", bare(function));
                self.functions.contains(&name) || self.functions.contains(&format!("{name}_with"))
            }
        }
    }

    /// Whether a clause or a parameter of what has that mark shows.
    fn shows(&self, mark: &Mark, shows: &Shows) -> bool {
        let has =
            |of: &str, name: &String| self.implemented.contains(&(of.to_owned(), name.clone()));
        match (mark, shows) {
            (_, Shows::Guards(guard, of)) => has(of, guard),
            (Mark::Bound(c), _) => {
                let c = &bare(c);
                let calls = |caller: &&Caller| caller.calls.iter().any(|(called, _)| called == c);
                self.callers
                    .iter()
                    .filter(calls)
                    .any(|caller| caller.shows(c, shows))
            }
            (Mark::Item(name), Shows::Implements(of)) => has(of, name),
            _ => false,
        }
    }
}

/// The declarations under contract that are neither in the text nor in the report, and the clauses and parameters of those
/// in the text that do not show there.
pub fn vanished(module: &Module, rust: &str) -> Result<Vec<String>, String> {
    let file = syn::parse_file(rust)
        .map_err(|error| format!("the generator wrote invalid Rust: {error}"))?;
    let mut found = Found::default();
    found.visit_file(&file);
    let reported = |name: &str| module.left_out.iter().any(|left| left.name == name);
    let mut lost = Vec::new();
    for declared in module
        .declared
        .iter()
        .filter(|declared| !reported(&declared.name))
    {
        if !found.written(&declared.mark) {
            lost.push(declared.name.clone());
            continue;
        }
        let gone = declared
            .stated
            .iter()
            .filter(|stated| !found.shows(&declared.mark, &stated.shows));
        lost.extend(gone.map(|stated| format!("{}: {}", declared.name, stated.what)));
    }
    Ok(lost)
}
