// SPDX-License-Identifier: GPL-2.0

//! Flag sets: a newtype with a constant for each bit.

use super::layout;
use super::types::ident;
use crate::emit::prose;
use crate::model::FlagSet;
use crate::model::Variant;
use crate::read::Doc;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// The type of a flag set.
pub(super) fn item(flags: &FlagSet) -> TokenStream {
    let name = ident(&flags.name);
    let int = ident(flags.int);
    let docs = layout::docs(
        &prose::of_type(
            flags.doc.as_ref(),
            &format!("A combination of the bits of `bindings::{}`.", flags.tag),
        ),
        4,
    );
    let cast = flags.widened.then_some(flags.int);
    let constants = bits(&flags.tag, cast, &flags.bits, flags.doc.as_ref());
    // C may have a constant for it.
    let named = flags.bits.iter().any(|bit| bit.shout == "NONE");
    let none = (!named).then(|| {
        quote! {
            /// No bit.
            pub const NONE: Self = Self(0);
        }
    });
    quote! {
        #docs
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct #name(pub(crate) #int);
        impl #name {
            #constants
            #none

            /// Whether all bits of `other` are set in `self`.
            #[inline]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// The integer.
            #[inline]
            pub const fn into_raw(self) -> #int {
                self.0
            }
        }
        impl core::ops::BitOr for #name {
            type Output = Self;

            #[inline]
            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }
        impl core::ops::BitAnd for #name {
            type Output = Self;

            #[inline]
            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }
    }
}

/// A constant for each bit; `cast` is the integer of the flag set if it differs from the enumeration's.
pub(super) fn bits(
    tag: &str,
    cast: Option<&str>,
    bits: &[Variant],
    doc: Option<&Doc>,
) -> TokenStream {
    let cast = cast.map(|int| {
        let int = ident(int);
        quote! { as #int }
    });
    let constants = bits.iter().map(|bit| {
        let shout = ident(&bit.shout);
        let raw = format_ident!("{}_{}", tag, bit.c);
        let text = doc.and_then(|doc| doc.members.get(&bit.c));
        let fallback = format!("`{}`.", bit.c);
        let text = prose::of_member(text, &fallback);
        let docs = layout::docs(&text, 8);
        quote! { #docs pub const #shout: Self = Self(bindings::#raw #cast); }
    });
    quote! { #(#constants)* }
}
