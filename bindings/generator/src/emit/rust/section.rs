// SPDX-License-Identifier: GPL-2.0

//! Sections: a method that runs a closure inside, and the view that only the closure sees.

use super::function;
use super::function::Receiver;
use super::iterator;
use super::layout;
use super::types;
use super::types::ident;
use crate::check::reason;
use crate::emit::prose;
use crate::model::Given;
use crate::model::Object;
use crate::model::Section;
use crate::plan::Entered;
use crate::plan::Run;
use crate::plan::Sequence;
use proc_macro2::Ident;
use proc_macro2::TokenStream;
use quote::format_ident;
use quote::quote;

/// The method of the object that runs a section.
pub(super) fn method(run: &Run) -> TokenStream {
    match run {
        Run::Entered(entered) => self::entered(entered),
        Run::Sequence(sequence) => self::sequence(sequence),
    }
}

/// The fields of a section's state, and the parameters that some of them are set from.
#[derive(Default)]
struct State<'a> {
    decls: Vec<TokenStream>,
    names: Vec<Ident>,
    fields: Vec<TokenStream>,
    /// Parameters that may be left out.
    optional: Vec<(&'a Given, TokenStream)>,
    /// The statement that provides an array.
    room: Option<TokenStream>,
}

impl<'a> State<'a> {
    fn new(entered: &'a Entered) -> Self {
        let mut state = State::default();
        entered
            .section
            .given
            .iter()
            .for_each(|given| state.given(&entered.section, given));
        state.fields.extend(entered.set.iter().map(|set| {
            let (field, constant) = (ident(&set.field), ident(&set.bound));
            quote! { #field: bindings::#constant }
        }));
        state.provide_room(entered);
        state
    }

    fn given(&mut self, section: &Section, given: &'a Given) {
        let field = types::field(&given.name);
        if given.ty.pointee_record() == Some(&section.of) {
            return self.fields.push(quote! { #field: self.as_raw() });
        }
        let rust = types::rust(&given.typed);
        // The closure, and the array that C fills, have these names.
        let name = match given.name.as_str() {
            taken @ ("body" | "room") => format_ident!("{taken}_"),
            _ => field.clone(),
        };
        match given.optional {
            true => self.optional.push((given, quote! { #name: #rust })),
            false => {
                self.decls.push(quote! { #name: #rust });
                self.names.push(name.clone());
            }
        }
        let value = types::into_c(&given.typed, &quote! { #name }, false);
        self.fields.push(match value.to_string() == given.name {
            true => quote! { #field },
            false => quote! { #field: #value },
        });
    }

    fn provide_room(&mut self, entered: &Entered) {
        let Some((room, elements)) = &entered.room else {
            return;
        };
        let (field, length, count) = (ident(&room.field), ident(&room.length), ident(&room.count));
        let elem = ident(elements.int);
        self.fields
            .push(quote! { #field: room.as_mut_ptr().cast() });
        self.fields.push(match elements.exact {
            true => quote! { #length: bindings::#count },
            false => quote! { #length: bindings::#count as _ },
        });
        self.room = Some(quote! {
            let mut room = [const { MaybeUninit::<#elem>::uninit() }; bindings::#count as usize];
        });
    }
}

/// The type of the closure, and its call for one round.
fn body(entered: &Entered) -> (TokenStream, TokenStream) {
    let view = ident(&entered.section.name);
    let Some(guard) = &entered.data else {
        return (
            quote! { impl for<'s> FnMut(&#view<'s>) -> Result },
            quote! { body(&shown)?; },
        );
    };
    let why = layout::safety(&[reason::Lock::Entered(guard.clone()).into()]);
    let pinned = layout::safety(&[reason::Lock::Pinned.into()]);
    let held = data_name(&entered.section);
    let stored = entered.stored.then(|| quote! { .storage() });
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

fn entered(entered: &Entered) -> TokenStream {
    let section = &entered.section;
    let (view, raw, state) = (
        ident(&section.name),
        ident(&section.tag),
        ident(&entered.state),
    );
    let (next, outcome) = (ident(&entered.enter.c), ident(&entered.outcome.c));
    let next_safety = layout::safety(&[reason::Section::Entering(section.tag.clone()).into()]);
    let outcome_safety = layout::safety(&[reason::Section::Over.into()]);
    let (body_type, body_call) = body(entered);
    let docs = layout::docs(&whole_text(entered), 8);
    let goes_on = match entered.bool {
        true => quote! { unsafe { bindings::#next(&mut state.0) } },
        false => quote! { unsafe { bindings::#next(&mut state.0) != 0 } },
    };
    let found = State::new(entered);
    let (whole, short) = match found.optional.is_empty() {
        true => (ident(&section.method), None),
        false => (
            format_ident!("{}_with", section.method),
            Some(shorter(entered, &found, &body_type)),
        ),
    };
    let (fields, room) = (&found.fields, &found.room);
    let decls = found
        .decls
        .iter()
        .chain(found.optional.iter().map(|(_, decl)| decl));
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
fn shorter(entered: &Entered, found: &State<'_>, body_type: &TokenStream) -> TokenStream {
    let name = ident(&entered.section.method);
    let whole = format_ident!("{}_with", entered.section.method);
    let (decls, names) = (&found.decls, &found.names);
    let optional = found
        .optional
        .iter()
        .map(|(given, _)| format!("`{}`", given.name));
    let docs = layout::docs(
        &format!(
            "{}\n\n# Errors\n\nAs [`Self::{whole}`], to which it gives zero for {}.",
            section_text(entered),
            optional.collect::<Vec<_>>().join(", ")
        ),
        8,
    );
    let zeros = found.optional.iter().map(|_| quote! { 0 });
    quote! {
        #docs
        #[inline]
        pub fn #name(&self, #(#decls,)* body: #body_type) -> Result {
            self.#whole(#(#names,)* #(#zeros,)* body)
        }
    }
}

/// The type by which the closure reaches the user's data.
fn data_name(section: &Section) -> Ident {
    format_ident!("{}Data", section.name)
}

fn section_text(entered: &Entered) -> String {
    let section = &entered.section;
    let own = section
        .text
        .as_ref()
        .or(section.doc.as_ref())
        .or(entered.enter.doc.as_ref());
    let (brief, _) = prose::parts(own);
    let mut text = prose::sentence(
        &brief,
        &format!("Runs a section of `bindings::{}`.", section.of),
    );
    text.push_str(
        "\n\n`body` runs for each batch of the section; its arguments are valid until it \
         returns, and cannot leave it.",
    );
    for (name, doc) in &entered.params {
        let meaning = prose::of_member(Some(doc), "");
        if !meaning.is_empty() {
            text.push_str(&format!("\n\n`{name}`: {meaning}"));
        }
    }
    for set in &entered.set {
        let meaning = prose::of_member(set.doc.as_ref(), "");
        let meaning = if meaning.is_empty() {
            meaning
        } else {
            format!(": {meaning}")
        };
        text.push_str(&format!("\n\n`{}` is `{}`{meaning}", set.field, set.c));
    }
    text
}

/// The same with all that is stated about the section, and with its errors.
fn whole_text(entered: &Entered) -> String {
    let described = entered.section.text.as_ref().or(entered.enter.doc.as_ref());
    let (_, body) = prose::parts(described);
    let body = if body.is_empty() {
        body
    } else {
        format!("\n\n{body}")
    };
    let returns = entered
        .outcome
        .doc
        .as_ref()
        .and_then(|doc| doc.returns.as_deref());
    let ends = match returns
        .map(prose::error_names)
        .filter(|names| !names.is_empty())
    {
        Some(names) => {
            format!(
                ", or with the error that ended the section. Those include {}.",
                prose::list(&names)
            )
        }
        None => ", or with the error that ended the section.".to_owned(),
    };
    format!(
        "{}{body}\n\n# Errors\n\nFails with the error of `body`{ends}",
        section_text(entered)
    )
}

/// The calls by which the caller of a sequence runs its protocol.
struct Protocol {
    begin: TokenStream,
    check: TokenStream,
    /// Whether the data has not changed.
    still: TokenStream,
}

impl Protocol {
    fn new(sequence: &Sequence) -> Self {
        let receiver = Receiver::object(&sequence.section.of);
        let begin_safety = function::justify(&receiver.why, &[]);
        let check_safety =
            layout::safety(&[reason::Section::Sequence(sequence.begin.c.clone()).into()]);
        let (begin, check) = (ident(&sequence.begin.c), ident(&sequence.check.c));
        Protocol {
            begin: quote! {
                #begin_safety
                let sequence = unsafe { bindings::#begin(self.as_raw()) };
            },
            check: quote! {
                #check_safety
                let changed = unsafe { bindings::#check(self.as_raw(), sequence) };
            },
            still: match sequence.bool {
                true => quote! { !changed },
                false => quote! { changed == 0 },
            },
        }
    }
}

fn sequence(sequence: &Sequence) -> TokenStream {
    let section = &sequence.section;
    let text = section.text.as_ref().or(sequence.begin.doc.as_ref());
    let (brief, _) = prose::parts(text);
    let first = prose::sentence(
        &brief,
        &format!("Runs a section of `bindings::{}`.", section.of),
    );
    match &sequence.lock {
        None => repeated(sequence, &first),
        Some((guard, lock)) => prepared(sequence, &first, guard, lock),
    }
}

/// The closure is repeated until nothing has changed.
fn repeated(sequence: &Sequence, first: &str) -> TokenStream {
    let name = ident(&sequence.section.method);
    let Protocol {
        begin,
        check,
        still,
    } = Protocol::new(sequence);
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
                #begin
                let result = body(self);
                #check
                if #still {
                    return result;
                }
            }
        }
    }
}

/// A closure is repeated until nothing has changed, and another runs under the lock.
fn prepared(sequence: &Sequence, first: &str, guard: &str, lock: &str) -> TokenStream {
    let name = ident(&sequence.section.method);
    let (guard, lock) = (ident(guard), ident(lock));
    let with = types::guard_args(&sequence.object);
    let Protocol {
        begin,
        check,
        still,
    } = Protocol::new(sequence);
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
                #begin
                let prepared = prepare()?;
                let mut guard = self.#lock();
                #check
                if #still {
                    return Ok(body(prepared, &mut guard));
                }
            }
        }
    }
}

/// The view and the state of a section.
pub(super) fn items(object: &Object, run: &Run) -> Vec<TokenStream> {
    let Run::Entered(entered) = run else {
        return Vec::new();
    };
    let view = ident(&entered.section.name);
    let receiver = Receiver {
        decl: quote! { &self },
        raw: quote! { self.state },
        why: vec![reason::This::Shown.into()],
    };
    let mut methods: Vec<TokenStream> = entered
        .methods
        .iter()
        .map(|method| function::method(method, &receiver))
        .collect();
    let head = match entered.iterators.is_empty() {
        true => quote! { #view<'_> },
        false => quote! { <'s> #view<'s> },
    };
    methods.extend(entered.iterators.iter().map(iterator::method));
    let mut items = vec![shown(entered)];
    items.extend(entered.first.then(|| state(entered)));
    items.extend(super::inherent(head, &methods));
    items.extend(
        entered
            .data
            .iter()
            .flat_map(|_| data_items(object, &entered.section)),
    );
    let first = entered.iterators.iter().filter(|iterator| iterator.first);
    items.extend(first.map(|found| iterator::item(&entered.section, found)));
    items
}

/// The view.
fn shown(entered: &Entered) -> TokenStream {
    let section = &entered.section;
    let (view, raw) = (ident(&section.name), ident(&section.tag));
    let text = format!(
        "{}\n\nIt exists only inside [`{}::{}`], and values from it cannot be kept.\n\n# Invariants\n\n\
         The section is entered for as long as this exists.",
        prose::of_type(section.doc.as_ref(), &format!("The view that a `bindings::{}` gives.", section.tag)),
        entered.object,
        section.method
    );
    let docs = layout::docs(&prose::with_example(text, &entered.example), 4);
    let brand = types::brand();
    quote! {
        #docs
        pub struct #view<'s> {
            state: &'s bindings::#raw,
            _brand: #brand,
        }
    }
}

/// The state, which leaves the section when it is dropped.
fn state(entered: &Entered) -> TokenStream {
    let (raw, state, leave) = (
        ident(&entered.section.tag),
        ident(&entered.state),
        ident(&entered.leave.c),
    );
    let docs = layout::docs(
        &format!("The state of a section; the section is left when this is dropped (`{leave}`)."),
        4,
    );
    let safety = layout::safety(&[reason::Section::Left(entered.leave.c.clone()).into()]);
    let ignored = function::ignored(&entered.leave.ret);
    quote! {
        #docs
        struct #state(bindings::#raw);

        impl Drop for #state {
            #[inline]
            fn drop(&mut self) {
                #safety
                #ignored unsafe { bindings::#leave(&mut self.0) };
            }
        }
    }
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
