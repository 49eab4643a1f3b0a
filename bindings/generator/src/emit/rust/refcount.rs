// SPDX-License-Identifier: GPL-2.0

//! Reference counts: `AlwaysRefCounted`, for `ARef`.

use super::layout;
use super::types::ident;
use crate::check::reason::Reason;
use crate::model::Api;
use crate::model::Object;
use crate::model::Role;
use crate::model::Shape;
use proc_macro2::TokenStream;
use quote::quote;

/// `AlwaysRefCounted` for an object with get and put.
pub(super) fn of_object(api: &Api, object: &Object) -> Option<TokenStream> {
    if object.shape != Shape::Counted {
        return None;
    }
    let get = ident(&api.one_in_role(&object.tag, |role| *role == Role::Get)?.c);
    let put = ident(&api.one_in_role(&object.tag, |role| *role == Role::Put)?.c);
    let name = ident(&object.name);
    let always = layout::safety(&[Reason::Counting(object.tag.clone())]);
    let inc = layout::safety(&[Reason::Count]);
    let dec = layout::safety(&[Reason::GivenUp]);
    Some(quote! {
        #always
        unsafe impl AlwaysRefCounted for #name {
            #[inline]
            fn inc_ref(&self) {
                #inc
                unsafe { bindings::#get(self.as_raw()) };
            }

            #[inline]
            unsafe fn dec_ref(obj: NonNull<Self>) {
                #dec
                unsafe { bindings::#put(obj.cast().as_ptr()) };
            }
        }
    })
}
