// SPDX-License-Identifier: GPL-2.0

//! Functions: the call, what goes in, what comes out, and why it is sound.

use super::layout;
use super::types;
use super::types::ident;
use crate::check::types as typed;
use crate::check::types::Ty;
use crate::emit::prose;
use crate::model::Api;
use crate::model::Function;
use crate::model::Returns;
use crate::model::Shape;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// Where a method finds what it is called on.
pub(super) struct Receiver {
    /// How it is taken.
    pub(super) decl: TokenStream,
    /// What C is given.
    pub(super) raw: TokenStream,
    /// Why that is valid.
    pub(super) why: String,
}

impl Receiver {
    /// An object.
    pub(super) fn object(tag: &str) -> Self {
        Receiver {
            decl: quote! { &self },
            raw: quote! { self.as_raw() },
            why: format!("by the type's invariants `self` is a valid `struct {tag}`"),
        }
    }

    /// A plain value.
    pub(super) fn value(raw: TokenStream) -> Self {
        Receiver {
            decl: quote! { self },
            raw,
            why: "the function reads the value that it is given and nothing else".into(),
        }
    }
}

/// The arguments of a call: declarations and values.
pub(super) struct Arguments {
    pub(super) decls: Vec<TokenStream>,
    pub(super) values: Vec<TokenStream>,
    /// Checks that come before the call.
    pub(super) before: Vec<TokenStream>,
    /// Why the pointers among them are valid.
    pub(super) why: Vec<String>,
    /// Whether references are among them.
    pub(super) borrows: bool,
}

/// Lowers the parameters; `this` stands for the one that is the object.
pub(super) fn arguments(api: &Api, function: &Function, this: &TokenStream) -> Arguments {
    let mut arguments = Arguments {
        decls: Vec::new(),
        values: Vec::new(),
        before: Vec::new(),
        why: Vec::new(),
        borrows: false,
    };
    for (index, param) in function.params.iter().enumerate() {
        if function.this == Some(index) {
            arguments.values.push(this.clone());
            continue;
        }
        let Some(ty) = types::of_param(api, param) else { continue };
        let name = ident(&param.name);
        match &ty {
            Ty::Table(_) => arguments.values.push(quote! { &Self::OPERATIONS }),
            Ty::Callback => {
                let method = api.table(&function.c).and_then(|table| table.callbacks.first());
                let thunk = method.map(|m| format_ident!("{}_callback", m.signature.name));
                arguments.values.push(quote! { Some(Self::#thunk) });
            }
            Ty::LengthOf(slice) => {
                let slice = ident(slice);
                if param.ty.plain() == &crate::read::CType::Int("usize") {
                    arguments.values.push(quote! { #slice.len() });
                } else {
                    arguments.before.push(quote! { let #name = #slice.len().try_into()?; });
                    arguments.values.push(quote! { #name });
                }
            }
            _ => {
                let rust = types::param(api, &ty, param.nullable);
                arguments.decls.push(quote! { #name: #rust });
                arguments.values.push(types::into_c(api, &ty, &quote! { #name }, param.nullable));
                if let Some(why) = valid(&ty, &param.name) {
                    arguments.why.push(why);
                    arguments.borrows = true;
                }
            }
        }
    }
    arguments
}

fn valid(ty: &Ty, name: &str) -> Option<String> {
    match ty {
        Ty::Object(_) | Ty::RecordRef(_) | Ty::Text => {
            Some(format!("`{name}` is a reference and so valid for the call"))
        }
        Ty::Slice { .. } => Some(format!("`{name}` is given with its own length")),
        _ => None,
    }
}

/// The sentence that justifies a call.
pub(super) fn justify(function: &Function, first: &str, why: &[String]) -> String {
    let mut clauses: Vec<String> = Vec::new();
    if !first.is_empty() {
        clauses.push(first.to_owned());
    }
    clauses.extend(why.iter().cloned());
    if let Some((guard, _)) = &function.requires {
        clauses.push(format!("`requires({guard})` holds because `self` is that guard"));
    }
    if clauses.is_empty() {
        clauses.push("the contract asks nothing of the caller".into());
    }
    let text = clauses.join("; ");
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => text,
    }
}

/// A method, or an associated function when nothing is taken as `self`.
pub(super) fn method(api: &Api, function: &Function, receiver: &Receiver) -> TokenStream {
    let name = ident(&function.name);
    let call = ident(&function.c);
    let Arguments { decls, values, before, why, .. } = arguments(api, function, &receiver.raw);
    let this = function.this.map(|_| &receiver.decl).into_iter();
    let params = this.cloned().chain(decls);
    let first = if function.this.is_some() { receiver.why.as_str() } else { "" };
    let safety = layout::safety(justify(function, first, &why));
    let call = quote! { unsafe { bindings::#call(#(#values),*) } };
    let (ret, body) = result(api, function, &safety, &call);
    let docs = layout::docs(&prose::of_function(function), 8);
    let must_use = (function.must_check && function.errno.is_none()).then(|| quote! { #[must_use] });
    quote! {
        #docs
        #must_use
        #[inline]
        pub fn #name(#(#params),*) #ret {
            #(#before)*
            #body
        }
    }
}

/// The type of the result and the body that produces it.
pub(super) fn result(
    api: &Api,
    function: &Function,
    safety: &TokenStream,
    call: &TokenStream,
) -> (TokenStream, TokenStream) {
    match function.returns {
        Returns::Errno => return errno(function, safety, call),
        Returns::Owned | Returns::Borrowed => return pointer(api, function, safety, call),
        Returns::Value => {}
    }
    let ty = typed::of(api, &function.ret, None).unwrap_or(Ty::Unit);
    match ty {
        Ty::Unit => (quote! {}, quote! { #safety #call }),
        _ => {
            let rust = types::param(api, &ty, false);
            match types::from_c(api, &ty, quote! { value }) {
                Some(value) if value.to_string() != "value" => {
                    (quote! { -> #rust }, quote! { #safety let value = #call; #value })
                }
                _ => (quote! { -> #rust }, quote! { #safety #call }),
            }
        }
    }
}

fn errno(function: &Function, safety: &TokenStream, call: &TokenStream) -> (TokenStream, TokenStream) {
    let retry = function.errno.as_ref().map(|errno| errno.retry.as_slice()).unwrap_or_default();
    if !retry.is_empty() {
        let codes = retry.iter().map(|name| ident(name));
        return (
            quote! { -> Result<Attempt> },
            quote! {
                #safety
                let result = to_result(#call);
                match result {
                    Ok(()) => Ok(Attempt::Done),
                    #(Err(error) if error == #codes => Ok(Attempt::Again),)*
                    Err(error) => Err(error),
                }
            },
        );
    }
    if function.plain {
        let int = match function.ret.plain() {
            crate::read::CType::Int("isize") => quote! { usize },
            _ => quote! { u32 },
        };
        return (
            quote! { -> Result<#int> },
            quote! {
                #safety
                let value = #call;
                to_result(value as c_int)?;
                Ok(value as #int)
            },
        );
    }
    (quote! { -> Result }, quote! { #safety to_result(#call) })
}

fn pointer(
    api: &Api,
    function: &Function,
    safety: &TokenStream,
    call: &TokenStream,
) -> (TokenStream, TokenStream) {
    let Some(object) = function.ret.pointee_record().and_then(|tag| api.object(tag)) else {
        return (quote! {}, quote! { #safety #call });
    };
    let ty = types::object(api, object);
    let (whole, wrap, why) = match (function.returns, object.shape) {
        (Returns::Owned, Shape::Owned) => {
            let name = ident(&object.name);
            match types::marker(object) {
                Some(_) => (quote! { Self }, quote! { #name { ptr, _marker: PhantomData } }, None),
                None => (quote! { #ty }, quote! { #name { ptr } }, None),
            }
        }
        (Returns::Owned, _) => (
            quote! { ARef<#ty> },
            quote! { unsafe { ARef::from_raw(ptr.cast()) } },
            Some("By the contract (`owned`) the reference is the caller's to give back."),
        ),
        _ => (
            quote! { &#ty },
            quote! { unsafe { <#ty>::from_raw(ptr.as_ptr()) } },
            Some("By the contract (`borrowed`) the object lives as long as what it was asked of."),
        ),
    };
    let why = why.map(layout::safety);
    if function.errno.is_some() {
        return (
            quote! { -> Result<#whole> },
            quote! {
                #safety
                let ptr = from_err_ptr(#call)?;
                let ptr = NonNull::new(ptr).ok_or(ENOMEM)?;
                #why
                Ok(#wrap)
            },
        );
    }
    if function.nullable {
        return (
            quote! { -> Option<#whole> },
            quote! {
                #safety
                let ptr = NonNull::new(#call)?;
                #why
                Some(#wrap)
            },
        );
    }
    let never = layout::safety("By the contract the result is never NULL: it does not say `nullable`.");
    (
        quote! { -> #whole },
        quote! {
            #safety
            let ptr = #call;
            #never
            let ptr = unsafe { NonNull::new_unchecked(ptr) };
            #why
            #wrap
        },
    )
}

/// The type that functions with errors of the kind 'try again' return.
pub(super) fn retry_outcome(api: &Api) -> Option<TokenStream> {
    let retries = |function: &Function| function.errno.as_ref().is_some_and(|e| !e.retry.is_empty());
    api.functions.iter().any(retries).then(|| {
        quote! {
            /// How a call ended that may lose a race.
            #[must_use = "a call that lost a race has done nothing and is to be made again"]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum Attempt {
                /// It did what it was asked to do.
                Done,
                /// It lost a race and is to be made again.
                Again,
            }
        }
    })
}
