// SPDX-License-Identifier: GPL-2.0

//! Tagged integers: a newtype with a method for each function that extracts a part.

use super::flags;
use super::function;
use super::layout;
use super::types::ident;
use crate::emit::prose;
use crate::plan::TaggedInt;
use proc_macro2::TokenStream;
use quote::quote;

/// The type of a tagged integer.
pub(super) fn item(found: &TaggedInt) -> TokenStream {
    let tagged = &found.tagged;
    let name = ident(&tagged.name);
    let int = ident(tagged.int);
    let docs = layout::docs(
        &prose::of_type(
            tagged.doc.as_ref(),
            &format!("An integer described by `{}`.", tagged.tag),
        ),
        4,
    );
    let constants = match tagged.of_enum {
        true => {
            let cast = tagged.widened.then_some(tagged.int);
            flags::bits(&tagged.tag, cast, &tagged.bits, tagged.doc.as_ref())
        }
        false => quote! {},
    };
    let tests = (!tagged.bits.is_empty()).then(|| {
        quote! {
            /// Whether all flags of `other` are set in `self`.
            #[inline]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }
        }
    });
    let receiver = function::Receiver::value(quote! { self.0 });
    let parts = found
        .parts
        .iter()
        .map(|part| function::method(part, &receiver));
    quote! {
        #docs
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct #name(pub(crate) #int);
        impl #name {
            #constants
            #tests
            /// The integer.
            #[inline]
            pub const fn into_raw(self) -> #int {
                self.0
            }
            #(#parts)*
        }
    }
}
