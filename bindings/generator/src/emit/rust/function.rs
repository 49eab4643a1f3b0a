// SPDX-License-Identifier: GPL-2.0

//! Functions: the call, what goes in, what comes out, and why it is sound.

use super::layout;
use super::types;
use super::types::ident;
use crate::check::reason;
use crate::check::reason::Reason;
use crate::check::types as typed;
use crate::check::types::Ty;
use crate::emit::prose;
use crate::model::Api;
use crate::model::Function;
use crate::model::Param;
use crate::model::ParamKind;
use crate::model::Returns;
use crate::model::Role;
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
    pub(super) why: Vec<Reason>,
}

impl Receiver {
    /// An object.
    pub(super) fn object(tag: &str) -> Self {
        Receiver {
            decl: quote! { &self },
            raw: quote! { self.as_raw() },
            why: vec![Reason::SelfIsObject(tag.to_owned())],
        }
    }

    /// A value that is shown by reference only.
    pub(super) fn shown(tag: &str) -> Self {
        Receiver {
            decl: quote! { &self },
            raw: quote! { &raw const self.0 },
            why: vec![Reason::SelfIsRecord(tag.to_owned())],
        }
    }

    /// A plain value.
    pub(super) fn value(raw: TokenStream) -> Self {
        Receiver { decl: quote! { self }, raw, why: vec![Reason::SelfIsValue] }
    }

    /// A guard of an object, for what `requires` it.
    pub(super) fn guard(tag: &str, guard: &str) -> Self {
        Receiver {
            decl: quote! { &self },
            raw: quote! { self.owner.as_raw() },
            why: vec![Reason::SelfIsGuard(tag.to_owned()), Reason::Holds(guard.to_owned())],
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
    pub(super) why: Vec<Reason>,
    /// Whether references are among them that a closure takes along.
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
        let name = ident(&types::param_name(&function.role, &param.name));
        match &ty {
            Ty::Table(_) => arguments.values.push(quote! { &Self::OPERATIONS }),
            Ty::Callback => {
                let method = api.table(&function.c).and_then(|table| table.callbacks.first());
                let thunk = method.map(|m| format_ident!("{}_callback", m.signature.name));
                arguments.values.push(quote! { Some(Self::#thunk) });
            }
            Ty::LengthOf(slice) => {
                let slice = ident(&types::param_name(&function.role, slice));
                if param.ty.plain() == &crate::read::CType::Int("usize") {
                    arguments.values.push(quote! { #slice.len() });
                } else {
                    arguments.before.push(quote! { let #name = #slice.len().try_into()?; });
                    arguments.values.push(quote! { #name });
                }
            }
            _ => {
                argument(api, function, param, &ty, &mut arguments);
            }
        }
    }
    arguments
}

/// A parameter that the typed side has too.
fn argument(api: &Api, function: &Function, param: &Param, ty: &Ty, arguments: &mut Arguments) {
    let name = ident(&types::param_name(&function.role, &param.name));
    if param.kind == ParamKind::Keeps {
        if let Some(kept) = types::kept(api, param) {
            let (ty, raw) = (&kept.ty, format_ident!("raw_{}", kept.name));
            let given = kept.given.as_ref().unwrap_or(ty);
            arguments.decls.push(quote! { #name: #given });
            arguments.values.push(quote! { #raw });
            if kept.given.is_some() {
                arguments.before.push(quote! { let #name: #ty = #name.into(); });
            }
            arguments.before.push(quote! { let #raw = #name.as_raw(); });
            arguments.why.push(Reason::Kept(param.name.clone()));
            return;
        }
    }
    let rust = types::param(api, ty, param.nullable);
    let reference = matches!(ty, Ty::Object(_) | Ty::RecordRef(_) | Ty::Text | Ty::Slice { .. });
    let in_place = function.role == Role::Constructor && function.this.is_some();
    let (rust, why) = match (ty, &param.kind) {
        (Ty::Text, ParamKind::Keeps) => {
            (types::lifetime(rust, "'static"), Some(Reason::Forever(param.name.clone())))
        }
        (_, ParamKind::Outlives) => (types::lifetime(rust, "'a"), Some(Reason::Outlives(param.name.clone()))),
        (Ty::Slice { .. }, _) => (rust, Some(Reason::Counted(param.name.clone()))),
        _ if reference => (rust, Some(Reason::Borrowed(param.name.clone()))),
        _ => (rust, None),
    };
    let closes = in_place && reference && !matches!((ty, &param.kind), (Ty::Text, ParamKind::Keeps));
    arguments.borrows |= closes;
    let rust = if closes { types::lifetime(rust, "'a") } else { rust };
    arguments.decls.push(quote! { #name: #rust });
    arguments.values.push(types::into_c(api, ty, &quote! { #name }, param));
    arguments.why.extend(why);
}

/// The sentence that justifies a call.
pub(super) fn justify(first: &[Reason], why: &[Reason]) -> TokenStream {
    layout::safety(reason::sentence(&[first, why].concat()))
}

/// A method, or an associated function when nothing is taken as `self`.
pub(super) fn method(api: &Api, function: &Function, receiver: &Receiver) -> TokenStream {
    let name = ident(&function.name);
    let call = ident(&function.c);
    let Arguments { decls, values, before, why, .. } = arguments(api, function, &receiver.raw);
    let this = function.this.map(|_| &receiver.decl).into_iter();
    let params = this.cloned().chain(decls);
    let first = if function.this.is_some() { receiver.why.as_slice() } else { &[] };
    let safety = justify(first, &why);
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
    // What is wider than an error's int is looked at before it is cut.
    let wide = *function.ret.plain() != crate::read::CType::Int("i32");
    let failed = match wide {
        true => quote! {
            if value < 0 {
                return Err(Error::from_errno(value as c_int));
            }
        },
        false => quote! { to_result(value)?; },
    };
    let read = quote! { #safety let value = #call; #failed };
    if function.plain {
        let int = match function.ret.plain() {
            crate::read::CType::Int("isize") => quote! { usize },
            crate::read::CType::Int("i64") => quote! { u64 },
            _ => quote! { u32 },
        };
        return (quote! { -> Result<#int> }, quote! { #read Ok(value as #int) });
    }
    match wide {
        true => (quote! { -> Result }, quote! { #read Ok(()) }),
        false => (quote! { -> Result }, quote! { #safety to_result(#call) }),
    }
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
            let kept = types::all_kept(api, object).into_iter().map(|kept| {
                let name = ident(&kept.name);
                quote! { , #name }
            });
            let marker = types::marker(object).map(|_| quote! { , _marker: PhantomData });
            let whole = if marker.is_some() {
                quote! { Self }
            } else {
                ty.clone()
            };
            (whole, quote! { #name { ptr #(#kept)* #marker } }, None)
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
