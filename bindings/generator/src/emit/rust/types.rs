// SPDX-License-Identifier: GPL-2.0

//! How a typed thing is written in Rust, given to C and taken from C.

use crate::check::types;
use crate::check::types::Ty;
use crate::model::Api;
use crate::model::Object;
use crate::model::Param;
use crate::model::ParamKind;
use crate::model::Role;
use crate::model::Shape;
use crate::read::CType;
use proc_macro2::Ident;
use proc_macro2::Span;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// An identifier; raw when the name is a keyword.
pub(super) fn ident(name: &str) -> Ident {
    match syn::parse_str::<Ident>(name) {
        Ok(ident) => ident,
        Err(_) if ["self", "Self", "super", "crate"].contains(&name) => format_ident!("{name}_"),
        Err(_) => match syn::parse_str::<Ident>(&format!("r#{name}")) {
            Ok(ident) => ident,
            Err(_) => Ident::new("unnamed", Span::call_site()),
        },
    }
}

/// A parameter, by a name that nothing around it has: constructors have names of their own.
pub(super) fn param_name(role: &Role, name: &str) -> String {
    match (role, name) {
        (Role::Constructor, "slot" | "data" | "inner" | "ptr") => format!("{name}_"),
        _ => name.to_owned(),
    }
}

/// A field, as bindgen names it.
pub(super) fn field(name: &str) -> Ident {
    match syn::parse_str::<Ident>(name) {
        Ok(ident) => ident,
        Err(_) => format_ident!("{name}_"),
    }
}

/// A path such as `crate::mm::MmWithUser`.
pub(super) fn path(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|_| quote! { () })
}

/// The generic parameter of an object's type.
#[derive(Clone, Debug)]
pub(super) struct Generic {
    /// The trait that bounds it.
    bound: Option<String>,
}

/// The generic parameter of an object's type, when it has one: its own, or that of what it keeps.
pub(super) fn generic(api: &Api, object: &Object) -> Option<Generic> {
    if object.is_generic() {
        return Some(Generic { bound: object.operations.clone() });
    }
    let made = api.in_role(&object.tag, |role| *role == Role::Constructor);
    for param in made.flat_map(|function| &function.params) {
        if param.kind != ParamKind::Keeps {
            continue;
        }
        let Some(kept) = param.ty.pointee_record().and_then(|tag| api.object(tag)) else { continue };
        if kept.tag != object.tag && kept.is_generic() {
            return generic(api, kept);
        }
    }
    None
}

/// `<T: Bound>` and `<T>` for an object; both empty when it is not generic.
pub(super) fn generics(api: &Api, object: &Object) -> (TokenStream, TokenStream) {
    if object.lifetime || !object.stages.is_empty() {
        let args = args(object, &quote! { S });
        return (args.clone(), args);
    }
    match generic(api, object) {
        None => (quote! {}, quote! {}),
        Some(Generic { bound: None }) => (quote! { <T> }, quote! { <T> }),
        Some(Generic { bound: Some(bound) }) => {
            let bound = ident(&bound);
            (quote! { <T: #bound> }, quote! { <T> })
        }
    }
}

/// `<'a, Stage>`, for an object that has a lifetime, or stages, or both.
pub(super) fn args(object: &Object, stage: &TokenStream) -> TokenStream {
    match (object.lifetime, object.stages.is_empty()) {
        (true, true) => quote! { <'a> },
        (true, false) => quote! { <'a, #stage> },
        (false, true) => quote! {},
        (false, false) => quote! { <#stage> },
    }
}

/// What an object that is held by pointer has besides the pointer: the type of it, if it is anything.
pub(super) fn marker(object: &Object) -> Option<TokenStream> {
    let staged = !object.stages.is_empty();
    match (object.lifetime, staged) {
        (false, false) => None,
        (true, false) => Some(quote! { PhantomData<&'a ()> }),
        (true, true) => Some(quote! { PhantomData<(&'a (), S)> }),
        (false, true) => Some(quote! { PhantomData<S> }),
    }
}

/// The same with a lifetime before it.
pub(super) fn generics_with_lifetime(api: &Api, object: &Object) -> (TokenStream, TokenStream) {
    match generic(api, object) {
        None => (quote! { <'a> }, quote! { <'a> }),
        Some(Generic { bound: None }) => (quote! { <'a, T> }, quote! { <'a, T> }),
        Some(Generic { bound: Some(bound) }) => {
            let bound = ident(&bound);
            (quote! { <'a, T: #bound> }, quote! { <'a, T> })
        }
    }
}

/// An object that a constructor keeps.
pub(super) struct Kept {
    /// Its name.
    pub(super) name: String,
    /// The type of what is kept.
    pub(super) ty: TokenStream,
    /// The type of the parameter, when a reference of its own is taken of what is given.
    pub(super) given: Option<TokenStream>,
}

/// What is kept of a parameter that is an object.
pub(super) fn kept(api: &Api, param: &Param) -> Option<Kept> {
    let other = param.ty.pointee_record().and_then(|tag| api.object(tag))?;
    let inner = object(api, other);
    let (ty, given) = match (other.shape, &other.kept) {
        (Shape::Pinned, _) => (quote! { Arc<#inner> }, None),
        (_, Some(kept)) => {
            let kept = path(kept);
            (quote! { ARef<#kept> }, Some(quote! { &#inner }))
        }
        _ => (quote! { ARef<#inner> }, None),
    };
    Some(Kept { name: param_name(&Role::Constructor, &param.name), ty, given })
}

/// All that the constructors of an object keep, which is the same for each.
pub(super) fn all_kept(api: &Api, object: &Object) -> Vec<Kept> {
    let made = api.one_in_role(&object.tag, |role| *role == Role::Constructor);
    let params = made.map(|made| made.params.as_slice()).unwrap_or_default();
    params
        .iter()
        .filter(|param| param.kind == ParamKind::Keeps)
        .filter_map(|param| kept(api, param))
        .collect()
}

/// `&T` as `&'a T`, also inside an `Option`.
pub(super) fn lifetime(ty: TokenStream, name: &str) -> TokenStream {
    struct Name<'n>(&'n str);
    impl syn::visit_mut::VisitMut for Name<'_> {
        fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
            reference.lifetime = Some(syn::Lifetime::new(self.0, proc_macro2::Span::call_site()));
        }
    }
    match syn::parse2::<syn::Type>(ty.clone()) {
        Ok(mut parsed) => {
            syn::visit_mut::VisitMut::visit_type_mut(&mut Name(name), &mut parsed);
            quote! { #parsed }
        }
        Err(_) => ty,
    }
}

/// The type of an object.
pub(super) fn object(api: &Api, object: &Object) -> TokenStream {
    if let Some(foreign) = &object.foreign {
        return path(foreign);
    }
    let name = ident(&object.name);
    let (_, args) = generics(api, object);
    quote! { #name #args }
}

/// The type that makes a lifetime one of its own: neither longer nor shorter will do.
pub(super) fn brand() -> TokenStream {
    quote! { PhantomData<fn(&'s ()) -> &'s ()> }
}

/// The type that a parameter has on the typed side.
pub(super) fn param(api: &Api, ty: &Ty, nullable: bool) -> TokenStream {
    let plain = match ty {
        Ty::Unit => quote! { () },
        Ty::Bool => quote! { bool },
        Ty::Int(name) => path(name),
        Ty::Object(tag) => {
            let object = api.object(tag).map(|found| object(api, found));
            quote! { &#object }
        }
        Ty::Record(tag) => name(api.record(tag).map(|record| &record.name)),
        Ty::RecordRef(tag) => {
            let name = name(api.record(tag).map(|record| &record.name));
            quote! { &#name }
        }
        Ty::Choice(tag) => name(api.choice(tag).map(|choice| &choice.name)),
        Ty::Flags(tag) => name(api.flag_word(tag).map(|flags| &flags.name)),
        Ty::Tagged(tag) => name(api.tagged_word(tag).map(|tagged| &tagged.name)),
        Ty::Identity { nonnull: false } => quote! { *const c_void },
        Ty::Identity { nonnull: true } => quote! { NonNull<c_void> },
        Ty::Slice { elem, mutable } => {
            let elem = path(elem);
            match mutable {
                true => quote! { &mut [#elem] },
                false => quote! { &[#elem] },
            }
        }
        Ty::Text => quote! { &CStr },
        Ty::Gfp => quote! { crate::alloc::Flags },
        Ty::Table(_) | Ty::Callback | Ty::LengthOf(_) | Ty::Section(_) => quote! {},
    };
    match nullable && matches!(ty, Ty::Object(_) | Ty::RecordRef(_) | Ty::Text) {
        true => quote! { Option<#plain> },
        false => plain,
    }
}

/// The type that stands for an object already.
pub(super) fn foreign(api: &Api, ty: &Ty) -> TokenStream {
    let Ty::Object(tag) = ty else { return quote! {} };
    path(api.object(tag).and_then(|object| object.foreign.as_deref()).unwrap_or_default())
}

fn name(name: Option<&String>) -> TokenStream {
    let name = name.map(|name| ident(name));
    quote! { #name }
}

/// What is given to C for the parameter `name`.
pub(super) fn into_c(api: &Api, ty: &Ty, name: &TokenStream, param: &Param) -> TokenStream {
    let to = match param.ty.plain() {
        // C has it as a pointer to something, which nobody follows.
        CType::Pointer { to, .. } if *to.plain() != CType::Void => Some(quote! { .cast() }),
        _ => None,
    };
    match ty {
        Ty::Identity { nonnull: false } => quote! { #name.cast_mut() #to },
        Ty::Identity { nonnull: true } => quote! { #name.as_ptr() #to },
        _ if param.nullable => match ty {
            Ty::Object(_) => quote! { #name.map_or(core::ptr::null_mut(), |object| object.as_raw()) },
            Ty::RecordRef(_) => quote! { #name.map_or(core::ptr::null(), |record| &raw const record.0) },
            Ty::Text => quote! { #name.map_or(core::ptr::null(), |text| text.as_char_ptr()) },
            _ => value(api, ty, name),
        },
        _ => value(api, ty, name),
    }
}

/// What is given to C for a value that is there.
pub(super) fn value(api: &Api, ty: &Ty, name: &TokenStream) -> TokenStream {
    match ty {
        Ty::Object(_) => quote! { #name.as_raw() },
        Ty::Record(_) | Ty::Tagged(_) | Ty::Flags(_) => quote! { #name.0 },
        Ty::RecordRef(_) => quote! { &#name.0 },
        Ty::Choice(tag) => match api.choice(tag).is_some_and(|choice| choice.open) {
            true => quote! { #name.0 },
            false => {
                let raw = ident(tag);
                quote! { #name as bindings::#raw }
            }
        },
        Ty::Identity { nonnull: false } => quote! { #name.cast_mut() },
        Ty::Identity { nonnull: true } => quote! { #name.as_ptr() },
        Ty::Slice { mutable: true, .. } => quote! { #name.as_mut_ptr() },
        Ty::Slice { mutable: false, .. } => quote! { #name.as_ptr() },
        Ty::Text => quote! { #name.as_char_ptr() },
        Ty::Gfp => quote! { #name.as_raw() },
        _ => name.clone(),
    }
}

/// What C's `value` is on the typed side; `None` when it cannot be taken.
pub(super) fn from_c(api: &Api, ty: &Ty, value: TokenStream) -> Option<TokenStream> {
    Some(match ty {
        Ty::Bool | Ty::Int(_) | Ty::Unit => value,
        Ty::Record(tag) => {
            let record = api.record(tag)?;
            let name = ident(&record.name);
            match record.confined {
                true => quote! { #name(#value, PhantomData) },
                false => quote! { #name(#value) },
            }
        }
        Ty::Flags(tag) => {
            let name = ident(&api.flag_word(tag)?.name);
            quote! { #name(#value) }
        }
        Ty::Tagged(tag) => {
            let name = ident(&api.tagged_word(tag)?.name);
            quote! { #name(#value) }
        }
        Ty::Choice(tag) => {
            let choice = api.choice(tag)?;
            let name = ident(&choice.name);
            match choice.open {
                true => quote! { #name(#value) },
                false => return None,
            }
        }
        _ => return None,
    })
}

/// The typed thing that a parameter is; `None` only for what the check phase has left out.
pub(super) fn of_param(api: &Api, param: &crate::model::Param) -> Option<Ty> {
    types::of_param(api, param).ok()
}
