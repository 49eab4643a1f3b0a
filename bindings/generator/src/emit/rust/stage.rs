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
use crate::model::Function;
use crate::model::Object;
use crate::plan::Marker;
use crate::plan::Stage;
use crate::plan::Step;
use crate::plan::Wrapper;
use proc_macro2::TokenStream;
use quote::quote;

/// A type for each stage, without values.
pub(super) fn markers(wrapper: &Wrapper) -> Vec<TokenStream> {
    let marker = |marker: &Marker| {
        let name = ident(&marker.stage);
        let text = format!(
            "The stage of a [`{0}`] after [`{0}::{1}`].",
            wrapper.object.name, marker.by
        );
        let docs = layout::docs(&text, 4);
        quote! { #docs pub enum #name {} }
    };
    wrapper
        .stages
        .iter()
        .filter_map(|stage| stage.name.as_ref())
        .map(marker)
        .collect()
}

/// The functions of each stage, in one `impl` per stage; constructors are in the stage of the object that they make.
pub(super) fn steps(wrapper: &Wrapper) -> Vec<TokenStream> {
    let object = &wrapper.object;
    let name = ident(&object.name);
    let of_stage = |stage: &Stage| {
        let body = stage.steps.iter().map(|(function, step)| match step {
            Step::Makes { generics } => constructor(
                object,
                function,
                &types::path(generics),
                stage.name.as_ref(),
            ),
            Step::Leads(next) => self::step(object, function, next),
            Step::Stays => function::method(function, &Receiver::object(&object.tag)),
        });
        let bound = object.lifetime.then(|| quote! { <'a> });
        let marker = stage.name.as_ref().map(|marker| ident(&marker.stage));
        let args = types::args(object, &quote! { #marker });
        super::inherent(quote! { #bound #name #args }, &body.collect::<Vec<_>>())
    };
    wrapper.stages.iter().filter_map(of_stage).collect()
}

/// A constructor that returns the object, with references that live as long as the object.
fn constructor(
    object: &Object,
    function: &Function,
    generics: &TokenStream,
    stage: Option<&Marker>,
) -> TokenStream {
    let name = ident(&function.name);
    let call = ident(&function.c);
    let Arguments {
        decls,
        values,
        before,
        why,
        ..
    } = function::arguments(function, &quote! {});
    let safety = function::justify(&[], &why);
    let call = quote! { unsafe { bindings::#call(#(#values),*) } };
    let (ret, body) = function::result(function, &safety, &call);
    let unsafety = function.promise.as_ref().map(|_| quote! { unsafe });
    let text = match function.scoped {
        true => prose::of_scoped(function, &prose::runs_with(object, function)),
        false => prose::of_function(function),
    };
    let docs = layout::docs(&text, 8);
    let run = function.scoped.then(|| {
        let (own, stage) = (
            ident(&object.name),
            stage.map(|marker| ident(&marker.stage)),
        );
        let args = types::args_for(object, "'_", &quote! { #stage });
        quote! { body: impl FnOnce(#own #args) -> R }
    });
    let must_use = (function.scoped && function.nullable)
        .then(|| quote! { #[must_use = "the closure may not have run"] });
    let params = decls.into_iter().chain(run);
    quote! {
        #docs
        #must_use
        #[inline]
        pub #unsafety fn #name #generics(#(#params),*) #ret {
            #(#before)*
            #body
        }
    }
}

/// A function that leads to the next stage: it takes the object and returns it in that stage.
fn step(object: &Object, function: &Function, next: &str) -> TokenStream {
    let next = ident(next);
    let name = ident(&function.name);
    let (own, call) = (ident(&object.name), ident(&function.c));
    let receiver = Receiver::object(&object.tag);
    let Arguments {
        decls,
        values,
        before,
        why,
        ..
    } = function::arguments(function, &receiver.raw);
    let safety = function::justify(&receiver.why, &why);
    let args = types::args(object, &quote! { #next });
    let docs = layout::docs(&prose::of_function(function), 8);
    let unsafety = function.promise.as_ref().map(|_| quote! { unsafe });
    let ignored = function::ignored(&function.ret);
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
                #ignored unsafe { bindings::#call(#(#values),*) };
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
    let (this, ptr) = match object.scoped {
        true => (None, quote! { self.ptr }),
        // It has a drop.
        false => (
            Some(quote! { let this = ManuallyDrop::new(self); }),
            quote! { this.ptr },
        ),
    };
    Some(quote! {
        #[inline]
        fn into_stage<N>(self) -> #name #args {
            #this
            #name { ptr: #ptr, _marker: PhantomData }
        }
    })
}
