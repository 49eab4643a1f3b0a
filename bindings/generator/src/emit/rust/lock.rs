// SPDX-License-Identifier: GPL-2.0

//! Locks: methods that give guards, and the guards.

use super::function;
use super::function::Receiver;
use super::layout;
use super::types;
use super::types::ident;
use crate::check::reason::Reason;
use crate::emit::prose;
use crate::ir::Argument;
use crate::model::Api;
use crate::model::Function;
use crate::model::Guarded;
use crate::model::Object;
use crate::model::Role;
use crate::model::Sharing;
use crate::read::CType;
use proc_macro2::TokenStream;
use quote::quote;

/// The guards of an object, in the order of their functions.
fn guards(api: &Api, object: &Object) -> Vec<String> {
    let mut guards: Vec<String> = Vec::new();
    for function in api.in_role(&object.tag, |_| true) {
        if let Role::Lock(name) | Role::TryLock(name) = &function.role {
            if !guards.contains(name) {
                guards.push(name.clone());
            }
        }
    }
    guards
}

/// The methods that lock: of the object, or of the guard that must be held.
pub(super) fn methods(api: &Api, object: &Object, held: Option<&str>) -> Vec<TokenStream> {
    let with = types::guard_args(object);
    let mut methods = Vec::new();
    for function in api.in_role(&object.tag, |_| true) {
        if function.requires.as_ref().map(|(guard, _)| guard.as_str()) != held {
            continue;
        }
        match &function.role {
            Role::Lock(guard) => methods.push(lock(api, function, guard, &with, false)),
            Role::TryLock(guard) => methods.push(lock(api, function, guard, &with, true)),
            _ => {}
        }
    }
    methods
}

fn lock(api: &Api, function: &Function, guard: &str, with: &TokenStream, may_fail: bool) -> TokenStream {
    let tag = function.owner.as_deref().unwrap_or_default();
    let (receiver, owner) = match &function.requires {
        Some((held, _)) => (Receiver::guard(tag, held), quote! { self.owner }),
        None => (Receiver::object(tag), quote! { self }),
    };
    let name = ident(&function.name);
    let call = ident(&function.c);
    let guard = ident(guard);
    let arguments = function::arguments(function, &receiver.raw);
    let (decls, values) = (&arguments.decls, &arguments.values);
    let safety = function::justify(&receiver.why, &arguments.why);
    let before = &arguments.before;
    let docs = layout::docs(&prose::of_function(function), 8);
    let taken = layout::comment(match function.unbound {
        true => "INVARIANT: It was just taken.",
        false => "INVARIANT: The lock was just taken.",
    });
    let cookie = unlock_of(api, function).and_then(Function::cookie);
    let field = cookie.map(|_| quote! { cookie, });
    let local = (!function.unbound).then(|| quote! { _not_send: NotThreadSafe });
    let made = quote! { #guard { owner: #owner, #field #local } };
    let (must_use, ret, body) = if !may_fail {
        let cookie = cookie.map(|_| quote! { let cookie = });
        (
            quote! {},
            quote! { #guard #with },
            quote! { #safety #cookie unsafe { bindings::#call(#(#values),*) }; #taken #made },
        )
    } else if function.errno.is_some() {
        (
            quote! {},
            quote! { Result<#guard #with> },
            quote! { #safety to_result(unsafe { bindings::#call(#(#values),*) })?; #taken Ok(#made) },
        )
    } else {
        let is_bool = matches!(function.ret.plain(), CType::Bool);
        let test = if is_bool {
            quote! { taken }
        } else {
            quote! { taken != 0 }
        };
        (
            quote! { #[must_use = "the lock is left at once when the guard is not used"] },
            quote! { Option<#guard #with> },
            quote! {
                #safety
                let taken = unsafe { bindings::#call(#(#values),*) };
                if #test {
                    #taken
                    Some(#made)
                } else {
                    None
                }
            },
        )
    };
    quote! {
        #docs
        #must_use
        #[inline]
        pub fn #name(&self, #(#decls),*) -> #ret { #(#before)* #body }
    }
}

/// The function that leaves the lock which another takes.
fn unlock_of<'a>(api: &'a Api, function: &Function) -> Option<&'a Function> {
    let (Role::Lock(guard) | Role::TryLock(guard)) = &function.role else { return None };
    let wanted = Role::Unlock(guard.clone());
    api.one_in_role(function.owner.as_deref()?, |role| *role == wanted)
}

/// The guards of an object and what can be done with each.
pub(super) fn of_object(api: &Api, object: &Object) -> Vec<TokenStream> {
    guards(api, object).iter().flat_map(|guard| items(api, object, guard)).collect()
}

fn items(api: &Api, object: &Object, name: &str) -> Vec<TokenStream> {
    let guard = ident(name);
    let ty = types::object(object);
    let (bound, args) = types::generics_with_lifetime(object);
    let mut items = Vec::new();
    let unlock = api.one_in_role(&object.tag, |role| *role == Role::Unlock(name.to_owned()));
    let cookie = unlock.and_then(Function::cookie);
    let unbound = api
        .one_in_role(&object.tag, |role| matches!(role, Role::Lock(of) | Role::TryLock(of) if of == name))
        .is_some_and(|lock| lock.unbound);
    let text = guard_text(object, unbound, cookie.is_some());
    let docs = layout::docs(&text, 4);
    let local = (!unbound).then(|| quote! { _not_send: NotThreadSafe, });
    let field = unlock.filter(|_| cookie.is_some()).and_then(|unlock| unlock.arguments.last());
    let field = field.map(|argument| match argument {
        Argument::Value(value) => {
            let ty = types::rust(&value.ty);
            quote! { cookie: #ty, }
        }
        _ => quote! {},
    });
    items.push(quote! {
        #docs
        #[must_use = "the lock is left at once when the guard is not used"]
        pub struct #guard #bound {
            owner: &'a #ty,
            #field
            #local
        }
    });
    items.extend(required(api, object, name));
    items.extend(data(object, name));
    if let Some(unlock) = unlock {
        let call = ident(&unlock.c);
        let mut why = vec![if unbound { Reason::Taken } else { Reason::Held }];
        why.extend(cookie.map(|_| Reason::Cookie("cookie".into())));
        let safety = function::justify(&why, &[]);
        let cookie = cookie.map(|_| quote! { , self.cookie });
        items.push(quote! {
            impl #bound Drop for #guard #args {
                #[inline]
                fn drop(&mut self) {
                    #safety
                    unsafe { bindings::#call(self.owner.as_raw() #cookie) };
                }
            }
        });
    }
    items
}

fn guard_text(object: &Object, unbound: bool, cookie: bool) -> String {
    let cookie = if cookie { ", and `cookie` is what taking it returned" } else { "" };
    let name = &object.name;
    match unbound {
        true => format!(
            "A [`{name}`] in use.\n\nThe use ends when this is dropped, on any thread.\n\n# Invariants\n\nIt was \
             taken, and is not released as long as this exists{cookie}."
        ),
        false => format!(
            "A lock of [`{name}`] that is held.\n\nIt is left when this is dropped.\n\n# Invariants\n\nThe lock is \
             held by the current thread for as long as this exists{cookie}."
        ),
    }
}

/// Methods that `requires(...)` this guard.
fn required(api: &Api, object: &Object, name: &str) -> Option<TokenStream> {
    let guard = ident(name);
    let (bound, args) = types::generics_with_lifetime(object);
    let receiver = Receiver::guard(&object.tag, name);
    let methods: Vec<TokenStream> = api
        .in_role(&object.tag, |role| *role == Role::Method)
        .filter(|method| method.requires.as_ref().is_some_and(|(wanted, _)| wanted == name))
        .map(|method| function::method(api, method, &receiver))
        .chain(methods(api, object, Some(name)))
        .chain(object.guarded.iter().filter_map(|guarded| member(api, object, guarded, name)))
        .collect();
    super::inherent(quote! { #bound #guard #args }, &methods)
}

/// A member that the lock guards.
fn member(api: &Api, object: &Object, guarded: &Guarded, guard: &str) -> Option<TokenStream> {
    let taken = |method: &Function| method.name == guarded.member.name;
    if !guarded.guards.iter().any(|name| name == guard) || api.in_role(&object.tag, |_| true).any(taken) {
        return None;
    }
    let name = ident(&guarded.member.name);
    let rust = types::rust(&guarded.member.typed);
    let value = types::from_c(&guarded.member.typed, quote! { value });
    let fallback = format!("The member `{name}`, which the lock guards.");
    let docs = layout::docs(&prose::of_member(guarded.doc.as_ref(), &fallback), 8);
    let safety = layout::safety(&[Reason::Guarded { tag: object.tag.clone(), lock: guarded.lock.clone() }]);
    let field = types::field(&guarded.member.name);
    let read = quote! { unsafe { (*self.owner.as_raw()).#field } };
    let body = match value.to_string() == "value" {
        true => quote! { #safety #read },
        false => quote! { #safety let value = #read; #value },
    };
    Some(quote! {
        #docs
        #[inline]
        pub fn #name(&self) -> #rust { #body }
    })
}

/// Access to the user's data.
fn data(object: &Object, name: &str) -> Vec<TokenStream> {
    let Some((_, sharing)) = object.data.iter().find(|(guard, _)| guard == name) else {
        return Vec::new();
    };
    let guard = ident(name);
    let stored = types::stored(object);
    let (bound, args) = types::generics_with_lifetime(object);
    let read = layout::safety(&[Reason::SharedData(name.to_owned())]);
    let mut items = vec![quote! {
        impl #bound Deref for #guard #args {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                #read
                unsafe { &*self.owner #stored.data.get() }
            }
        }
    }];
    if *sharing == Sharing::Exclusive {
        let write = layout::safety(&[Reason::ExclusiveData(name.to_owned())]);
        let pinned = layout::safety(&[Reason::Pinned]);
        let docs = layout::docs("The data, which stays where it is.", 8);
        items.push(quote! {
            impl #bound #guard #args {
                #docs
                #[inline]
                pub fn as_pin(&mut self) -> Pin<&mut T> {
                    #write
                    let data = unsafe { &mut *self.owner #stored.data.get() };
                    #pinned
                    unsafe { Pin::new_unchecked(data) }
                }
            }
        });
        items.push(quote! {
            impl #bound DerefMut for #guard #args
            where
                T: Unpin,
            {
                #[inline]
                fn deref_mut(&mut self) -> &mut T {
                    self.as_pin().get_mut()
                }
            }
        });
    }
    items
}
