// SPDX-License-Identifier: GPL-2.0

//! Iterators: functions that step through the items of a section.

use super::layout;
use super::types::ident;
use crate::check::reason::Reason;
use crate::emit::prose;
use crate::model::Api;
use crate::model::Function;
use crate::model::Plain;
use crate::model::Role;
use crate::model::Section;
use proc_macro2::TokenStream;
use quote::quote;

/// The iterators of a section, each with its item.
fn all<'a>(api: &'a Api, section: &'a Section) -> Vec<(&'a Function, &'a Plain)> {
    let steps = api.in_role(&section.tag, move |role| section.shows(role));
    let items = steps.filter_map(|function| {
        let record = function.params.iter().enumerate().find_map(|(index, param)| {
            let other = function.this != Some(index);
            param.ty.pointee_record().filter(|_| other).and_then(|tag| api.record(tag))
        });
        Some((function, record?))
    });
    items.collect()
}

/// The methods that create them.
pub(super) fn methods(api: &Api, section: &Section) -> Vec<TokenStream> {
    let methods = all(api, section).into_iter().filter_map(|(function, record)| {
        let Role::Iterator(iteration) = &function.role else { return None };
        let ty = ident(&iteration.name);
        let name = ident(&crate::emit::snake(&iteration.name));
        let raw = ident(&record.tag);
        let starts = iteration.start.iter().map(|(item, state)| {
            let (item, state) = (super::types::path(item), super::types::path(state));
            quote! { item.#item = self.state.#state; }
        });
        let docs = layout::docs(&prose::of_function(function), 8);
        let mutable = (!iteration.start.is_empty()).then(|| quote! { mut });
        Some(quote! {
            #docs
            #[inline]
            pub fn #name(&self) -> #ty<'s> {
                let #mutable item: bindings::#raw = pin_init::zeroed();
                #(#starts)*
                #ty { state: self.state, item, _brand: PhantomData }
            }
        })
    });
    methods.collect()
}

/// The types of the iterators, written with the first section that has them.
pub(super) fn items(api: &Api, section: &Section) -> Vec<TokenStream> {
    let state = ident(&section.tag);
    let items = all(api, section).into_iter().filter_map(|(function, record)| {
        let Role::Iterator(iteration) = &function.role else { return None };
        let shown = |other: &&Section| other.tag == section.tag && other.shows(&function.role);
        if api.sections.iter().find(shown).is_some_and(|first| first.name != section.name) {
            return None;
        }
        let name = ident(&iteration.name);
        let item = ident(&record.name);
        let raw = ident(&record.tag);
        let call = ident(&function.c);
        let (shown, made) = match record.confined {
            true => (quote! { #item<'s> }, quote! { #item(self.item, PhantomData) }),
            false => (quote! { #item }, quote! { #item(self.item) }),
        };
        let safety = layout::safety(&[Reason::Step]);
        let docs = layout::docs(&format!("Steps through the items of a [`{}`].", section.name), 4);
        let is_bool = matches!(function.ret.plain(), crate::read::CType::Bool);
        let brand = super::types::brand();
        let more = if is_bool {
            quote! { more }
        } else {
            quote! { (more != 0) }
        };
        Some(quote! {
            #docs
            pub struct #name<'s> {
                state: &'s bindings::#state,
                item: bindings::#raw,
                _brand: #brand,
            }

            impl<'s> Iterator for #name<'s> {
                type Item = #shown;

                #[inline]
                fn next(&mut self) -> Option<Self::Item> {
                    #safety
                    let more = unsafe { bindings::#call(self.state, &mut self.item) };
                    #more.then_some(#made)
                }
            }
        })
    });
    items.collect()
}
