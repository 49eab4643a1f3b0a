// SPDX-License-Identifier: GPL-2.0

//! The module for the `kernel` crate.

mod choice;
mod flags;
mod function;
mod iterator;
mod layout;
mod lock;
mod object;
mod ops;
mod record;
mod refcount;
mod section;
mod stage;
mod tagged;
mod types;

use crate::emit::prose;
use crate::plan::Module;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::BTreeSet;

/// Names that the items may use, and where they are.
const IMPORTS: &[(&str, &str)] = &[
    ("Arc", "crate::sync::Arc"),
    ("ARef", "crate::sync::aref::ARef"),
    ("AlwaysRefCounted", "crate::sync::aref::AlwaysRefCounted"),
    ("Deref", "core::ops::Deref"),
    ("DerefMut", "core::ops::DerefMut"),
    ("ManuallyDrop", "core::mem::ManuallyDrop"),
    ("MaybeUninit", "core::mem::MaybeUninit"),
    ("NonNull", "core::ptr::NonNull"),
    ("NotThreadSafe", "crate::types::NotThreadSafe"),
    ("Opaque", "crate::types::Opaque"),
    ("PhantomData", "core::marker::PhantomData"),
    ("ScopeGuard", "crate::types::ScopeGuard"),
    ("UnsafeCell", "core::cell::UnsafeCell"),
    ("VTABLE_DEFAULT_ERROR", "crate::error::VTABLE_DEFAULT_ERROR"),
    ("Wrapper", "pin_init::Wrapper"),
    ("container_of", "crate::container_of"),
    ("from_err_ptr", "crate::error::from_err_ptr"),
    ("to_result", "crate::error::to_result"),
];

/// Names that the kernel's prelude has.
const PRELUDE: &[&str] = &[
    "CStr",
    "ENOMEM",
    "Error",
    "GFP_KERNEL",
    "Init",
    "KBox",
    "Pin",
    "PinInit",
    "Result",
    "build_error",
    "c_char",
    "c_int",
    "c_void",
    "pin_data",
    "pin_init",
    "pinned_drop",
    "try_init",
    "try_pin_init",
    "vtable",
];

/// The text of the module.
pub fn write(module: &Module) -> Result<String, String> {
    unformatted(module).and_then(|text| layout::formatted(&text))
}

/// The text of the module before rustfmt has seen it.
pub fn unformatted(module: &Module) -> Result<String, String> {
    let items = items(module);
    let mut named = BTreeSet::new();
    items.iter().for_each(|item| names(item, &mut named));
    let used = |name: &str| named.contains(name);
    let mut imports: Vec<&str> = IMPORTS
        .iter()
        .filter(|(name, _)| used(name))
        .map(|(_, path)| *path)
        .collect();
    if used("UnsafeCell") {
        imports.push("pin_init::Wrapper");
    }
    if used("bindings") {
        imports.push("crate::bindings");
    }
    if PRELUDE.iter().any(|name| used(name)) {
        imports.push("crate::prelude::*");
    }
    imports.extend(
        module
            .elsewhere
            .iter()
            .filter(|(name, _)| used(name))
            .map(|(_, path)| path.as_str()),
    );
    layout::module(&prose::of_module(module), &imports, &items)
}

fn items(module: &Module) -> Vec<TokenStream> {
    let mut items: Vec<TokenStream> = Vec::new();
    items.extend(module.choices.iter().map(choice::item));
    items.extend(module.flags.iter().map(flags::item));
    items.extend(module.tagged.iter().map(tagged::item));
    items.extend(module.records.iter().map(record::item));
    items.extend(module.retries.then(function::retry_outcome));
    for wrapper in &module.objects {
        let object = &wrapper.object;
        items.extend(wrapper.table.as_ref().map(|found| ops::item(object, found)));
        items.extend(object::items(wrapper));
        items.extend(
            wrapper
                .counted
                .as_ref()
                .map(|counted| refcount::item(object, counted)),
        );
        items.extend(
            wrapper
                .guards
                .iter()
                .flat_map(|guard| lock::items(object, guard)),
        );
        items.extend(
            wrapper
                .sections
                .iter()
                .flat_map(|section| section::items(object, section)),
        );
    }
    items
}

/// The identifiers in the tokens.
fn names(tokens: &TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens.clone() {
        match token {
            proc_macro2::TokenTree::Ident(ident) => drop(found.insert(ident.to_string())),
            proc_macro2::TokenTree::Group(group) => names(&group.stream(), found),
            _ => {}
        }
    }
}

/// `impl<..> Type<..> { .. }`, or nothing when it would be empty.
fn inherent(head: TokenStream, body: &[TokenStream]) -> Option<TokenStream> {
    (!body.is_empty()).then(|| quote! { impl #head { #(#body)* } })
}
