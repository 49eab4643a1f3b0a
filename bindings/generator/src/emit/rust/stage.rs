// SPDX-License-Identifier: GPL-2.0

//! Stages: a type for each, and the functions that lead from one to the next. Also constructors of objects that
//! something must outlive, whose types have parameters, too.

use super::function;
use super::function::Arguments;
use super::function::Receiver;
use super::layout;
use super::types;
use super::types::ident;
use crate::emit::prose;
use crate::model::Api;
use crate::model::Function;
use crate::model::Object;
use crate::model::ParamKind;
use crate::model::Role;
use proc_macro2::TokenStream;
use quote::quote;

/// A type for each stage, without values.
pub(super) fn markers(api: &Api, object: &Object) -> Vec<TokenStream> {
    let marker = |stage: &String| {
        let leads = |function: &&Function| match (&function.stage, &function.role) {
            (Some(there), Role::Constructor) => there.of == *stage,
            (Some(there), _) => there.next.as_ref() == Some(stage),
            _ => false,
        };
        let by =
            api.in_role(&object.tag, |_| true).find(leads).map(|by| by.name.as_str()).unwrap_or_default();
        let name = ident(stage);
        let docs = layout::docs(&format!("The stage of a [`{0}`] after [`{0}::{by}`].", object.name), 4);
        quote! { #docs pub enum #name {} }
    };
    object.stages.iter().map(marker).collect()
}

/// The functions of each stage, in one `impl` per stage; constructors are in the stage of the object that they make.
pub(super) fn steps(api: &Api, object: &Object) -> Vec<TokenStream> {
    let name = ident(&object.name);
    let mut items = Vec::new();
    let none = String::new();
    let stages = match object.stages.is_empty() {
        true => std::slice::from_ref(&none),
        false => object.stages.as_slice(),
    };
    for stage in stages {
        let here = |function: &&Function| match &function.stage {
            Some(there) => there.of == *stage,
            None => stage.is_empty() && object.lifetime && function.role == Role::Constructor,
        };
        let body: Vec<TokenStream> = api
            .in_role(&object.tag, |role| matches!(role, Role::Constructor | Role::Method))
            .filter(here)
            .map(|function| match function.role {
                Role::Constructor => constructor(api, function),
                _ if function.stage.as_ref().is_some_and(|stage| stage.next.is_some()) => {
                    step(object, function)
                }
                _ => function::method(api, function, &Receiver::object(&object.tag)),
            })
            .collect();
        let bound = match object.lifetime {
            true => quote! { <'a> },
            false => quote! {},
        };
        let stage = (!stage.is_empty()).then(|| ident(stage));
        let args = types::args(object, &quote! { #stage });
        items.extend(super::inherent(quote! { #bound #name #args }, &body));
    }
    items
}

/// A constructor that returns the object, with references that live as long as the object.
fn constructor(api: &Api, function: &Function) -> TokenStream {
    let name = ident(&function.name);
    let call = ident(&function.c);
    let Arguments { decls, values, before, why, .. } = function::arguments(function, &quote! {});
    let mut generics = quote! {};
    for param in function.params.iter().filter(|param| param.kind != ParamKind::Keeps) {
        let other = param.ty.pointee_record().and_then(|tag| api.object(tag));
        let (bound, _) = other.map(types::generics).unwrap_or_default();
        if !bound.is_empty() {
            generics = bound;
        }
    }
    let safety = function::justify(&[], &why);
    let call = quote! { unsafe { bindings::#call(#(#values),*) } };
    let (ret, body) = function::result(api, function, &safety, &call);
    let docs = layout::docs(&prose::of_function(function), 8);
    let unsafety = function.promise.as_ref().map(|_| quote! { unsafe });
    quote! {
        #docs
        #[inline]
        pub #unsafety fn #name #generics(#(#decls),*) #ret {
            #(#before)*
            #body
        }
    }
}

/// A function that leads to the next stage: it takes the object and returns it in that stage.
fn step(object: &Object, function: &Function) -> TokenStream {
    let next = function.stage.as_ref().and_then(|stage| stage.next.as_deref()).map(ident);
    let name = ident(&function.name);
    let (own, call) = (ident(&object.name), ident(&function.c));
    let receiver = Receiver::object(&object.tag);
    let Arguments { decls, values, before, why, .. } = function::arguments(function, &receiver.raw);
    let safety = function::justify(&receiver.why, &why);
    let args = types::args(object, &quote! { #next });
    let docs = layout::docs(&prose::of_function(function), 8);
    let unsafety = function.promise.as_ref().map(|_| quote! { unsafe });
    let (ret, body) = match function.errno.is_some() {
        true => (
            quote! { Result<#own #args> },
            quote! {
                #safety
                to_result(unsafe { bindings::#call(#(#values),*) })?;
                Ok(self.into_stage())
            },
        ),
        false => (
            quote! { #own #args },
            quote! {
                #safety
                unsafe { bindings::#call(#(#values),*) };
                self.into_stage()
            },
        ),
    };
    quote! {
        #docs
        #[inline]
        pub #unsafety fn #name(self, #(#decls),*) -> #ret {
            #(#before)*
            #body
        }
    }
}

/// The same object in another stage.
pub(super) fn into_stage(object: &Object) -> Option<TokenStream> {
    if object.stages.is_empty() {
        return None;
    }
    let name = ident(&object.name);
    let args = types::args(object, &quote! { N });
    Some(quote! {
        #[inline]
        fn into_stage<N>(self) -> #name #args {
            let this = ManuallyDrop::new(self);
            #name { ptr: this.ptr, _marker: PhantomData }
        }
    })
}
