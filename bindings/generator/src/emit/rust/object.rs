// SPDX-License-Identifier: GPL-2.0

//! Objects: the type, how it is made and ended, its methods.

use super::function;
use super::function::Receiver;
use super::layout;
use super::types;
use super::types::ident;
use crate::check::reason;
use crate::emit::prose;
use crate::ir::Type;
use crate::model::Constant;
use crate::model::Function;
use crate::model::Given;
use crate::model::Object;
use crate::model::Shape;
use crate::plan::Wrapper;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// The type of an object and its implementations.
pub(super) fn items(wrapper: &Wrapper) -> Vec<TokenStream> {
    let object = &wrapper.object;
    let mut items = super::stage::markers(wrapper);
    items.push(definition(wrapper));
    items.extend(threads(object));
    items.extend(super::stage::steps(wrapper));
    items.extend(another(object));
    let (bound, args) = types::generics(object);
    let name = ident(&object.name);
    items.extend(super::inherent(
        quote! { #bound #name #args },
        &body(wrapper),
    ));
    items.extend(
        wrapper
            .destructor
            .as_ref()
            .and_then(|end| destructor(object, &end.function)),
    );
    items
}

/// `Clone` for an object with a count of the references to its storage.
fn another(object: &Object) -> Option<TokenStream> {
    let get = ident(object.cloned.as_ref()?);
    let (bound, args) = types::generics(object);
    let name = ident(&object.name);
    let why = layout::safety(&[reason::Life::Another.into()]);
    Some(quote! {
        impl #bound Clone for #name #args {
            #[inline]
            fn clone(&self) -> Self {
                #why
                unsafe { bindings::#get(self.as_raw()) };
                Self { storage: self.storage }
            }
        }
    })
}

fn definition(wrapper: &Wrapper) -> TokenStream {
    let object = &wrapper.object;
    let fallback = format!("The kernel's `{}`.", object.tag);
    let text = prose::of_type(object.doc.as_ref(), &fallback);
    let scope = match object.scoped {
        true => "\n\nIt exists while a closure runs, which is given this value. It ends when the closure returns, also if that \
                 leaks the value (`mem::forget`).",
        false => "",
    };
    let text = format!("{text}{scope}\n\n# Invariants\n\n{}", invariants(object));
    let docs = layout::docs(&prose::with_example(text, &wrapper.example), 4);
    let definition = match object.shape {
        Shape::Owned => owned(object),
        Shape::Pinned => pinned(object, wrapper.destructor.is_some()),
        _ => {
            let (name, raw) = (ident(&object.name), ident(&object.tag));
            let local = (!object.send).then(|| quote! { , NotThreadSafe });
            quote! {
                #[repr(transparent)]
                pub struct #name(Opaque<bindings::#raw> #local);
            }
        }
    };
    quote! { #docs #definition }
}

fn invariants(object: &Object) -> String {
    match object.shape {
        Shape::Pinned if object.cloned.is_some() => format!(
            "`storage` points to a `bindings::{}` that its constructor has initialised, and to the data that goes with it. It \
             is valid until the last reference is dropped, and this value has one of those that are counted.",
            object.tag
        ),
        Shape::Pinned if object.deferred.is_some() => format!(
            "`storage` points to a `bindings::{}` that its constructor has initialised, and to the data that goes with it. It \
             is valid until the object has ended, which happens after it is dropped.",
            object.tag
        ),
        Shape::Pinned => format!(
            "`inner` is a `bindings::{}` that its constructor has initialised; it stays where it is until \
             it is dropped.",
            object.tag
        ),
        Shape::Owned if object.scoped => format!(
            "`ptr` points to a `bindings::{}` that lives for all of `'a`, and no other value points to that.",
            object.tag
        ),
        Shape::Owned => format!("`ptr` points to a `bindings::{}` that belongs to this value.", object.tag),
        Shape::Counted => format!(
            "A value of this type is a `bindings::{}` with a reference count, reached by reference only.",
            object.tag
        ),
        _ => format!("A value of this type is a live `bindings::{}`, reached by reference only.", object.tag),
    }
}

/// A pointer that the value owns, with what the object keeps.
fn owned(object: &Object) -> TokenStream {
    let (name, raw) = (ident(&object.name), ident(&object.tag));
    let (bound, _) = types::generics(object);
    let marker = types::marker(object).map(|marker| quote! { , _marker: #marker });
    let must_use = (!object.stages.is_empty()).then(|| match object.scoped {
        true => quote! { #[must_use = "it is ended when the closure returns, in any stage"] },
        false => quote! { #[must_use = "it is ended when it is dropped, in any stage"] },
    });
    let fields = object.keeps.iter().map(|kept| {
        let (name, ty) = (ident(&kept.name), types::path(&kept.rust));
        // Nothing reads it unless C is given it again.
        quote! { , #[allow(dead_code)] #name: #ty }
    });
    quote! { #must_use pub struct #name #bound { ptr: NonNull<bindings::#raw> #(#fields)* #marker } }
}

/// C's structure itself, or a pointer to where it is until its end, which is later.
fn pinned(object: &Object, has_drop: bool) -> TokenStream {
    let name = ident(&object.name);
    let (bound, args) = types::generics(object);
    let fields = pinned_fields(object);
    if object.deferred.is_some() {
        let storage = types::storage(object);
        let held = layout::docs(&format!("The storage of a [`{}`].", object.name), 4);
        return quote! {
            pub struct #name #bound {
                storage: NonNull<#storage #args>,
            }

            #held
            #[pin_data]
            struct #storage #bound { #fields }
        };
    }
    let attribute = match has_drop {
        true => quote! { #[pin_data(PinnedDrop)] },
        false => quote! { #[pin_data] },
    };
    quote! {
        #attribute
        pub struct #name #bound { #fields }
    }
}

fn pinned_fields(object: &Object) -> TokenStream {
    let raw = ident(&object.tag);
    let data = object
        .is_generic()
        .then(|| quote! { #[pin] data: UnsafeCell<T>, });
    let fields = object.keeps.iter().map(|kept| {
        let (name, ty) = (ident(&kept.name), types::path(&kept.rust));
        quote! { #name: #ty, }
    });
    let local = (!object.send).then(|| quote! { _not_send: NotThreadSafe, });
    let covers = object.generic.is_some() && data.is_none() && object.keeps.is_empty();
    let phantom = covers.then(|| quote! { _data: PhantomData<T>, });
    quote! {
        #[pin]
        inner: Opaque<bindings::#raw>,
        #data
        #(#fields)*
        #phantom
        #local
    }
}

/// The `Send` and `Sync` implementations, with their reasons.
fn threads(object: &Object) -> Vec<TokenStream> {
    let name = ident(&object.name);
    if object.lifetime {
        // It may be shared with, or sent to, another thread only if the objects it refers to may; its type does not show
        // that.
        return Vec::new();
    }
    let bounds = object.generic.as_ref().map(|generic| generic.bound.clone());
    // References to one object may be on several threads, and the last to be dropped ends it.
    let shared = object.shares_data() || object.is_generic() && object.data.is_empty();
    let counted = object.cloned.is_some();
    let with = |threads: TokenStream| match &bounds {
        None => (quote! {}, quote! {}),
        Some(None) => (quote! { <T: #threads> }, quote! { <T> }),
        Some(Some(bound)) => {
            let bound = types::path(bound);
            (quote! { <T: #bound + #threads> }, quote! { <T> })
        }
    };
    let mut items = Vec::new();
    let foreign = object.keeps.iter().filter(|kept| kept.foreign);
    for kept in foreign.filter(|_| object.send || object.sync) {
        let kept = types::path(&kept.rust);
        let docs = layout::docs(
            "What the object keeps may be used on any thread, as it may.",
            4,
        );
        items.push(quote! {
            #docs
            const _: fn() = || {
                fn on_any_thread<T: Send + Sync>() {}
                on_any_thread::<#kept>();
            };
        });
    }
    if object.send {
        let (bound, args) = with(match counted && shared {
            true => quote! { Send + Sync },
            false => quote! { Send },
        });
        let why = layout::safety(&[reason::Lock::Send.into()]);
        items.push(quote! { #why unsafe impl #bound Send for #name #args {} });
    }
    if object.sync {
        let (bound, args) = with(if shared {
            quote! { Send + Sync }
        } else {
            quote! { Send }
        });
        let why =
            layout::safety(&[
                reason::Lock::Sync(bounds.is_some() && !object.data.is_empty()).into(),
            ]);
        items.push(quote! { #why unsafe impl #bound Sync for #name #args {} });
    }
    items
}

fn body(wrapper: &Wrapper) -> Vec<TokenStream> {
    let object = &wrapper.object;
    let receiver = Receiver::object(&object.tag);
    let mut body = Vec::new();
    body.extend(
        wrapper
            .table
            .as_ref()
            .and_then(|found| super::ops::table_const(&found.table)),
    );
    body.extend(
        wrapper
            .constructors
            .iter()
            .map(|constructor| match object.shape {
                Shape::Pinned => pinned_constructor(object, constructor),
                _ => function::method(constructor, &receiver),
            }),
    );
    body.extend((object.is_generic() && object.data.is_empty()).then(|| shared_data(object)));
    body.push(as_raw(object));
    if matches!(object.shape, Shape::Counted | Shape::Borrowed) {
        body.push(from_raw(object));
    }
    body.extend(object.constants.iter().map(|found| constant(object, found)));
    body.extend(
        wrapper
            .methods
            .iter()
            .map(|method| function::method(method, &receiver)),
    );
    body.extend(storage(object));
    body.extend(super::stage::into_stage(object));
    body.extend(
        wrapper
            .locks
            .iter()
            .map(|lock| super::lock::method(object, lock)),
    );
    body.extend(wrapper.sections.iter().map(super::section::method));
    body.extend(
        wrapper
            .table
            .iter()
            .flat_map(|found| super::ops::callbacks(object, &found.table)),
    );
    body
}

fn as_raw(object: &Object) -> TokenStream {
    let raw = ident(&object.tag);
    let docs = layout::docs(
        &format!("Returns a raw pointer to the `bindings::{}`.", object.tag),
        8,
    );
    let get = match object.shape {
        Shape::Owned => quote! { self.ptr.as_ptr() },
        Shape::Pinned => {
            let stored = types::stored(object);
            quote! { self #stored.inner.get() }
        }
        _ => quote! { self.0.get() },
    };
    quote! {
        #docs
        #[inline]
        pub fn as_raw(&self) -> *mut bindings::#raw {
            #get
        }
    }
}

/// Access to data that has no lock.
fn shared_data(object: &Object) -> TokenStream {
    let docs = layout::docs("The data.", 8);
    let why = layout::safety(&[reason::Lock::OnlyShared.into()]);
    let stored = types::stored(object);
    quote! {
        #docs
        #[inline]
        pub fn data(&self) -> &T {
            #why
            unsafe { &*self #stored.data.get() }
        }
    }
}

/// Functions that allocate, reach and free the storage of an object.
fn storage(object: &Object) -> Vec<TokenStream> {
    if object.deferred.is_none() {
        return Vec::new();
    }
    let raw = ident(&object.tag);
    let storage = types::storage(object);
    let (_, args) = types::generics(object);
    let stored = layout::safety(&[reason::Life::Stored.into()]);
    let freed = layout::safety(&[reason::Life::Freed.into()]);
    let docs = layout::docs(
        "Frees the storage of an object that has ended.\n\n# Safety\n\nC must call this once, with the `inner` of an \
         object of this type that has ended.",
        8,
    );
    let pinned = layout::safety(&[reason::Life::Allocated.into()]);
    let allocate = layout::docs("Allocates the storage of an object.", 8);
    vec![
        quote! {
            #allocate
            fn allocate(init: impl PinInit<#storage #args, Error>) -> Result<NonNull<#storage #args>> {
                let storage = KBox::pin_init(init, GFP_KERNEL)?;
                #pinned
                let storage = unsafe { Pin::into_inner_unchecked(storage) };
                Ok(NonNull::from(KBox::leak(storage)))
            }
        },
        quote! {
            #[inline]
            fn storage(&self) -> &#storage #args {
                #stored
                unsafe { self.storage.as_ref() }
            }
        },
        quote! {
            #docs
            unsafe extern "C" fn free(ptr: *mut bindings::#raw) {
                let inner = Opaque::cast_from(ptr).cast_mut();
                #freed
                let storage = unsafe { container_of!(inner, #storage #args, inner) };
                #freed
                drop(unsafe { KBox::from_raw(storage) });
            }
        },
    ]
}

/// A member that does not change.
fn constant(object: &Object, found: &Constant) -> TokenStream {
    let member = &found.member;
    let (name, field) = (ident(&member.name), types::field(&member.name));
    let rust = types::rust(&member.typed);
    let fallback = format!("The member `{}`.", member.name);
    let docs = layout::docs(&prose::of_member(found.doc.as_ref(), &fallback), 8);
    let read = |field: &proc_macro2::Ident, array: Option<(String, String)>| {
        let why = layout::safety(&[reason::Value::Unchanging {
            tag: object.tag.clone(),
            array,
        }
        .into()]);
        (why, quote! { unsafe { (*self.as_raw()).#field } })
    };
    let (why, value) = read(&field, None);
    let (ret, body) = match &member.counted {
        Some(length) => {
            let (counted, count) = read(&types::field(length), None);
            let array = Some((length.clone(), member.name.clone()));
            let slice = layout::safety(&[reason::Value::Unchanging {
                tag: object.tag.clone(),
                array,
            }
            .into()]);
            let elements = types::count(member.signed, &quote! { length });
            let body = quote! {
                #why
                let first = #value.cast::<#rust>();
                #counted
                let length = #count;
                if first.is_null() {
                    return &[];
                }
                #slice
                unsafe { core::slice::from_raw_parts(first, #elements) }
            };
            (quote! { &[#rust] }, body)
        }
        None => {
            let given = types::from_c(&member.typed, quote! { value });
            match given.to_string() == "value" {
                true => (rust, quote! { #why #value }),
                false => (rust, quote! { #why let value = #value; #given }),
            }
        }
    };
    quote! {
        #docs
        #[inline]
        pub fn #name(&self) -> #ret { #body }
    }
}

fn from_raw(object: &Object) -> TokenStream {
    let raw = ident(&object.tag);
    let docs = layout::docs(
        &format!(
            "Makes a reference of a raw pointer.\n\n# Safety\n\n`ptr` must point to a `bindings::{}` that \
             lives for all of `'a`.",
            object.tag
        ),
        8,
    );
    let safety = layout::safety(&[reason::Life::Lives.into()]);
    quote! {
        #docs
        #[inline]
        pub unsafe fn from_raw<'a>(ptr: *const bindings::#raw) -> &'a Self {
            #safety
            unsafe { &*ptr.cast() }
        }
    }
}

/// `fn new(...) -> impl PinInit<Self, Error>`
fn pinned_constructor(object: &Object, constructor: &Function) -> TokenStream {
    let name = ident(&constructor.name);
    let fallible = constructor.errno.is_some() || object.deferred.is_some();
    let arguments = function::arguments(constructor, &quote! { slot });
    let fields = fields(object);
    let head = InitHead::new(object, fallible, arguments.borrows);
    let InitHead {
        generics,
        data,
        outlives,
        clause,
    } = &head;
    let (given, decls, before) = (&fields.decls, &arguments.decls, &arguments.before);
    let inner = inner(object, constructor, &fields, &arguments);
    let values = init_values(object);
    let (error, initialiser) = match fallible {
        true => (quote! { , Error }, quote! { try_pin_init }),
        false => (quote! {}, quote! { pin_init }),
    };
    let docs = layout::docs(&prose::of_constructor(constructor, &fields.docs), 8);
    let whole = match object.deferred {
        None => quote! { #initialiser!(Self { #values }) },
        Some(_) => {
            let storage = types::storage(object);
            quote! {
                let storage = try_pin_init!(#storage { #values });
                try_init!(Self { storage: Self::allocate(storage)?, }? Error)
            }
        }
    };
    let unsafety = constructor.promise.as_ref().map(|_| quote! { unsafe });
    quote! {
        #docs
        pub #unsafety fn #name #generics(#(#given,)* #(#decls,)* #data) -> impl PinInit<Self #error> #outlives #clause {
            #(#before)*
            #inner
            #whole
        }
    }
}

/// Types and lifetimes in the signature of a constructor in place.
struct InitHead {
    generics: TokenStream,
    /// The parameter for the user's data.
    data: TokenStream,
    outlives: TokenStream,
    clause: TokenStream,
}

impl InitHead {
    fn new(object: &Object, fallible: bool, borrows: bool) -> Self {
        let data = object.is_generic();
        // The data's own initialiser may fail in its own way, or not at all.
        let own = fallible && data;
        let generics = match (borrows, own) {
            (true, true) => quote! { <'a, E: 'a> },
            (true, false) => quote! { <'a> },
            (false, true) => quote! { <E> },
            (false, false) => quote! {},
        };
        let mut bounds = Vec::new();
        bounds.extend((borrows && object.generic.is_some()).then(|| quote! { T: 'a }));
        bounds.extend(own.then(|| quote! { Error: From<E> }));
        let clause = match bounds.is_empty() {
            true => quote! {},
            false => quote! { where #(#bounds),* },
        };
        let outlives = if borrows {
            quote! { + 'a }
        } else {
            quote! {}
        };
        let cause = own.then(|| quote! { , E });
        let data = match data {
            true => quote! { data: impl PinInit<T #cause> #outlives },
            false => quote! {},
        };
        InitHead {
            generics,
            data,
            outlives,
            clause,
        }
    }
}

/// The initialiser of C's structure: the call of its constructor.
fn inner(
    object: &Object,
    constructor: &Function,
    fields: &Fields,
    arguments: &function::Arguments,
) -> TokenStream {
    let (raw, call) = (ident(&object.tag), ident(&constructor.c));
    let (given, values) = (fields.write.as_ref(), &arguments.values);
    let tag = object.tag.clone();
    let slot = match given.is_some() && object.given.is_empty() {
        true => reason::This::SlotOfZeros(tag).into(),
        false => reason::This::Slot {
            tag,
            given: given.is_some(),
        }
        .into(),
    };
    let safety = function::justify(&[slot], &arguments.why);
    let call = quote! { unsafe { bindings::#call(#(#values),*) } };
    let (init, call) = match constructor.errno.is_some() {
        true => (quote! { try_ffi_init }, quote! { to_result(#call) }),
        false => (quote! { ffi_init }, call),
    };
    quote! {
        let inner = Opaque::#init(move |slot: *mut bindings::#raw| {
            #given
            #safety
            #call
        });
    }
}

/// The fields of an object in place.
fn init_values(object: &Object) -> TokenStream {
    let data = object.is_generic();
    let data_init = data.then(|| quote! { data <- UnsafeCell::pin_init(data), });
    let kept = object.keeps.iter().map(|kept| ident(&kept.name));
    let generic_only = object.generic.is_some() && !data && object.keeps.is_empty();
    let phantom = generic_only.then(|| quote! { _data: PhantomData, });
    let local = (!object.send).then(|| quote! { _not_send: NotThreadSafe, });
    quote! { #data_init #(#kept,)* inner <- inner, #phantom #local }
}

/// The fields that are set before the constructor runs.
struct Fields {
    decls: Vec<TokenStream>,
    /// The statement that sets them; `None` if there are none.
    write: Option<TokenStream>,
    docs: String,
}

fn fields(object: &Object) -> Fields {
    let mut found = Fields {
        decls: Vec::new(),
        write: None,
        docs: String::new(),
    };
    let mut set = Vec::new();
    for given in &object.given {
        let value = match &given.callback {
            _ if object.table.as_ref() == Some(&given.field) => quote! { &Self::OPERATIONS },
            Some(method) => {
                let thunk = format_ident!("{method}_callback");
                quote! { Some(Self::#thunk) }
            }
            None => found.parameter(object, given),
        };
        let field = types::field(&given.field);
        set.push(quote! { (&raw mut (*slot).#field).write(#value) });
    }
    if !set.is_empty() || object.zeroed {
        // Never as a value in Rust: it may have members, such as locks, that are opaque to bindgen.
        let why = layout::safety(&[match set.is_empty() {
            true => reason::This::Zeroed(object.tag.clone()).into(),
            false => reason::This::Given(object.tag.clone()).into(),
        }]);
        found.write = Some(quote! {
            #why
            unsafe {
                slot.write_bytes(0, 1);
                #(#set;)*
            }
        });
    }
    found
}

impl Fields {
    /// A field that the caller gives, and the value that it is set to.
    fn parameter(&mut self, object: &Object, given: &Given) -> TokenStream {
        let name = ident(&given.name);
        let rust = match given.typed {
            // C keeps it.
            Type::Text => quote! { &'static CStr },
            _ => types::rust(&given.typed),
        };
        self.decls.push(quote! { #name: #rust });
        let text = object
            .doc
            .as_ref()
            .and_then(|doc| doc.members.get(&given.field));
        let text = prose::of_member(text, "");
        let text = if text.is_empty() {
            text
        } else {
            format!(": {text}")
        };
        self.docs.push_str(&format!("\n\n`{}`{text}", given.name));
        types::into_c(&given.typed, &quote! { #name }, false)
    }
}

fn destructor(object: &Object, destructor: &Function) -> Option<TokenStream> {
    let name = ident(&object.name);
    let call = ident(&destructor.c);
    let (bound, args) = types::generics(object);
    let this = match object.shape {
        Shape::Pinned => quote! { self.inner.get() },
        _ => quote! { self.ptr.as_ptr() },
    };
    let function::Arguments { values, why, .. } = function::arguments(destructor, &this);
    let ended = match destructor.waits && object.operations.is_some() {
        true => reason::Life::Waited(destructor.c.clone()).into(),
        false => reason::Life::Ended(destructor.c.clone()).into(),
    };
    let safety = function::justify(&[ended], &why);
    let ignored = function::ignored(&destructor.ret);
    if let Some(deferred) = &object.deferred {
        let call = ident(deferred);
        let safety = layout::safety(&[match object.cloned {
            Some(_) => reason::Life::Dropped(deferred.clone()).into(),
            None => reason::Life::Done(deferred.clone()).into(),
        }]);
        let ignored = object.cloned.as_ref().and(Some(ignored));
        return Some(quote! {
            impl #bound Drop for #name #args {
                #[inline]
                fn drop(&mut self) {
                    #safety
                    #ignored unsafe { bindings::#call(self.as_raw(), Some(Self::free)) };
                }
            }
        });
    }
    Some(match object.shape {
        Shape::Pinned => quote! {
            #[pinned_drop]
            impl #bound PinnedDrop for #name #args {
                #[inline]
                fn drop(self: Pin<&mut Self>) {
                    #safety
                    #ignored unsafe { bindings::#call(#(#values),*) };
                }
            }
        },
        // What calls the closure ends it.
        Shape::Owned if object.scoped => return None,
        Shape::Owned => quote! {
            impl #bound Drop for #name #args {
                #[inline]
                fn drop(&mut self) {
                    #safety
                    #ignored unsafe { bindings::#call(#(#values),*) };
                }
            }
        },
        _ => return None,
    })
}
