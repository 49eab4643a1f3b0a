// SPDX-License-Identifier: GPL-2.0

//! Ops tables: a trait, the table that C is given, and the functions in it.

use super::layout;
use super::types;
use super::types::ident;
use crate::check::reason;
use crate::emit::prose;
use crate::ir::Type;
use crate::model::Block;
use crate::model::Callback;
use crate::model::Context;
use crate::model::Object;
use crate::model::Reached;
use crate::model::SelfKind;
use crate::model::Table;
use crate::plan::Trait;
use crate::read::Parameter;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// The trait of an object's callbacks.
pub(super) fn item(object: &Object, found: &Trait) -> TokenStream {
    let table = &found.table;
    let name = ident(&table.name);
    let fallback = format!(
        "The callbacks of a [`{}`], which its user implements.",
        object.name
    );
    let mut text = prose::of_type(table.doc.as_ref(), &fallback);
    text.push_str(&format!(
        "\n\nThe implementing type is the data that the [`{}`] holds.",
        object.name
    ));
    let docs = layout::docs(&prose::with_example(text, &found.example), 4);
    let methods = table
        .callbacks
        .iter()
        .map(|callback| declaration(object, callback));
    // C may call back on any thread, and for as long as the object is there: should it be forgotten,
    // for ever.
    // A callback that is given the object can lock it, and another thread too.
    let called = |this: &SelfKind| {
        let same = |callback: &Callback| callback.this == *this;
        table.callbacks.iter().any(same)
    };
    let shared = object.data.is_empty()
        || called(&SelfKind::Shared)
        || called(&SelfKind::Object) && object.shares_data();
    let sync = shared.then(|| quote! { + Sync });
    quote! {
        #docs
        #[vtable]
        pub trait #name: Sized + Send #sync + 'static {
            #(#methods)*
        }
    }
}

fn declaration_text(callback: &Callback) -> String {
    let mut text = match &callback.doc {
        Some(doc) => prose::of_callback(doc),
        None => String::new(),
    };
    if text.is_empty() {
        text = format!("Called by C as `{}`.", callback.signature.name);
    }
    match callback.context {
        Context::Atomic if !prose::speaks_of_sleep(&text) => text.push_str("\n\nMust not sleep."),
        Context::MaySleep if !prose::speaks_of_sleep(&text) => text.push_str("\n\nMay sleep."),
        _ => {}
    }
    text
}

fn declaration(object: &Object, callback: &Callback) -> TokenStream {
    let name = ident(&callback.method());
    let docs = layout::docs(&declaration_text(callback), 8);
    let this = match &callback.this {
        SelfKind::Exclusive(_) => quote! { self: Pin<&mut Self> },
        SelfKind::Shared => quote! { &self },
        SelfKind::Object => {
            let object = ident(&object.name);
            let name = ident(&callback.object().name);
            let shown = match callback.required {
                true => quote! { #name },
                false => format_ident!("_{}", callback.object().name).into_token(),
            };
            quote! { #shown: &#object<Self> }
        }
    };
    let params = callback.others().zip(&callback.typed);
    let params = params
        .filter(|(param, _)| !callback.is_order(&param.name))
        .map(|(param, ty)| {
            let name = match callback.required {
                true => ident(&param.name),
                false => format_ident!("_{}", param.name),
            };
            let rust = match callback.block_at(&param.name) {
                Some(found) if found.reads => {
                    let block = block(ty);
                    quote! { &#block }
                }
                Some(_) => block(ty),
                None if callback.owns(&param.name) => block(ty),
                None => types::rust(ty),
            };
            quote! { #name: #rust }
        });
    let ret = returned(callback);
    match callback.required {
        true => quote! { #docs fn #name(#this, #(#params),*) #ret; },
        false => quote! {
            #docs
            fn #name(#this, #(#params),*) #ret {
                build_error!(VTABLE_DEFAULT_ERROR)
            }
        },
    }
}

/// An identifier as tokens.
trait IntoToken {
    fn into_token(self) -> TokenStream;
}

impl IntoToken for proc_macro2::Ident {
    fn into_token(self) -> TokenStream {
        quote! { #self }
    }
}

fn returned(callback: &Callback) -> TokenStream {
    if callback.errno.is_some() {
        return quote! { -> Result };
    }
    if callback.gives == Type::Unit {
        return quote! {};
    }
    let rust = types::rust(&callback.gives);
    quote! { -> #rust }
}

/// The type of a block, which is also that of its first element; or of what a callback owns.
fn block(ty: &Type) -> TokenStream {
    match ty {
        Type::Object { rust, .. } => types::path(rust),
        _ => quote! {},
    }
}

/// The table that C gets.
pub(super) fn table_const(table: &Table) -> Option<TokenStream> {
    if table.single {
        return None;
    }
    let raw = ident(&table.tag);
    let fields = table.callbacks.iter().map(|callback| {
        let name = types::field(&callback.signature.name);
        let thunk = format_ident!("{}_callback", callback.signature.name);
        let has = format_ident!("HAS_{}", callback.method().to_uppercase());
        match callback.required {
            true => quote! { #name: Some(Self::#thunk) },
            false => quote! {
                #name: if T::#has { Some(Self::#thunk) } else { None }
            },
        }
    });
    let docs = layout::docs(
        "The table that C calls through; another kernel's may have more in it.",
        8,
    );
    Some(quote! {
        #docs
        #[allow(clippy::needless_update)]
        const OPERATIONS: bindings::#raw = bindings::#raw {
            #(#fields,)*
            ..pin_init::zeroed()
        };
    })
}

/// The functions in the table.
pub(super) fn callbacks(object: &Object, table: &Table) -> Vec<TokenStream> {
    let mut items: Vec<TokenStream> = table
        .callbacks
        .iter()
        .map(|callback| thunk(object, table, callback))
        .collect();
    items.push(find(object));
    items
}

/// From the structure that C hands back to the object around it.
fn find(object: &Object) -> TokenStream {
    let raw = ident(&object.tag);
    let (of, lives) = match object.deferred {
        Some(_) => ("an", "whose storage is not freed while the result is used."),
        None => ("a live", "which must live for all of `'a`."),
    };
    let docs = layout::docs(
        &format!(
            "The object around a `bindings::{}`.\n\n# Safety\n\n`ptr` must point to the `inner` of {of} \
             object of this type, {lives}",
            object.tag
        ),
        8,
    );
    let inside = layout::safety(&[reason::Life::Inside.into()]);
    if object.deferred.is_some() {
        let storage = types::storage(object);
        let (_, args) = types::generics(object);
        return quote! {
            #docs
            #[inline]
            unsafe fn around(ptr: *mut bindings::#raw) -> ManuallyDrop<Self> {
                let inner = Opaque::cast_from(ptr).cast_mut();
                #inside
                let storage = unsafe { container_of!(inner, #storage #args, inner) };
                #inside
                let storage = unsafe { NonNull::new_unchecked(storage) };
                ManuallyDrop::new(Self { storage })
            }
        };
    }
    let alive = layout::safety(&[reason::Life::Alive.into()]);
    quote! {
        #docs
        #[inline]
        unsafe fn around<'a>(ptr: *mut bindings::#raw) -> &'a Self {
            let inner = Opaque::cast_from(ptr).cast_mut();
            #inside
            let this = unsafe { container_of!(inner, Self, inner) };
            #alive
            unsafe { &*this }
        }
    }
}

fn thunk(object: &Object, table: &Table, callback: &Callback) -> TokenStream {
    let name = format_ident!("{}_callback", callback.signature.name);
    let method = ident(&callback.method());
    let trait_name = ident(&table.name);
    let (this, pointer) = pointer(object, callback);
    let Passed {
        mut params,
        values,
        before,
    } = passed(callback);
    params.insert(callback.object_at, this);
    let around = layout::safety(&[reason::Callback::Called {
        tag: object.tag.clone(),
        reached: callback.reached.clone(),
        deferred: object.deferred.clone(),
    }
    .into()]);
    let (receiver, value) = data_of(object, callback);
    let call = quote! { <T as #trait_name>::#method(#value, #(#values),*) };
    let (ret, body) = match (&callback.errno, &callback.gives) {
        (Some(_), _) => (
            quote! { -> c_int },
            quote! { match #call { Ok(()) => 0, Err(error) => error.to_errno() } },
        ),
        (None, Type::Unit) => (quote! {}, call),
        (None, ty) => {
            let raw = types::raw(ty);
            (quote! { -> #raw }, types::into_c(ty, &call, false))
        }
    };
    let docs = layout::docs(
        &format!(
            "# Safety\n\nC must call this according to the contract of `{}`, on the `inner` of an object of \
             this type.",
            callback.signature.name
        ),
        8,
    );
    quote! {
        #docs
        unsafe extern "C" fn #name(#(#params),*) #ret {
            #around
            let object = unsafe { Self::around(#pointer) };
            #(#before)*
            #receiver
            #body
        }
    }
}

/// The parameter by which a callback finds its object, and the pointer to C's structure that it makes of it.
fn pointer(object: &Object, callback: &Callback) -> (TokenStream, TokenStream) {
    let name = ident(&callback.object().name);
    let raw = ident(&object.tag);
    let constant = callback.object().ty.is_const_pointer();
    let to = if constant {
        quote! { *const }
    } else {
        quote! { *mut }
    };
    let mutable = constant.then(|| quote! { .cast_mut() });
    match &callback.reached {
        Reached::Object => (
            quote! { #name: #to bindings::#raw },
            quote! { #name #mutable },
        ),
        Reached::Member { path, tag } => {
            let (member, path) = (ident(tag), types::path(path));
            (
                quote! { #name: #to bindings::#member },
                quote! { container_of!(#name #mutable, bindings::#raw, #path) },
            )
        }
        Reached::Closure => (
            quote! { #name: #to c_void },
            quote! { #name #mutable.cast() },
        ),
    }
}

/// The arguments that C passes beside the object, and those of the method.
#[derive(Default)]
struct Passed {
    params: Vec<TokenStream>,
    values: Vec<TokenStream>,
    /// The statements that convert one into the other.
    before: Vec<TokenStream>,
}

impl Passed {
    /// A pointer to the first page of a block.
    fn block(&mut self, param: &Parameter, found: &Block, ty: &Type) {
        let (name, typed, order) = (ident(&param.name), block(ty), ident(&found.order));
        let why = layout::safety(&[reason::Callback::Block {
            pointer: param.name.clone(),
            order: found.order.clone(),
            reads: found.reads,
        }
        .into()]);
        let raw = match param.ty.is_const_pointer() {
            true => quote! { #name.cast_mut() },
            false => quote! { #name },
        };
        self.before
            .push(quote! { #why let #name = unsafe { <#typed>::from_raw(#raw, #order) }; });
        self.values.push(match found.reads {
            true => quote! { &#name },
            false => quote! { #name },
        });
    }

    /// A pointer to what the callback owns from then on.
    fn owned(&mut self, param: &Parameter, ty: &Type) {
        let (name, typed) = (ident(&param.name), block(ty));
        let why = layout::safety(&[reason::Callback::Yielded(param.name.clone()).into()]);
        self.before
            .push(quote! { #why let #name = unsafe { <#typed>::from_raw(#name) }; });
        self.values.push(quote! { #name });
    }

    /// A value, or a pointer to a record.
    fn value(&mut self, param: &Parameter, ty: &Type) {
        let name = ident(&param.name);
        self.values.push(match ty {
            Type::RecordRef(record) => {
                let typed = ident(&record.name);
                let why = layout::safety(&[reason::Callback::Passed(record.tag.clone()).into()]);
                self.before
                    .push(quote! { #why let #name = unsafe { &*#name.cast::<#typed>() }; });
                quote! { #name }
            }
            Type::Text => {
                let why = layout::safety(&[reason::Callback::Text(param.name.clone()).into()]);
                self.before
                    .push(quote! { #why let #name = unsafe { CStr::from_char_ptr(#name) }; });
                quote! { #name }
            }
            Type::Object { rust, .. } => {
                let typed = types::path(rust);
                let why = layout::safety(&[reason::Callback::Lent(param.name.clone()).into()]);
                self.before
                    .push(quote! { #why let #name = unsafe { <#typed>::from_raw(#name) }; });
                quote! { #name }
            }
            Type::Identity {
                constant, typed, ..
            } => {
                let constant = (!constant).then(|| quote! { .cast_const() });
                let cast = typed.then(|| quote! { .cast() });
                quote! { #name #constant #cast }
            }
            ty => types::from_c(ty, quote! { #name }),
        });
    }
}

fn passed(callback: &Callback) -> Passed {
    let mut passed = Passed::default();
    for (param, ty) in callback.others().zip(&callback.typed) {
        let name = ident(&param.name);
        let raw = match ty {
            Type::Object { tag, .. } if param.ty.is_const_pointer() => {
                let tag = ident(tag);
                quote! { *const bindings::#tag }
            }
            Type::Identity { constant, .. } => identity(param, *constant),
            ty => types::raw(ty),
        };
        passed.params.push(quote! { #name: #raw });
        match callback.block_at(&param.name) {
            // The block has it.
            _ if callback.is_order(&param.name) => {}
            Some(found) => passed.block(param, found, ty),
            None if callback.owns(&param.name) => passed.owned(param, ty),
            None => passed.value(param, ty),
        }
    }
    passed
}

/// The type of a pointer that is an `identity`, as C declares it.
fn identity(param: &Parameter, constant: bool) -> TokenStream {
    let to = match param.ty.pointee_record() {
        Some(tag) => {
            let tag = ident(tag);
            quote! { bindings::#tag }
        }
        None => quote! { c_void },
    };
    match constant {
        true => quote! { *const #to },
        false => quote! { *mut #to },
    }
}

/// The receiver of the method, and the statements that compute it.
fn data_of(object: &Object, callback: &Callback) -> (TokenStream, TokenStream) {
    let stored = types::stored(object);
    match &callback.this {
        SelfKind::Exclusive(guard) => {
            let why = layout::safety(&[reason::Lock::Locked(guard.clone()).into()]);
            let pinned = layout::safety(&[reason::Lock::Pinned.into()]);
            let data = quote! {
                #why
                let data = unsafe { &mut *object #stored.data.get() };
                #pinned
                let data = unsafe { Pin::new_unchecked(data) };
            };
            (data, quote! { data })
        }
        SelfKind::Shared => {
            let why = layout::safety(&[reason::Lock::OnlyShared.into()]);
            (
                quote! { #why let data = unsafe { &*object #stored.data.get() }; },
                quote! { data },
            )
        }
        SelfKind::Object if object.deferred.is_some() => (quote! {}, quote! { &object }),
        SelfKind::Object => (quote! {}, quote! { object }),
    }
}
