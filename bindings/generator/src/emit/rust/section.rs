// SPDX-License-Identifier: GPL-2.0

//! Sections: a method that runs a closure inside, and the view that only the closure sees.

use super::function;
use super::function::Receiver;
use super::iterator;
use super::layout;
use super::types;
use super::types::ident;
use crate::check::reason::Reason;
use crate::emit::prose;
use crate::model::Api;
use crate::model::Function;
use crate::model::Object;
use crate::model::Protocol;
use crate::model::Role;
use crate::model::Section;
use crate::read::CType;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// The method of the object that runs a section.
pub(super) fn method(api: &Api, object: &Object, section: &Section) -> TokenStream {
    match section.protocol {
        Protocol::Entered => entered(api, object, section),
        Protocol::Sequence => sequence(api, object, section),
    }
}

/// Whether the closure is given the user's data.
fn shows_data(object: &Object, section: &Section) -> bool {
    let held = section.holds.as_ref().map(|(guard, _)| guard);
    object.data.iter().any(|(guard, _)| Some(guard) == held)
}

fn enter<'a>(api: &'a Api, section: &'a Section) -> Option<&'a Function> {
    api.one_in_role(&section.tag, |role| *role == Role::Enter)
}

fn entered(api: &Api, object: &Object, section: &Section) -> TokenStream {
    let name = ident(&section.method);
    let view = ident(&section.name);
    let raw = ident(&section.tag);
    let state = state_name(api, section);
    let outcome = api.one_in_role(&section.tag, |role| *role == Role::Outcome);
    let (Some(enter), Some(outcome)) = (enter(api, section), outcome) else { return quote! {} };
    let mut decls = Vec::new();
    let mut names = Vec::new();
    let mut fields = Vec::new();
    let mut optional = Vec::new();
    for given in &section.given {
        let field = types::field(&given.name);
        if given.ty.pointee_record() == Some(&section.of) {
            fields.push(quote! { #field: self.as_raw() });
            continue;
        }
        let rust = types::rust(&given.typed);
        if given.optional {
            optional.push((given, quote! { #field: #rust }));
        } else {
            decls.push(quote! { #field: #rust });
            names.push(quote! { #field });
        }
        let value = types::into_c(&given.typed, &quote! { #field }, false);
        fields.push(match value.to_string() == given.name {
            true => quote! { #field },
            false => quote! { #field: #value },
        });
    }
    fields.extend(section.set.iter().filter_map(|set| {
        let CType::Enum(tag) = set.ty.plain() else { return None };
        let (field, constant) = (ident(&set.field), format_ident!("{tag}_{}", set.constant));
        Some(quote! { #field: bindings::#constant })
    }));
    let room = section.room.as_ref().map(|room| {
        let (field, length, count) = (ident(&room.field), ident(&room.length), ident(&room.count));
        let CType::Int(elem) = room.elem.plain() else { return quote! {} };
        let elem = ident(elem);
        fields.push(quote! { #field: room.as_mut_ptr().cast() });
        fields.push(match room.length_ty.plain() {
            CType::Int("u32") => quote! { #length: bindings::#count },
            _ => quote! { #length: bindings::#count as _ },
        });
        quote! { let mut room = [const { MaybeUninit::<#elem>::uninit() }; bindings::#count as usize]; }
    });
    let ended = outcome;
    let (next, outcome) = (ident(&enter.c), ident(&outcome.c));
    let next_safety = layout::safety(&[Reason::Entering(section.tag.clone())]);
    let outcome_safety = layout::safety(&[Reason::Over]);
    let data = shows_data(object, section);
    let (body_type, body_call) = match data {
        true => {
            let guard = section.holds.as_ref().map(|(guard, _)| guard.as_str()).unwrap_or_default();
            let why = layout::safety(&[Reason::Entered(guard.to_owned())]);
            let pinned = layout::safety(&[Reason::Pinned]);
            let held = data_name(section);
            let stored = types::stored(object);
            (
                quote! { impl for<'s> FnMut(&#view<'s>, &mut #held<'s, T>) -> Result },
                quote! {
                    #why
                    let data = unsafe { &mut *self #stored.data.get() };
                    #pinned
                    let data = unsafe { Pin::new_unchecked(data) };
                    body(&shown, &mut #held { data, _brand: PhantomData })?;
                },
            )
        }
        false => (quote! { impl for<'s> FnMut(&#view<'s>) -> Result }, quote! { body(&shown)?; }),
    };
    let mut text = section_text(api, section, enter);
    let described = section.text.as_ref().or(enter.doc.as_ref());
    let body = described.map(|doc| prose::in_rust(&prose::markdown(&doc.body))).unwrap_or_default();
    let body = if body.is_empty() { body } else { format!("\n\n{body}") };
    text.push_str(&format!("{body}\n\n# Errors\n\nFails with the error of `body`"));
    let returns = ended.doc.as_ref().and_then(|doc| doc.returns.as_deref());
    text.push_str(&match returns {
        Some(returns) => format!(". {}", prose::in_rust(&prose::failures(returns))),
        None => ", or with the error that ended the section.".to_owned(),
    });
    let docs = layout::docs(&text, 8);
    let goes_on = match enter.ret.plain() {
        CType::Bool => quote! { unsafe { bindings::#next(&mut state.0) } },
        _ => quote! { unsafe { bindings::#next(&mut state.0) != 0 } },
    };
    let (whole, short) = match optional.is_empty() {
        true => (name, None),
        false => {
            let whole = format_ident!("{}_with", section.method);
            let short = shorter(api, section, enter, (&whole, &body_type), (&decls, &names), &optional);
            (whole, Some(short))
        }
    };
    decls.extend(optional.into_iter().map(|(_, decl)| decl));
    quote! {
        #short
        #docs
        pub fn #whole(&self, #(#decls,)* mut body: #body_type) -> Result {
            #room
            let mut state = #state(bindings::#raw {
                #(#fields,)*
                ..pin_init::zeroed()
            });
            loop {
                #next_safety
                let inside = #goes_on;
                if !inside {
                    break;
                }
                let shown = #view { state: &state.0, _brand: PhantomData };
                #body_call
            }
            #outcome_safety
            to_result(unsafe { bindings::#outcome(&state.0) })
        }
    }
}

/// The method without the optional parameters.
fn shorter(
    api: &Api,
    section: &Section,
    enter: &Function,
    (whole, body_type): (&proc_macro2::Ident, &TokenStream),
    (decls, names): (&[TokenStream], &[TokenStream]),
    optional: &[(&crate::model::Given, TokenStream)],
) -> TokenStream {
    let name = ident(&section.method);
    let docs = layout::docs(
        &format!(
            "{}\n\n# Errors\n\nAs [`Self::{whole}`], to which it gives zero for {}.",
            section_text(api, section, enter),
            optional.iter().map(|(given, _)| format!("`{}`", given.name)).collect::<Vec<_>>().join(", ")
        ),
        8,
    );
    let zeros = optional.iter().map(|_| quote! { 0 });
    quote! {
        #docs
        #[inline]
        pub fn #name(&self, #(#decls,)* body: #body_type) -> Result {
            self.#whole(#(#names,)* #(#zeros,)* body)
        }
    }
}

/// The type by which the closure reaches the user's data.
fn data_name(section: &Section) -> proc_macro2::Ident {
    format_ident!("{}Data", section.name)
}

/// The type of the state, which sections of one structure share.
fn state_name(api: &Api, section: &Section) -> proc_macro2::Ident {
    let first = api.section(&section.tag).unwrap_or(section);
    format_ident!("{}State", first.name)
}

fn section_text(api: &Api, section: &Section, enter: &Function) -> String {
    let own = section.text.as_ref().or(section.doc.as_ref()).or(enter.doc.as_ref());
    let brief = own.map(|doc| prose::in_rust(&doc.brief)).unwrap_or_default();
    let mut text = prose::sentence(&brief, &format!("Runs a section of `bindings::{}`.", section.of));
    text.push_str(
        "\n\n`body` runs for each batch of the section; its arguments are valid until it \
         returns, and cannot leave it.",
    );
    let first = api.section(&section.tag).unwrap_or(section);
    for given in &section.given {
        let own = first.given.iter().all(|other| other.field != given.field);
        let doc = section.doc.as_ref().and_then(|doc| doc.members.get(&given.field));
        if let Some(doc) = doc.filter(|_| own) {
            let meaning = prose::of_member(Some(doc), "");
            if !meaning.is_empty() {
                text.push_str(&format!("\n\n`{}`: {meaning}", given.name));
            }
        }
    }
    for set in &section.set {
        let CType::Enum(tag) = set.ty.plain() else { continue };
        let doc = api.choice(tag).and_then(|choice| choice.doc.as_ref());
        let meaning = prose::of_member(doc.and_then(|doc| doc.members.get(&set.constant)), "");
        let meaning = if meaning.is_empty() { meaning } else { format!(": {meaning}") };
        text.push_str(&format!("\n\n`{}` is `{}`{meaning}", set.field, set.constant));
    }
    text
}

fn sequence(api: &Api, object: &Object, section: &Section) -> TokenStream {
    let name = ident(&section.method);
    let find = |role: Role| api.one_in_role(&section.of, move |found| *found == role);
    let begin = find(Role::Begin(section.name.clone()));
    let check = find(Role::Check(section.name.clone()));
    let (Some(begin), Some(check)) = (begin, check) else { return quote! {} };
    let receiver = Receiver::object(&section.of);
    let begin_safety = function::justify(&receiver.why, &[]);
    let check_safety = layout::safety(&[Reason::Sequence(begin.c.clone())]);
    let (begin_call, check_call) = (ident(&begin.c), ident(&check.c));
    let still = match check.ret.plain() {
        CType::Bool => quote! { !changed },
        _ => quote! { changed == 0 },
    };
    let lock = section.holds.as_ref().and_then(|(guard, _)| {
        let role = Role::Lock(guard.clone());
        Some((ident(guard), ident(&api.one_in_role(&section.of, |found| *found == role)?.name)))
    });
    let text = section.text.as_ref().or(begin.doc.as_ref());
    let brief = text.map(|doc| prose::in_rust(&doc.brief)).unwrap_or_default();
    let first = prose::sentence(&brief, &format!("Runs a section of `bindings::{}`.", section.of));
    match lock {
        None => {
            let docs = layout::docs(
                &format!(
                    "{first}\n\n`body` is repeated until the data has not changed while it ran; the result of the \
                     last run is returned."
                ),
                8,
            );
            quote! {
                #docs
                pub fn #name<R>(&self, mut body: impl FnMut(&Self) -> R) -> R {
                    loop {
                        #begin_safety
                        let sequence = unsafe { bindings::#begin_call(self.as_raw()) };
                        let result = body(self);
                        #check_safety
                        let changed = unsafe { bindings::#check_call(self.as_raw(), sequence) };
                        if #still {
                            return result;
                        }
                    }
                }
            }
        }
        Some((guard, lock)) => {
            let with = types::guard_args(object);
            let docs = layout::docs(
                &format!(
                    "{first}\n\n`prepare` runs with no lock held, and is repeated until the data has not changed \
                     meanwhile; then `body` runs once, under the lock, on the value that `prepare` \
                     returned.\n\n# Errors\n\nFails with the error of `prepare`."
                ),
                8,
            );
            quote! {
                #docs
                pub fn #name<P, R>(
                    &self,
                    mut prepare: impl FnMut() -> Result<P>,
                    body: impl FnOnce(P, &mut #guard #with) -> R,
                ) -> Result<R> {
                    loop {
                        #begin_safety
                        let sequence = unsafe { bindings::#begin_call(self.as_raw()) };
                        let prepared = prepare()?;
                        let mut guard = self.#lock();
                        #check_safety
                        let changed = unsafe { bindings::#check_call(self.as_raw(), sequence) };
                        if #still {
                            return Ok(body(prepared, &mut guard));
                        }
                    }
                }
            }
        }
    }
}

/// The view and the state of a section.
pub(super) fn items(api: &Api, object: &Object, section: &Section) -> Vec<TokenStream> {
    if section.protocol == Protocol::Sequence {
        return Vec::new();
    }
    let Some(leave) = api.one_in_role(&section.tag, |role| *role == Role::Leave) else {
        return Vec::new();
    };
    let view = ident(&section.name);
    let raw = ident(&section.tag);
    let state = state_name(api, section);
    let first = api.section(&section.tag).is_some_and(|first| first.name == section.name);
    let leave_call = ident(&leave.c);
    let text = format!(
        "{}\n\nIt exists only inside [`{}::{}`], and values from it cannot be kept.\n\n# Invariants\n\n\
         The section is entered for as long as this exists.",
        prose::of_type(section.doc.as_ref(), &format!("The view that a `bindings::{}` gives.", section.tag)),
        object.name,
        section.method
    );
    let docs = layout::docs(&api.with_example(&section.name, text), 4);
    let state_docs = layout::docs(
        &format!("The state of a section; the section is left when this is dropped (`{}`).", leave.c),
        4,
    );
    let safety = layout::safety(&[Reason::Left(leave.c.clone())]);
    let receiver =
        Receiver { decl: quote! { &self }, raw: quote! { self.state }, why: vec![Reason::SelfIsShown] };
    let mut methods: Vec<TokenStream> = api
        .in_role(&section.tag, |role| *role == Role::Method)
        .map(|method| function::method(api, method, &receiver))
        .collect();
    let iterators = iterator::methods(api, section);
    let head = match iterators.is_empty() {
        true => quote! { #view<'_> },
        false => quote! { <'s> #view<'s> },
    };
    methods.extend(iterators);
    let brand = types::brand();
    let mut items = vec![quote! {
        #docs
        pub struct #view<'s> {
            state: &'s bindings::#raw,
            _brand: #brand,
        }
    }];
    if first {
        items.push(quote! {
            #state_docs
            struct #state(bindings::#raw);

            impl Drop for #state {
                #[inline]
                fn drop(&mut self) {
                    #safety
                    unsafe { bindings::#leave_call(&mut self.0) };
                }
            }
        });
    }
    items.extend(super::inherent(head, &methods));
    if shows_data(object, section) {
        items.extend(data_items(object, section));
    }
    items.extend(iterator::items(api, section));
    items
}

/// The user's data as the closure reaches it.
fn data_items(object: &Object, section: &Section) -> Vec<TokenStream> {
    let held = data_name(section);
    let docs = layout::docs(
        &format!(
            "The data of a [`{}`] inside [`{}::{}`]; values of one section cannot be used with the data of \
             another.",
            object.name, object.name, section.method
        ),
        4,
    );
    let pin = layout::docs("The data, which stays where it is.", 8);
    let brand = types::brand();
    vec![
        quote! {
            #docs
            pub struct #held<'s, T> {
                data: Pin<&'s mut T>,
                _brand: #brand,
            }
        },
        quote! {
            impl<T> #held<'_, T> {
                #pin
                #[inline]
                pub fn as_pin(&mut self) -> Pin<&mut T> {
                    self.data.as_mut()
                }
            }
        },
        quote! {
            impl<T> Deref for #held<'_, T> {
                type Target = T;

                #[inline]
                fn deref(&self) -> &T {
                    &self.data
                }
            }
        },
        quote! {
            impl<T: Unpin> DerefMut for #held<'_, T> {
                #[inline]
                fn deref_mut(&mut self) -> &mut T {
                    &mut self.data
                }
            }
        },
    ]
}
