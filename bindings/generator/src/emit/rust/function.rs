// SPDX-License-Identifier: GPL-2.0

//! Functions: the call, its arguments and result, and why it is sound.

use super::layout;
use super::types;
use super::types::ident;
use crate::check::reason;
use crate::check::reason::Reason;
use crate::emit::prose;
use crate::ir::Argument;
use crate::ir::Gives;
use crate::ir::Held;
use crate::ir::Kept;
use crate::ir::Returned;
use crate::ir::Type;
use crate::ir::Value;
use crate::model::Function;
use crate::model::Returns;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// The receiver of a method.
pub(super) struct Receiver {
    /// Its declaration among the parameters.
    pub(super) decl: TokenStream,
    /// The argument of the C function.
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
            why: vec![reason::This::Object(tag.to_owned()).into()],
        }
    }

    /// A value that is passed by reference only.
    pub(super) fn shown(tag: &str) -> Self {
        Receiver {
            decl: quote! { &self },
            raw: quote! { &raw const self.0 },
            why: vec![reason::This::Record(tag.to_owned()).into()],
        }
    }

    /// A plain value.
    pub(super) fn value(raw: TokenStream) -> Self {
        Receiver {
            decl: quote! { self },
            raw,
            why: vec![reason::This::Value.into()],
        }
    }

    /// A guard of an object, for functions that require it.
    pub(super) fn guard(tag: &str, guard: &str) -> Self {
        Receiver {
            decl: quote! { &self },
            raw: quote! { self.owner.as_raw() },
            why: vec![
                reason::This::Guard(tag.to_owned()).into(),
                reason::Lock::Holds(guard.to_owned()).into(),
            ],
        }
    }
}

impl Receiver {
    /// The same, with no reference to what is behind it.
    pub(super) fn alone(self) -> Self {
        Receiver {
            decl: quote! { &mut self },
            ..self
        }
    }
}

/// The parameters and arguments of a call.
pub(super) struct Arguments {
    pub(super) decls: Vec<TokenStream>,
    pub(super) values: Vec<TokenStream>,
    /// Checks that come before the call.
    pub(super) before: Vec<TokenStream>,
    /// Why the pointers among them are valid.
    pub(super) why: Vec<Reason>,
    /// Whether a closure captures references among them.
    pub(super) borrows: bool,
    /// The `out` parameters: types and values.
    pub(super) outs: Vec<(TokenStream, TokenStream)>,
}

/// The arguments of a call; `this` is the argument for the object.
pub(super) fn arguments(function: &Function, this: &TokenStream) -> Arguments {
    let mut arguments = Arguments {
        decls: Vec::new(),
        values: Vec::new(),
        before: Vec::new(),
        why: Vec::new(),
        borrows: false,
        outs: Vec::new(),
    };
    for argument in &function.arguments {
        match argument {
            Argument::This => arguments.values.push(this.clone()),
            Argument::Table => arguments.values.push(quote! { &Self::OPERATIONS }),
            Argument::Callback(method) => {
                let thunk = format_ident!("{method}_callback");
                arguments.values.push(quote! { Some(Self::#thunk) });
            }
            Argument::Closure => {
                arguments.values.push(quote! { #this.cast::<c_void>() });
                arguments.why.push(reason::Argument::Closure.into());
            }
            Argument::Length {
                slice,
                name,
                narrow,
            } => arguments.length(slice, name, *narrow),
            Argument::Out { name, ty } => arguments.out(name, ty),
            Argument::Kept(kept) => arguments.kept(kept),
            Argument::Field(field) => {
                let name = ident(field);
                arguments.values.push(quote! { self.#name.as_raw() });
                arguments
                    .why
                    .push(reason::Argument::InField(field.clone()).into());
            }
            Argument::Made {
                name,
                tag,
                constant,
            } => arguments.made(name, tag, *constant),
            Argument::Value(value) => arguments.value(value),
        }
    }
    arguments.why.extend(
        function
            .promise
            .clone()
            .map(|why| reason::Argument::Caller(why).into()),
    );
    arguments
}

impl Arguments {
    fn out(&mut self, name: &str, ty: &Type) {
        let (ident, raw) = (ident(name), types::raw(ty));
        self.before
            .push(quote! { let mut #ident: #raw = pin_init::zeroed(); });
        self.values.push(quote! { &raw mut #ident });
        self.why
            .push(reason::Argument::Room(name.to_owned()).into());
        let rust = types::rust(ty);
        self.outs.push((rust, types::from_c(ty, quote! { #ident })));
    }

    fn made(&mut self, name: &str, tag: &str, constant: bool) {
        let (ident, raw) = (ident(name), ident(tag));
        let null = match constant {
            true => quote! { core::ptr::null::<bindings::#raw>() },
            false => quote! { core::ptr::null_mut::<bindings::#raw>() },
        };
        self.before.push(quote! { let mut #ident = #null; });
        self.values.push(quote! { &raw mut #ident });
        self.why
            .push(reason::Argument::Room(name.to_owned()).into());
    }

    fn length(&mut self, slice: &str, name: &str, narrow: bool) {
        let (slice, name) = (ident(slice), ident(name));
        if !narrow {
            self.values.push(quote! { #slice.len() });
            return;
        }
        self.before
            .push(quote! { let #name = #slice.len().try_into()?; });
        self.values.push(quote! { #name });
    }

    fn kept(&mut self, kept: &Kept) {
        let (name, ty) = (ident(&kept.name), types::path(&kept.rust));
        let raw = format_ident!("raw_{}", kept.name);
        match kept.given.as_deref().map(types::path) {
            Some(given) => {
                self.decls.push(quote! { #name: #given });
                self.before.push(quote! { let #name: #ty = #name.into(); });
            }
            None => self.decls.push(quote! { #name: #ty }),
        }
        self.before.push(quote! { let #raw = #name.as_raw(); });
        self.values.push(quote! { #raw });
        self.why
            .push(reason::Argument::Kept(kept.name.clone()).into());
    }

    fn value(&mut self, value: &Value) {
        let name = ident(&value.name);
        let mut rust = types::rust(&value.ty);
        if value.nullable && value.ty.is_reference() {
            rust = quote! { Option<#rust> };
        }
        if let Some(lifetime) = value.lifetime {
            rust = types::lifetime(rust, lifetime);
        }
        self.borrows |= value.lifetime == Some("'a");
        self.decls.push(quote! { #name: #rust });
        self.values
            .push(types::into_c(&value.ty, &quote! { #name }, value.nullable));
        self.why.extend(value.reason.clone());
    }
}

/// The `SAFETY` comment of a call.
pub(super) fn justify(first: &[Reason], why: &[Reason]) -> TokenStream {
    layout::safety(&[first, why].concat())
}

/// What stands before a call whose result is not used: C may have the compiler warn of that (`__must_check`).
pub(super) fn ignored(ret: &crate::read::CType) -> TokenStream {
    match ret.plain() {
        crate::read::CType::Void => quote! {},
        _ => quote! { let _ = },
    }
}

/// A method, or an associated function if it has no `self`.
pub(super) fn method(function: &Function, receiver: &Receiver) -> TokenStream {
    let name = ident(&function.name);
    let call = ident(&function.c);
    let Arguments {
        decls,
        values,
        before,
        why,
        outs,
        ..
    } = arguments(function, &receiver.raw);
    let this = function.this.map(|_| &receiver.decl).into_iter();
    let params = this.cloned().chain(decls);
    let first = if function.this.is_some() {
        receiver.why.as_slice()
    } else {
        &[]
    };
    let safety = justify(first, &why);
    let call = quote! { unsafe { bindings::#call(#(#values),*) } };
    let (ret, body) = match outs.is_empty() {
        true => result(function, &safety, &call),
        false => given_out(function, &safety, &call, &outs),
    };
    let docs = layout::docs(&prose::of_function(function), 8);
    let unsafety = function.promise.as_ref().map(|_| quote! { unsafe });
    let must_use =
        (function.must_check && function.errno.is_none()).then(|| quote! { #[must_use] });
    quote! {
        #docs
        #must_use
        #[inline]
        pub #unsafety fn #name(#(#params),*) #ret {
            #(#before)*
            #body
        }
    }
}

/// The result of a function with `out` parameters.
fn given_out(
    function: &Function,
    safety: &TokenStream,
    call: &TokenStream,
    outs: &[(TokenStream, TokenStream)],
) -> (TokenStream, TokenStream) {
    let (types, values): (Vec<_>, Vec<_>) = outs.iter().cloned().unzip();
    let (ty, value) = match outs.len() {
        1 => (quote! { #(#types)* }, quote! { #(#values)* }),
        _ => (quote! { (#(#types),*) }, quote! { (#(#values),*) }),
    };
    match function.errno.is_some() {
        true => {
            let failed = failed(function);
            let body = quote! { #safety let value = #call; #failed Ok(#value) };
            (quote! { -> Result<#ty> }, body)
        }
        false => (quote! { -> #ty }, quote! { #safety #call; #value }),
    }
}

/// Test `value` for an error; an integer wider than an error's `int` is tested before it is truncated.
fn failed(function: &Function) -> TokenStream {
    match *function.ret.plain() != crate::read::CType::Int("i32") {
        true => quote! {
            if value < 0 {
                return Err(Error::from_errno(value as c_int));
            }
        },
        false => quote! { to_result(value)?; },
    }
}

/// The type of the result and the body that produces it.
pub(super) fn result(
    function: &Function,
    safety: &TokenStream,
    call: &TokenStream,
) -> (TokenStream, TokenStream) {
    match &function.gives {
        Gives::Text(lives) => text(function, lives, safety, call),
        Gives::Object(given) => object(function, given, safety, call),
        Gives::Value(_) if function.returns == Returns::Errno => errno(function, safety, call),
        Gives::Value(Type::Unit) => (quote! {}, quote! { #safety #call }),
        Gives::Value(ty) => value(ty, safety, call),
    }
}

fn value(ty: &Type, safety: &TokenStream, call: &TokenStream) -> (TokenStream, TokenStream) {
    let rust = types::rust(ty);
    let value = types::from_c(ty, quote! { value });
    match value.to_string() == "value" {
        true => (quote! { -> #rust }, quote! { #safety #call }),
        false => (
            quote! { -> #rust },
            quote! { #safety let value = #call; #value },
        ),
    }
}

fn errno(
    function: &Function,
    safety: &TokenStream,
    call: &TokenStream,
) -> (TokenStream, TokenStream) {
    if let Some(errno) = function
        .errno
        .as_ref()
        .filter(|errno| !errno.retry.is_empty())
    {
        let codes = errno.retry.iter().map(|name| ident(name));
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
    let wide = *function.ret.plain() != crate::read::CType::Int("i32");
    let failed = failed(function);
    let read = quote! { #safety let value = #call; #failed };
    if function.plain {
        let int = match function.ret.plain() {
            crate::read::CType::Int("isize") => quote! { usize },
            crate::read::CType::Int("i64") => quote! { u64 },
            _ => quote! { u32 },
        };
        return (
            quote! { -> Result<#int> },
            quote! { #read Ok(value as #int) },
        );
    }
    match wide {
        true => (quote! { -> Result }, quote! { #read Ok(()) }),
        false => (quote! { -> Result }, quote! { #safety to_result(#call) }),
    }
}

/// A borrowed string.
fn text(
    function: &Function,
    lives: &str,
    safety: &TokenStream,
    call: &TokenStream,
) -> (TokenStream, TokenStream) {
    let why = justify(&[reason::Value::Lent(lives.to_owned()).into()], &[]);
    let read = quote! { unsafe { CStr::from_char_ptr(ptr) } };
    match function.nullable {
        true => (
            quote! { -> Option<&CStr> },
            quote! {
                #safety
                let ptr = #call;
                if ptr.is_null() {
                    return None;
                }
                #why
                Some(#read)
            },
        ),
        false => (
            quote! { -> &CStr },
            quote! { #safety let ptr = #call; #why #read },
        ),
    }
}

/// An object: returned, or set by C through a parameter.
fn object(
    function: &Function,
    given: &Returned,
    safety: &TokenStream,
    call: &TokenStream,
) -> (TokenStream, TokenStream) {
    let made = function
        .arguments
        .iter()
        .find_map(|argument| match argument {
            Argument::Made { name, constant, .. } => Some((ident(name), *constant)),
            _ => None,
        });
    match made {
        Some((name, constant)) => made_by_parameter(given, &name, constant, safety, call),
        None => pointer(function, given, safety, call),
    }
}

fn made_by_parameter(
    given: &Returned,
    name: &proc_macro2::Ident,
    constant: bool,
    safety: &TokenStream,
    call: &TokenStream,
) -> (TokenStream, TokenStream) {
    let (whole, wrap, why) = held(given);
    let mutable = constant.then(|| quote! { .cast_mut() });
    let body = quote! {
        #safety
        to_result(#call)?;
        let ptr = NonNull::new(#name #mutable).ok_or(ENOMEM)?;
        #why
        Ok(#wrap)
    };
    (quote! { -> Result<#whole> }, body)
}

fn pointer(
    function: &Function,
    given: &Returned,
    safety: &TokenStream,
    call: &TokenStream,
) -> (TokenStream, TokenStream) {
    let (whole, wrap, why) = held(given);
    let never = justify(&[reason::Value::NeverNull.into()], &[]);
    match (function.nullable, function.errno.is_some()) {
        (true, true) => (
            quote! { -> Result<Option<#whole>> },
            quote! {
                #safety
                let ptr = from_err_ptr(#call)?;
                let Some(ptr) = NonNull::new(ptr) else {
                    return Ok(None);
                };
                #why
                Ok(Some(#wrap))
            },
        ),
        (true, false) => (
            quote! { -> Option<#whole> },
            quote! { #safety let ptr = NonNull::new(#call)?; #why Some(#wrap) },
        ),
        (false, fails) => {
            let (ptr, value, ret) = match fails {
                true => (
                    quote! { from_err_ptr(#call)? },
                    quote! { Ok(#wrap) },
                    quote! { -> Result<#whole> },
                ),
                false => (call.clone(), wrap, quote! { -> #whole }),
            };
            let body = quote! {
                #safety
                let ptr = #ptr;
                #never
                let ptr = unsafe { NonNull::new_unchecked(ptr) };
                #why
                #value
            };
            (ret, body)
        }
    }
}

/// How a returned object is held: its type, its construction from `ptr`, and why that is sound.
fn held(given: &Returned) -> (TokenStream, TokenStream, Option<TokenStream>) {
    let ty = types::path(&given.rust);
    let why = |reason: reason::Value| Some(justify(&[reason.into()], &[]));
    match &given.held {
        Held::Own {
            name,
            keeps,
            marker,
        } => {
            let name = ident(name);
            let kept = keeps.iter().map(|kept| {
                let name = ident(kept);
                quote! { , #name }
            });
            let field = marker.then(|| quote! { , _marker: PhantomData });
            let whole = match marker {
                true => quote! { Self },
                false => ty,
            };
            (whole, quote! { #name { ptr #(#kept)* #field } }, None)
        }
        Held::Scoped { name, end, ret } => {
            let (name, call, ignored) = (ident(name), ident(end), ignored(ret));
            let why = justify(&[reason::Life::Left(end.clone()).into()], &[]);
            let given = layout::comment(
                "INVARIANT: The object was just made, lives until `body` has returned, and is given to nobody else.",
            );
            let ended = quote! {
                let _end = ScopeGuard::new(|| {
                    #why
                    #ignored unsafe { bindings::#call(ptr.as_ptr()) };
                });
                #given
            };
            let run = quote! { body(#name { ptr, _marker: PhantomData }) };
            (quote! { R }, run, Some(ended))
        }
        Held::Counted => (
            quote! { ARef<#ty> },
            quote! { unsafe { ARef::from_raw(ptr.cast()) } },
            why(reason::Value::Handed),
        ),
        Held::Lent(lives) => (
            quote! { &#ty },
            quote! { unsafe { <#ty>::from_raw(ptr.as_ptr()) } },
            why(reason::Value::Lent(lives.clone())),
        ),
    }
}

/// The type that functions with errors of the kind 'try again' return.
pub(super) fn retry_outcome() -> TokenStream {
    quote! {
        /// The result of a call that may lose a race.
        #[must_use = "a call that lost a race has done nothing; repeat it"]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Attempt {
            /// The call succeeded.
            Done,
            /// The call lost a race; repeat it.
            Again,
        }
    }
}
