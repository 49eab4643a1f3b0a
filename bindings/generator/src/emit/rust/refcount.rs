// SPDX-License-Identifier: GPL-2.0

//! Reference counts: `AlwaysRefCounted`, for `ARef`.

use super::function;
use super::layout;
use super::types::ident;
use crate::check::reason;
use crate::model::Object;
use crate::plan::Counted;
use proc_macro2::TokenStream;
use quote::quote;

/// `AlwaysRefCounted` for an object with get and put.
pub(super) fn item(object: &Object, counted: &Counted) -> TokenStream {
    let (get, put) = (ident(&counted.get.c), ident(&counted.put.c));
    let (got, gone) = (
        function::ignored(&counted.get.ret),
        function::ignored(&counted.put.ret),
    );
    let name = ident(&object.name);
    let always = layout::safety(&[reason::Life::Counting(object.tag.clone()).into()]);
    let inc = layout::safety(&[reason::Life::Count.into()]);
    let dec = layout::safety(&[reason::Life::GivenUp.into()]);
    quote! {
        #always
        unsafe impl AlwaysRefCounted for #name {
            #[inline]
            fn inc_ref(&self) {
                #inc
                #got unsafe { bindings::#get(self.as_raw()) };
            }

            #[inline]
            unsafe fn dec_ref(obj: NonNull<Self>) {
                #dec
                #gone unsafe { bindings::#put(obj.cast().as_ptr()) };
            }
        }
    }
}
