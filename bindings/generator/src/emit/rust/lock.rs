// SPDX-License-Identifier: GPL-2.0

//! Locks: methods that give guards, and the guards.

use super::function;
use super::function::Receiver;
use super::layout;
use super::types;
use super::types::ident;
use crate::check::reason;
use crate::check::reason::Reason;
use crate::emit::prose;
use crate::model::Guarded;
use crate::model::Object;
use crate::model::Sharing;
use crate::plan::Fails;
use crate::plan::Guard;
use crate::plan::Lock;
use proc_macro2::TokenStream;
use quote::quote;

/// A method that locks: of the object, or of the guard that must be held.
pub(super) fn method(object: &Object, lock: &Lock) -> TokenStream {
    let function = &lock.function;
    let (receiver, owner) = match &lock.held {
        Some(held) => (Receiver::guard(&object.tag, held), quote! { self.owner }),
        None => (Receiver::object(&object.tag), quote! { self }),
    };
    let name = ident(&function.name);
    let arguments = function::arguments(function, &receiver.raw);
    let (decls, before) = (&arguments.decls, &arguments.before);
    let (call, values) = (ident(&function.c), &arguments.values);
    let call = quote! { unsafe { bindings::#call(#(#values),*) } };
    let safety = function::justify(&receiver.why, &arguments.why);
    if function.scoped {
        return scoped(object, lock, &arguments, &owner, &safety, &call);
    }
    let docs = layout::docs(&prose::of_function(function), 8);
    let (must_use, ret, body) = taken(object, lock, &owner, &safety, &call);
    quote! {
        #docs
        #must_use
        #[inline]
        pub fn #name(&self, #(#decls),*) -> #ret { #(#before)* #body }
    }
}

/// A method that holds a lock while a closure runs.
fn scoped(
    object: &Object,
    lock: &Lock,
    arguments: &function::Arguments,
    owner: &TokenStream,
    safety: &TokenStream,
    call: &TokenStream,
) -> TokenStream {
    let with = types::guard_args(object);
    let (name, guard) = (ident(&lock.function.name), ident(&lock.guard));
    let (decls, before) = (&arguments.decls, &arguments.before);
    let runs = prose::runs_under_lock(&lock.function);
    let docs = layout::docs(&prose::of_scoped(&lock.function, runs), 8);
    let taken = layout::comment("INVARIANT: The lock was just taken, and this is dropped here.");
    let field = lock.cookie.then(|| quote! { cookie, });
    let made = quote! {
        #taken
        let mut guard = #guard { owner: #owner, #field _not_send: NotThreadSafe };
    };
    let attempt = |free: TokenStream| {
        quote! {
            #safety
            let taken = #call;
            if #free { return None; }
            #made
            Some(body(&mut guard))
        }
    };
    let (ret, body) = match lock.fails {
        Fails::Never => {
            let cookie = lock.cookie.then(|| quote! { let cookie = });
            (
                quote! { R },
                quote! { #safety #cookie #call; #made body(&mut guard) },
            )
        }
        Fails::Errno => (
            quote! { Result<R> },
            quote! { #safety to_result(#call)?; #made Ok(body(&mut guard)) },
        ),
        Fails::False => (quote! { Option<R> }, attempt(quote! { !taken })),
        Fails::Zero => (quote! { Option<R> }, attempt(quote! { taken == 0 })),
    };
    let must_use = (lock.fails == Fails::False || lock.fails == Fails::Zero)
        .then(|| quote! { #[must_use = "the closure may not have run"] });
    quote! {
        #docs
        #must_use
        #[inline]
        pub fn #name<R>(
            &self,
            #(#decls,)*
            body: impl FnOnce(&mut #guard #with) -> R,
        ) -> #ret { #(#before)* #body }
    }
}

/// The attribute, the result and the body of a method that locks.
fn taken(
    object: &Object,
    lock: &Lock,
    owner: &TokenStream,
    safety: &TokenStream,
    call: &TokenStream,
) -> (TokenStream, TokenStream, TokenStream) {
    let with = types::guard_args(object);
    let guard = ident(&lock.guard);
    let taken = layout::comment(match lock.function.unbound {
        true => "INVARIANT: It was just taken.",
        false => "INVARIANT: The lock was just taken.",
    });
    let field = lock.cookie.then(|| quote! { cookie, });
    let local = (!lock.function.unbound).then(|| quote! { _not_send: NotThreadSafe, });
    let task = lock
        .task
        .then(|| quote! { _task: ARef::from(&**crate::current!()), });
    let made = quote! { #guard { owner: #owner, #field #local #task } };
    let attempt = |test: TokenStream| {
        (
            quote! { #[must_use = "the lock is left at once when the guard is not used"] },
            quote! { Option<#guard #with> },
            quote! {
                #safety
                let taken = #call;
                if #test {
                    #taken
                    Some(#made)
                } else {
                    None
                }
            },
        )
    };
    match lock.fails {
        Fails::Never => {
            let cookie = lock.cookie.then(|| quote! { let cookie = });
            (
                quote! {},
                quote! { #guard #with },
                quote! { #safety #cookie #call; #taken #made },
            )
        }
        Fails::Errno => (
            quote! {},
            quote! { Result<#guard #with> },
            quote! { #safety to_result(#call)?; #taken Ok(#made) },
        ),
        Fails::False => attempt(quote! { taken }),
        Fails::Zero => attempt(quote! { taken != 0 }),
    }
}

/// A guard, and what can be done with it.
pub(super) fn items(object: &Object, guard: &Guard) -> Vec<TokenStream> {
    let name = ident(&guard.name);
    let ty = types::object(object);
    let (bound, args) = types::generics_with_lifetime(object);
    let text = guard_text(object, guard);
    let docs = layout::docs(&text, 4);
    let local = (!guard.unbound).then(|| quote! { _not_send: NotThreadSafe, });
    let task = guard
        .task
        .then(|| quote! { _task: ARef<crate::task::Task>, });
    let field = guard.cookie.as_ref().map(|ty| {
        let ty = types::rust(ty);
        quote! { cookie: #ty, }
    });
    let must_use = (!guard.scoped)
        .then(|| quote! { #[must_use = "the lock is left at once when the guard is not used"] });
    let mut items = vec![quote! {
        #docs
        #must_use
        pub struct #name #bound {
            owner: &'a #ty,
            #field
            #local
            #task
        }
    }];
    items.extend(required(object, guard));
    items.extend(
        guard
            .data
            .iter()
            .flat_map(|sharing| data(object, &guard.name, *sharing)),
    );
    let call = ident(&guard.unlock.c);
    let mut why: Vec<Reason> = vec![if guard.unbound {
        reason::Lock::Taken.into()
    } else {
        reason::Lock::Held.into()
    }];
    why.extend(
        guard
            .cookie
            .as_ref()
            .map(|_| reason::Lock::Cookie("cookie".into()).into()),
    );
    let safety = function::justify(&why, &[]);
    let cookie = guard.cookie.as_ref().map(|_| quote! { , self.cookie });
    let ignored = function::ignored(&guard.unlock.ret);
    items.push(quote! {
        impl #bound Drop for #name #args {
            #[inline]
            fn drop(&mut self) {
                #safety
                #ignored unsafe { bindings::#call(self.owner.as_raw() #cookie) };
            }
        }
    });
    items
}

fn guard_text(object: &Object, guard: &Guard) -> String {
    let cookie = if guard.cookie.is_some() {
        ", and `cookie` is what taking it returned"
    } else {
        ""
    };
    let task = if guard.task {
        " A guard that is leaked (`mem::forget`) leaks its task with it, as the lock may point to that."
    } else {
        ""
    };
    let name = &object.name;
    match guard.unbound {
        true => format!(
            "A [`{name}`] in use.\n\nThe use ends when this is dropped, on any thread.\n\n# Invariants\n\nIt was \
             taken, and is not released as long as this exists{cookie}."
        ),
        false if guard.scoped => format!(
            "A lock of [`{name}`] that is held.\n\nIt exists while a closure runs, which does not own it and so cannot leak it.\n\n# \
             Invariants\n\nThe lock is held by the current thread for as long as this exists{cookie}."
        ),
        false => format!(
            "A lock of [`{name}`] that is held.\n\nIt is released when this is dropped.{task}\n\n# Invariants\n\nThe lock is \
             held by the current thread for as long as this exists{cookie}."
        ),
    }
}

/// Methods that `requires(...)` this guard.
fn required(object: &Object, guard: &Guard) -> Option<TokenStream> {
    let name = ident(&guard.name);
    let (bound, args) = types::generics_with_lifetime(object);
    let methods = guard.methods.iter().map(|method| {
        let receiver = Receiver::guard(&object.tag, &guard.name);
        function::method(
            &method.function,
            &if method.alone {
                receiver.alone()
            } else {
                receiver
            },
        )
    });
    let locks = guard.locks.iter().map(|lock| method(object, lock));
    let members = guard.members.iter().map(|guarded| member(object, guarded));
    super::inherent(
        quote! { #bound #name #args },
        &methods.chain(locks).chain(members).collect::<Vec<_>>(),
    )
}

/// A member that the lock guards.
fn member(object: &Object, guarded: &Guarded) -> TokenStream {
    let name = ident(&guarded.member.name);
    let rust = types::rust(&guarded.member.typed);
    let value = types::from_c(&guarded.member.typed, quote! { value });
    let fallback = format!("The member `{name}`, which the lock guards.");
    let docs = layout::docs(&prose::of_member(guarded.doc.as_ref(), &fallback), 8);
    let safety = layout::safety(&[reason::Lock::Guarded {
        tag: object.tag.clone(),
        lock: guarded.lock.clone(),
    }
    .into()]);
    let field = types::field(&guarded.member.name);
    let read = quote! { unsafe { (*self.owner.as_raw()).#field } };
    let body = match value.to_string() == "value" {
        true => quote! { #safety #read },
        false => quote! { #safety let value = #read; #value },
    };
    quote! {
        #docs
        #[inline]
        pub fn #name(&self) -> #rust { #body }
    }
}

/// Access to the user's data.
fn data(object: &Object, name: &str, sharing: Sharing) -> Vec<TokenStream> {
    let guard = ident(name);
    let stored = types::stored(object);
    let (bound, args) = types::generics_with_lifetime(object);
    let read = layout::safety(&[reason::Lock::SharedData(name.to_owned()).into()]);
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
    if sharing == Sharing::Exclusive {
        let write = layout::safety(&[reason::Lock::ExclusiveData(name.to_owned()).into()]);
        let pinned = layout::safety(&[reason::Lock::Pinned.into()]);
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
