// SPDX-License-Identifier: GPL-2.0

//! Iterators: functions that step through the items of a section.

use super::layout;
use super::types::ident;
use crate::check::reason;
use crate::emit::prose;
use crate::model::Section;
use crate::plan::Iterator;
use proc_macro2::TokenStream;
use quote::quote;

/// The method of a view that creates one.
pub(super) fn method(iterator: &Iterator) -> TokenStream {
    let ty = ident(&iterator.name);
    let name = ident(&crate::emit::snake(&iterator.name));
    let raw = ident(&iterator.item.tag);
    let starts = iterator.start.iter().map(|(item, state)| {
        let (item, state) = (super::types::path(item), super::types::path(state));
        quote! { item.#item = self.state.#state; }
    });
    let docs = layout::docs(&prose::of_function(&iterator.function), 8);
    let mutable = (!iterator.start.is_empty()).then(|| quote! { mut });
    quote! {
        #docs
        #[inline]
        pub fn #name(&self) -> #ty<'s> {
            let #mutable item: bindings::#raw = pin_init::zeroed();
            #(#starts)*
            #ty { state: self.state, item, _brand: PhantomData }
        }
    }
}

/// The type of one.
pub(super) fn item(section: &Section, iterator: &Iterator) -> TokenStream {
    let state = ident(&section.tag);
    let name = ident(&iterator.name);
    let item = ident(&iterator.item.name);
    let raw = ident(&iterator.item.tag);
    let call = ident(&iterator.function.c);
    let (shown, made) = match iterator.item.confined {
        true => (
            quote! { #item<'s> },
            quote! { #item(self.item, PhantomData) },
        ),
        false => (quote! { #item }, quote! { #item(self.item) }),
    };
    let safety = layout::safety(&[reason::Section::Step.into()]);
    let docs = layout::docs(
        &format!("Steps through the items of a [`{}`].", section.name),
        4,
    );
    let brand = super::types::brand();
    let more = match iterator.bool {
        true => quote! { more },
        false => quote! { (more != 0) },
    };
    quote! {
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
    }
}
