// SPDX-License-Identifier: GPL-2.0

//! Records: a transparent copy of the C structure with an accessor for each member.

use super::function;
use super::layout;
use super::types;
use super::types::ident;
use crate::check::types as typed;
use crate::check::types::Ty;
use crate::emit::prose;
use crate::model::Api;
use crate::model::Member;
use crate::model::Plain;
use crate::model::Role;
use proc_macro2::TokenStream;
use quote::quote;

/// The type of a record.
pub(super) fn item(api: &Api, record: &Plain) -> TokenStream {
    let name = ident(&record.name);
    let raw = ident(&record.tag);
    let fallback = format!("A `struct {}`.", record.tag);
    let mut text = prose::of_type(record.doc.as_ref(), &fallback);
    if record.confined {
        text.push_str("\n\nIt is good inside the section that it comes from, and cannot leave it.");
    }
    let docs = layout::docs(&text, 4);
    let (params, extra, elided) = match record.confined {
        true => (quote! { <'s> }, quote! { , PhantomData<&'s ()> }, quote! { <'_> }),
        false => (quote! {}, quote! {}, quote! {}),
    };
    let make = make(api, record);
    let accessors = record.members.iter().filter_map(|member| accessor(api, record, member));
    let methods = api.in_role(&record.tag, |role| *role == Role::Method).map(|method| {
        let by_value = method.params.first().is_some_and(|p| p.ty.pointee_record().is_none());
        let raw = if by_value {
            quote! { self.0 }
        } else {
            quote! { &raw const self.0 }
        };
        function::method(api, method, &function::Receiver::value(raw))
    });
    quote! {
        #docs
        #[repr(transparent)]
        #[derive(Clone, Copy)]
        pub struct #name #params(pub(crate) bindings::#raw #extra);
        impl #name #elided {
            #make
            #(#accessors)*
            #(#methods)*
        }
    }
}

fn make(api: &Api, record: &Plain) -> Option<TokenStream> {
    if record.confined || record.partial {
        return None;
    }
    let raw = ident(&record.tag);
    let mut params = Vec::new();
    let mut values = Vec::new();
    for member in &record.members {
        let ty = of_member(api, member)?;
        if matches!(ty, Ty::Object(_) | Ty::Table(_) | Ty::Text | Ty::Unit) {
            return None;
        }
        let name = ident(&member.name);
        let rust = types::param(api, &ty, false);
        params.push(quote! { #name: #rust });
        let value = types::into_c(api, &ty, &quote! { #name }, false);
        match value.to_string() == member.name {
            true => values.push(quote! { #name }),
            false => values.push(quote! { #name: #value }),
        }
    }
    let docs = layout::docs(&format!("Makes a `struct {}`.", record.tag), 8);
    Some(quote! {
        #docs
        #[inline]
        pub const fn new(#(#params),*) -> Self {
            Self(bindings::#raw { #(#values),* })
        }
    })
}

fn of_member(api: &Api, member: &Member) -> Option<Ty> {
    typed::of(api, &member.ty, member.word.as_deref()).ok()
}

fn accessor(api: &Api, record: &Plain, member: &Member) -> Option<TokenStream> {
    let ty = of_member(api, member)?;
    let name = ident(&member.name);
    let value = types::from_c(api, &ty, quote! { self.0.#name })?;
    let rust = types::param(api, &ty, false);
    let fallback = format!("The member `{}`.", member.name);
    let text = record.doc.as_ref().and_then(|doc| doc.members.get(&member.name));
    let docs = layout::docs(&prose::of_member(text, &fallback), 8);
    Some(quote! {
        #docs
        #[inline]
        pub fn #name(&self) -> #rust {
            #value
        }
    })
}
