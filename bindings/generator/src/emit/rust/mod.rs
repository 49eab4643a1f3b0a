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
use crate::model::Api;
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
    ("UnsafeCell", "core::cell::UnsafeCell"),
    ("VTABLE_DEFAULT_ERROR", "crate::error::VTABLE_DEFAULT_ERROR"),
    ("Wrapper", "pin_init::Wrapper"),
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
pub fn write(api: &Api) -> Result<String, String> {
    unformatted(api).and_then(|text| layout::formatted(&text))
}

/// The text of the module before rustfmt has seen it.
pub fn unformatted(api: &Api) -> Result<String, String> {
    let mut items: Vec<TokenStream> = Vec::new();
    let own = |span| api.module(span).is_none();
    items.extend(api.choices.iter().filter(|found| own(found.span)).map(choice::item));
    items.extend(api.flags.iter().filter(|found| own(found.span)).map(flags::item));
    items.extend(api.tagged.iter().filter(|found| own(found.span)).map(|tagged| tagged::item(api, tagged)));
    let records = api.records.iter().filter(|record| own(record.span));
    items.extend(records.map(|record| record::item(api, record)));
    items.extend(function::retry_outcome(api));
    for object in api.objects.iter().filter(|object| object.foreign.is_none() && own(object.span)) {
        items.extend(ops::of_object(api, object));
        items.extend(object::items(api, object));
        items.extend(refcount::of_object(api, object));
        items.extend(lock::of_object(api, object));
        for section in api.sections.iter().filter(|section| section.of == object.tag) {
            items.extend(section::items(api, object, section));
        }
    }
    let mut named = BTreeSet::new();
    items.iter().for_each(|item| names(item, &mut named));
    let used = |name: &str| named.contains(name);
    let mut imports: Vec<&str> =
        IMPORTS.iter().filter(|(name, _)| used(name)).map(|(_, path)| *path).collect();
    if used("UnsafeCell") {
        imports.push("pin_init::Wrapper");
    }
    if used("bindings") {
        imports.push("crate::bindings");
    }
    if PRELUDE.iter().any(|name| used(name)) {
        imports.push("crate::prelude::*");
    }
    let others: Vec<String> = api
        .imports()
        .filter(|(name, _)| used(name))
        .map(|(name, module)| format!("{module}::{name}"))
        .collect();
    imports.extend(others.iter().map(String::as_str));
    layout::module(&prose::of_module(api), &imports, &items)
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
