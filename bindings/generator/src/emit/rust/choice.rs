// SPDX-License-Identifier: GPL-2.0

//! Choices: an enum if values come from Rust only, a newtype with constants if they may come from C.

use super::layout;
use super::types::ident;
use crate::emit::prose;
use crate::model::Choice;
use crate::model::Variant;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// The type of a choice.
pub(super) fn item(choice: &Choice) -> TokenStream {
    let name = ident(&choice.name);
    let docs = layout::docs(
        &prose::of_type(
            choice.doc.as_ref(),
            &format!("A value of `bindings::{}`.", choice.tag),
        ),
        4,
    );
    let tag = ident(&choice.tag);
    let value = |c: &str| format_ident!("{}_{}", choice.tag, c);
    let doc_of = |c: &str| {
        let text = choice.doc.as_ref().and_then(|doc| doc.members.get(c));
        let fallback = format!("`{c}`.");
        let text = prose::of_member(text, &fallback);
        layout::docs(&text, 8)
    };
    let shown = choice.variants.iter().filter(|variant| !variant.hidden);
    if choice.open {
        let constants = shown.map(|variant| {
            let (shout, raw, docs) = (ident(&variant.shout), value(&variant.c), doc_of(&variant.c));
            quote! { #docs pub const #shout: Self = Self(bindings::#raw); }
        });
        return quote! {
            #docs
            #[repr(transparent)]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct #name(pub(crate) bindings::#tag);
            impl #name { #(#constants)* }
        };
    }
    let int = ident(choice.int);
    // A second name of a value, as for the last one, is a constant.
    let first = |variant: &Variant| {
        let mut shown = choice.variants.iter().filter(|variant| !variant.hidden);
        shown
            .find(|other| other.value == variant.value)
            .map(|other| other.c.clone())
    };
    let (firsts, seconds): (Vec<&Variant>, Vec<&Variant>) =
        shown.partition(|variant| first(variant).is_none_or(|c| c == variant.c));
    let aliases = seconds.iter().filter_map(|variant| {
        let c = first(variant)?;
        let same = firsts.iter().find(|other| other.c == c)?;
        let (shout, same, docs) = (ident(&variant.shout), ident(&same.name), doc_of(&variant.c));
        Some(quote! { #docs pub const #shout: Self = Self::#same; })
    });
    let aliases: Vec<TokenStream> = aliases.collect();
    let aliases = (!aliases.is_empty()).then(|| quote! { impl #name { #(#aliases)* } });
    let variants = firsts.iter().map(|variant| {
        let (name, raw, docs) = (ident(&variant.name), value(&variant.c), doc_of(&variant.c));
        quote! { #docs #name = bindings::#raw }
    });
    quote! {
        #docs
        #[repr(#int)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum #name { #(#variants,)* }
        #aliases
    }
}
