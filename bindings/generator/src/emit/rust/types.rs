// SPDX-License-Identifier: GPL-2.0

//! How a settled type is written in Rust, given to C and taken from C.

use crate::ir::Generic;
use crate::ir::Record;
use crate::ir::Type;
use crate::model::Object;
use proc_macro2::Ident;
use proc_macro2::Span;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// An identifier. A keyword of Rust has an underscore, as in what bindgen writes.
pub(super) fn ident(name: &str) -> Ident {
    match syn::parse_str::<Ident>(name) {
        Ok(ident) => ident,
        Err(_) => format_ident!("{name}_"),
    }
}

/// A field, as bindgen names it.
pub(super) fn field(name: &str) -> Ident {
    ident(name)
}

/// A path or a type such as `crate::mm::MmWithUser`.
pub(super) fn path(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|_| quote! { () })
}

/// `<T: Bound>` and `<T>` for an object; both empty when it is not generic.
pub(super) fn generics(object: &Object) -> (TokenStream, TokenStream) {
    if object.lifetime || !object.stages.is_empty() {
        let args = args(object, &quote! { S });
        return (args.clone(), args);
    }
    match &object.generic {
        None => (quote! {}, quote! {}),
        Some(Generic { bound: None }) => (quote! { <T> }, quote! { <T> }),
        Some(Generic { bound: Some(bound) }) => {
            let bound = path(bound);
            (quote! { <T: #bound> }, quote! { <T> })
        }
    }
}

/// `<'a, Stage>`, for an object that has a lifetime, or stages, or both.
pub(super) fn args(object: &Object, stage: &TokenStream) -> TokenStream {
    args_for(object, "'a", stage)
}

/// The same for another lifetime.
pub(super) fn args_for(object: &Object, lifetime: &str, stage: &TokenStream) -> TokenStream {
    let lifetime = syn::Lifetime::new(lifetime, Span::call_site());
    match (object.lifetime, object.stages.is_empty()) {
        (true, true) => quote! { <#lifetime> },
        (true, false) => quote! { <#lifetime, #stage> },
        (false, true) => quote! {},
        (false, false) => quote! { <#stage> },
    }
}

/// The type of the marker field that an object has beside its pointer, if it needs one.
pub(super) fn marker(object: &Object) -> Option<TokenStream> {
    let staged = !object.stages.is_empty();
    let lifetime = match object.scoped {
        // A lifetime of its own: neither longer nor shorter will do.
        true => quote! { *mut &'a () },
        false => quote! { &'a () },
    };
    match (object.lifetime, staged) {
        (false, false) => None,
        (true, false) => Some(quote! { PhantomData<#lifetime> }),
        (true, true) => Some(quote! { PhantomData<(#lifetime, S)> }),
        (false, true) => Some(quote! { PhantomData<S> }),
    }
}

/// The parameters with a lifetime before them.
pub(super) fn generics_with_lifetime(object: &Object) -> (TokenStream, TokenStream) {
    match &object.generic {
        None => (quote! { <'a> }, quote! { <'a> }),
        Some(Generic { bound: None }) => (quote! { <'a, T> }, quote! { <'a, T> }),
        Some(Generic { bound: Some(bound) }) => {
            let bound = path(bound);
            (quote! { <'a, T: #bound> }, quote! { <'a, T> })
        }
    }
}

/// The parameters of a guard of an object that is named by no lifetime.
pub(super) fn guard_args(object: &Object) -> TokenStream {
    match object.generic {
        Some(_) => quote! { <'_, T> },
        None => quote! { <'_> },
    }
}

/// The path from an object to its fields: empty, or through its storage.
pub(super) fn stored(object: &Object) -> TokenStream {
    match object.deferred {
        Some(_) => quote! { .storage() },
        None => quote! {},
    }
}

/// The type that holds the fields of an object whose end may be deferred.
pub(super) fn storage(object: &Object) -> Ident {
    format_ident!("{}Storage", object.name)
}

/// A number of elements; C may have a negative one where there are none.
pub(super) fn count(signed: bool, value: &TokenStream) -> TokenStream {
    match signed {
        true => quote! { #value.max(0) as usize },
        false => quote! { #value as usize },
    }
}

/// The type of an object.
pub(super) fn object(object: &Object) -> TokenStream {
    let name = ident(&object.name);
    let (_, args) = generics(object);
    quote! { #name #args }
}

/// `&T` as `&'a T`, also inside an `Option`.
pub(super) fn lifetime(ty: TokenStream, name: &str) -> TokenStream {
    struct Name<'n>(&'n str);
    impl syn::visit_mut::VisitMut for Name<'_> {
        fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
            reference.lifetime = Some(syn::Lifetime::new(self.0, Span::call_site()));
        }
    }
    match syn::parse2::<syn::Type>(ty.clone()) {
        Ok(mut parsed) => {
            syn::visit_mut::VisitMut::visit_type_mut(&mut Name(name), &mut parsed);
            quote! { #parsed }
        }
        Err(_) => ty,
    }
}

/// The type that makes a lifetime one of its own: neither longer nor shorter will do.
pub(super) fn brand() -> TokenStream {
    quote! { PhantomData<fn(&'s ()) -> &'s ()> }
}

/// The type as a parameter or a result has it.
pub(super) fn rust(ty: &Type) -> TokenStream {
    match ty {
        Type::Unit => quote! { () },
        Type::Bool => quote! { bool },
        Type::Int(name) => path(name),
        Type::Object { rust, .. } => {
            let object = path(rust);
            quote! { &#object }
        }
        Type::RecordRef(found) => {
            let name = record(found);
            quote! { &#name }
        }
        Type::Record(found) => record(found),
        Type::Choice { name, .. } | Type::Newtype { name, .. } => path(name),
        Type::Identity { nonnull: false, .. } => quote! { *const c_void },
        Type::Identity { nonnull: true, .. } => quote! { NonNull<c_void> },
        Type::Slice {
            element, mutable, ..
        } => {
            let element = rust(element);
            match mutable {
                true => quote! { &mut [#element] },
                false => quote! { &[#element] },
            }
        }
        Type::Text => quote! { &CStr },
        Type::Gfp => quote! { crate::alloc::Flags },
        Type::LockClass => quote! { Pin<&'static crate::sync::LockClassKey> },
    }
}

/// A record, of any section if it is confined.
fn record(found: &Record) -> TokenStream {
    let name = ident(&found.name);
    let section = found.confined.then(|| quote! { <'_> });
    quote! { #name #section }
}

/// The type that the bindings have for it.
pub(super) fn raw(ty: &Type) -> TokenStream {
    match ty {
        Type::RecordRef(record) => {
            let raw = ident(&record.tag);
            quote! { *const bindings::#raw }
        }
        Type::Record(record) => {
            let raw = ident(&record.tag);
            quote! { bindings::#raw }
        }
        Type::Choice { tag, .. } => {
            let raw = ident(tag);
            quote! { bindings::#raw }
        }
        Type::Object { tag, .. } => {
            let raw = ident(tag);
            quote! { *mut bindings::#raw }
        }
        Type::Identity { constant: true, .. } => quote! { *const c_void },
        Type::Identity {
            constant: false, ..
        } => quote! { *mut c_void },
        Type::Newtype { int, .. } => path(int),
        Type::Text => quote! { *const c_char },
        _ => rust(ty),
    }
}

/// The expression passed to C for the parameter `name`, which is an `Option` if it is nullable.
pub(super) fn into_c(ty: &Type, name: &TokenStream, nullable: bool) -> TokenStream {
    match ty {
        Type::Object { .. } if nullable => {
            quote! { #name.map_or(core::ptr::null_mut(), |object| object.as_raw()) }
        }
        Type::RecordRef(_) if nullable => {
            quote! { #name.map_or(core::ptr::null(), |record| &raw const record.0) }
        }
        Type::Text if nullable => {
            quote! { #name.map_or(core::ptr::null(), |text| text.as_char_ptr()) }
        }
        Type::Object { .. } | Type::Gfp => quote! { #name.as_raw() },
        Type::Record(_) | Type::Newtype { .. } | Type::Choice { open: true, .. } => {
            quote! { #name.0 }
        }
        Type::RecordRef(_) => quote! { &#name.0 },
        Type::Choice {
            tag, open: false, ..
        } => {
            let raw = ident(tag);
            quote! { #name as bindings::#raw }
        }
        Type::Identity { nonnull, typed, .. } => {
            let address = match nonnull {
                true => quote! { as_ptr },
                false => quote! { cast_mut },
            };
            let to = typed.then(|| quote! { .cast() });
            quote! { #name.#address() #to }
        }
        Type::Slice { mutable, cast, .. } => {
            let first = match mutable {
                true => quote! { as_mut_ptr },
                false => quote! { as_ptr },
            };
            let cast = cast.then(|| quote! { .cast() });
            quote! { #name.#first() #cast }
        }
        Type::Text => quote! { #name.as_char_ptr() },
        Type::LockClass => quote! { #name.as_ptr() },
        Type::Unit | Type::Bool | Type::Int(_) => name.clone(),
    }
}

/// C's `value` converted to the typed side; the check phase has left out types that cannot be converted.
pub(super) fn from_c(ty: &Type, value: TokenStream) -> TokenStream {
    match ty {
        Type::Record(record) => {
            let name = ident(&record.name);
            match record.confined {
                true => quote! { #name(#value, PhantomData) },
                false => quote! { #name(#value) },
            }
        }
        Type::Newtype { name, .. }
        | Type::Choice {
            name, open: true, ..
        } => {
            let name = ident(name);
            quote! { #name(#value) }
        }
        _ => value,
    }
}
