// SPDX-License-Identifier: GPL-2.0

//! Records: a transparent copy of the C structure with an accessor for each member.

use super::function;
use super::layout;
use super::types;
use super::types::ident;
use crate::check::reason;
use crate::emit::prose;
use crate::model::Member;
use crate::model::Plain;
use crate::plan::Passed;
use crate::plan::Record;
use crate::read::CType;
use proc_macro2::TokenStream;
use quote::quote;

/// The type of a record.
pub(super) fn item(found: &Record) -> TokenStream {
    let record = &found.record;
    let name = ident(&record.name);
    let raw = ident(&record.tag);
    let fallback = format!("The kernel's `{}`.", record.tag);
    let mut text = prose::of_type(record.doc.as_ref(), &fallback);
    if record.confined {
        text.push_str("\n\nIt is valid inside its section, and cannot leave it.");
    }
    let docs = layout::docs(&prose::with_example(text, &found.example), 4);
    let named = record
        .members
        .iter()
        .any(|member| member.confined.is_some());
    let brand = types::brand();
    let (params, extra, elided) = match (record.confined, named) {
        (true, true) => (quote! { <'s> }, quote! { , #brand }, quote! { <'s> }),
        (true, false) => (quote! { <'s> }, quote! { , #brand }, quote! { <'_> }),
        (false, _) => (quote! {}, quote! {}, quote! {}),
    };
    let params_of = named.then_some(&params);
    let numbers = record
        .members
        .iter()
        .filter_map(|member| number(record, member));
    let make = make(record);
    let accessors = record.members.iter().map(|member| accessor(record, member));
    let methods = found.methods.iter().map(|(method, passed)| {
        let receiver = match passed {
            Passed::Shown => function::Receiver::shown(&record.tag),
            Passed::Value => function::Receiver::value(quote! { self.0 }),
            Passed::Copy => function::Receiver::value(quote! { &raw const self.0 }),
        };
        function::method(method, &receiver)
    });
    let copied = (!record.by_reference()).then(|| quote! { #[derive(Clone, Copy)] });
    quote! {
        #(#numbers)*
        #docs
        #[repr(transparent)]
        #copied
        pub struct #name #params(pub(crate) bindings::#raw #extra);
        impl #params_of #name #elided {
            #make
            #(#accessors)*
            #(#methods)*
        }
    }
}

/// The type of a number that is meaningful only inside a section.
fn number(record: &Plain, member: &Member) -> Option<TokenStream> {
    let name = ident(member.confined.as_deref()?);
    let CType::Int(int) = member.ty.plain() else {
        return None;
    };
    let int = types::path(int);
    let brand = types::brand();
    let docs = layout::docs(
        &format!(
            "The `{}` of a [`{}`]: a number that means something inside the section that it comes from, and \
             cannot leave it.",
            member.name, record.name
        ),
        4,
    );
    let raw = layout::docs(
        "The number.\n\n# Safety\n\nThe number is meaningless once the section has ended. The caller \
         must not use it after that, unless something else keeps it valid.",
        8,
    );
    Some(quote! {
        #docs
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct #name<'s>(pub(crate) #int, #brand);

        impl #name<'_> {
            #raw
            #[inline]
            pub unsafe fn into_raw(self) -> #int {
                self.0
            }
        }
    })
}

fn make(record: &Plain) -> Option<TokenStream> {
    if !record.is_made_in_rust() {
        return None;
    }
    let raw = ident(&record.tag);
    let mut params = Vec::new();
    let mut values = Vec::new();
    for member in &record.members {
        let (name, field) = (ident(&member.name), types::field(&member.name));
        let rust = types::rust(&member.typed);
        params.push(quote! { #name: #rust });
        let value = types::into_c(&member.typed, &quote! { #name }, false);
        match field == value.to_string() {
            true => values.push(quote! { #field }),
            false => values.push(quote! { #field: #value }),
        }
    }
    let docs = layout::docs("Makes one of its members.", 8);
    Some(quote! {
        #docs
        #[inline]
        pub const fn new(#(#params),*) -> Self {
            Self(bindings::#raw { #(#values),* })
        }
    })
}

fn accessor(record: &Plain, member: &Member) -> TokenStream {
    if let Some(length) = &member.counted {
        return slice(record, member, length);
    }
    let (name, field) = (ident(&member.name), types::field(&member.name));
    let (rust, value) = match member.confined.as_deref().map(ident) {
        Some(number) => (
            quote! { #number<'s> },
            quote! { #number(self.0.#field, PhantomData) },
        ),
        None => (
            types::rust(&member.typed),
            types::from_c(&member.typed, quote! { self.0.#field }),
        ),
    };
    let fallback = format!("The member `{}`.", member.name);
    let text = record
        .doc
        .as_ref()
        .and_then(|doc| doc.members.get(&member.name));
    let docs = layout::docs(&prose::of_member(text, &fallback), 8);
    quote! {
        #docs
        #[inline]
        pub fn #name(&self) -> #rust {
            #value
        }
    }
}

/// A member that is an array; another member has the number of its elements.
fn slice(record: &Plain, member: &Member, length: &str) -> TokenStream {
    let pointer = match member.ty.plain() {
        CType::Pointer { constant, .. } => Some(*constant),
        _ => None,
    };
    let rust = types::rust(&member.typed);
    let (name, field, length) = (
        ident(&member.name),
        types::field(&member.name),
        types::field(length),
    );
    let fallback = format!("The member `{}`, with `{length}` elements.", member.name);
    let text = record
        .doc
        .as_ref()
        .and_then(|doc| doc.members.get(&member.name));
    let docs = layout::docs(&prose::of_member(text, &fallback), 8);
    let safety = layout::safety(&[reason::Value::Elements {
        tag: record.tag.clone(),
        length: length.to_string(),
        name: name.to_string(),
        sliced: member.sliced,
        pointer: pointer.is_some(),
    }
    .into()]);
    let before = match pointer {
        None => {
            quote! { let first = core::ptr::with_exposed_provenance(self.0.#field.as_ptr().addr()); }
        }
        Some(constant) => {
            let constant = (!constant).then(|| quote! { .cast_const() });
            quote! {
                let first = self.0.#field #constant.cast::<#rust>();
                if first.is_null() {
                    return &[];
                }
            }
        }
    };
    let elements = types::count(member.signed, &quote! { self.0.#length });
    quote! {
        #docs
        #[inline]
        pub fn #name(&self) -> &[#rust] {
            #before
            #safety
            unsafe { core::slice::from_raw_parts(first, #elements) }
        }
    }
}
