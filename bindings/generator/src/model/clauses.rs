// SPDX-License-Identifier: GPL-2.0

//! Takes a contract apart: each kind of thing takes the words it knows, and what is left over is
//! not a word of the vocabulary at that place.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::terms::Term;
use crate::read::terms::Value;
use crate::read::Contract;
use crate::source::Span;

/// Every word of the vocabulary and the places where it means something.
///
/// The places: `s`tructure, `e`numeration, `t`ypedef, `f`unction, `p`arameter, fiel`d`.
pub const VOCABULARY: &[(&str, &str)] = &[
    ("object", "sd"),
    ("pinned", "s"),
    ("foreign", "s"),
    ("send", "s"),
    ("sync", "s"),
    ("data", "s"),
    ("record", "s"),
    ("ops", "s"),
    ("section", "s"),
    ("field", "s"),
    ("confined", "sd"),
    ("choice", "epd"),
    ("open", "e"),
    ("flags", "epd"),
    ("tagged", "etpd"),
    ("jiffies", "pd"),
    ("constructor", "f"),
    ("destructor", "f"),
    ("deferred", "f"),
    ("get", "f"),
    ("put", "f"),
    ("lock", "f"),
    ("trylock", "f"),
    ("unlock", "f"),
    ("requires", "fd"),
    ("errno", "fd"),
    ("plain", "fd"),
    ("owned", "f"),
    ("borrowed", "f"),
    ("nullable", "fp"),
    ("nonnull", "f"),
    ("may_sleep", "fd"),
    ("atomic", "fd"),
    ("macro", "f"),
    ("method", "f"),
    ("unsafe", "f"),
    ("stage", "f"),
    ("name", "fd"),
    ("begin", "f"),
    ("check", "f"),
    ("enter", "f"),
    ("leave", "f"),
    ("outcome", "f"),
    ("iterator", "f"),
    ("keeps", "p"),
    ("borrows", "p"),
    ("outlives", "p"),
    ("slice", "pd"),
    ("identity", "p"),
    ("cookie", "p"),
    ("out", "p"),
    ("callback", "p"),
    ("block", "d"),
    ("given", "d"),
    ("room", "d"),
    ("hidden", "de"),
    ("required", "d"),
    ("optional", "d"),
];

/// What a place is called in messages.
pub fn place_name(place: char) -> &'static str {
    match place {
        's' => "a structure",
        'e' => "an enumeration",
        't' => "a typedef",
        'f' => "a function",
        'p' => "a parameter",
        _ => "a field",
    }
}

/// The clauses of one contract that nobody has taken yet.
pub struct Clauses<'a> {
    place: char,
    left: Vec<&'a Term>,
    /// Where the contract is, or the declaration when it has none.
    pub span: Span,
}

impl<'a> Clauses<'a> {
    /// The clauses of `contract`, which stands at a `place` (see [`VOCABULARY`]).
    pub fn new(place: char, contract: &'a Contract, declaration: Span) -> Self {
        Clauses { place, left: contract.terms.iter().collect(), span: contract.span.unwrap_or(declaration) }
    }

    /// Takes the clause that begins with `word`.
    pub fn take(&mut self, word: &str) -> Option<&'a Term> {
        let at = self.left.iter().position(|term| term.word() == Some(word))?;
        Some(self.left.remove(at))
    }

    /// Takes a clause that is the word alone.
    pub fn flag(&mut self, word: &str, diagnostics: &mut Diagnostics) -> bool {
        let Some(term) = self.take(word) else { return false };
        if !term.args.is_empty() || term.equals.is_some() {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    format!("`{word}` takes nothing in parentheses"),
                    format!("expected `{word}` alone"),
                )
                .help(format!("write `{word}`")),
            );
        }
        true
    }

    /// Takes a clause `word("Name")` and gives the name.
    pub fn named(&mut self, word: &str, diagnostics: &mut Diagnostics) -> Option<(String, &'a Term)> {
        let term = self.take(word)?;
        match first_name(term) {
            Some(name) if ["name", "foreign"].contains(&word) => {
                in_rust(word, &name, term, diagnostics).then_some((name, term))
            }
            Some(name) if is_type_name(&name) => Some((name, term)),
            Some(name) => {
                let better = camel(&name);
                diagnostics.push(
                    Diagnostic::error(
                        term.args[0].span,
                        format!("`{name}` is not a good name for a type"),
                        "expected a name in CamelCase",
                    )
                    .help(format!("write `{word}(\"{better}\")`")),
                );
                None
            }
            None => {
                diagnostics.push(
                    Diagnostic::error(
                        term.span,
                        format!("`{word}` needs a name"),
                        format!("expected `{word}(\"Name\")`"),
                    )
                    .help(format!("write `{word}(\"Name\")`, the name that the typed side gives it")),
                );
                None
            }
        }
    }

    /// Complains about what was not taken.
    pub fn finish(self, diagnostics: &mut Diagnostics) {
        for term in &self.left {
            diagnostics.push(self.unknown(term));
        }
    }

    fn unknown(&self, term: &Term) -> Diagnostic {
        let Some(word) = term.word() else {
            return Diagnostic::error(
                term.span,
                "a clause does not begin with a word",
                "expected a word of the vocabulary",
            )
            .help("a string or number stands inside the parentheses of a word: object(\"Name\")");
        };
        let here = place_name(self.place);
        let known = VOCABULARY.iter().find(|(known, _)| *known == word);
        if let Some((_, places)) = known {
            if places.contains(self.place) {
                return Diagnostic::error(
                    term.span,
                    format!("`{word}` does not go with the rest of this contract"),
                    "either it is here twice, or another word has made it meaningless",
                )
                .help("docs/contracts.md says what each word goes with");
            }
            let where_to = places.chars().map(place_name).collect::<Vec<_>>().join(" or ");
            return Diagnostic::error(
                term.name_span,
                format!("`{word}` means nothing on {here}"),
                format!("expected on {where_to}"),
            )
            .help(format!("move `{word}` to {where_to}, or take it away"));
        }
        let error = Diagnostic::error(
            term.name_span,
            format!("`{word}` is not a word of the vocabulary"),
            format!("expected a word that goes on {here}"),
        );
        match self.nearest(word) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("the words for {here}: {}", self.words().join(", "))),
        }
    }

    fn words(&self) -> Vec<&'static str> {
        let here = VOCABULARY.iter().filter(|(_, places)| places.contains(self.place));
        here.map(|(word, _)| *word).collect()
    }

    fn nearest(&self, word: &str) -> Option<&'static str> {
        let distances = self.words().into_iter().map(|known| (distance(word, known), known));
        let (far, near) = distances.min()?;
        (far <= 1 + word.len() / 4).then_some(near)
    }
}

/// The first argument of a clause when it is a name, quoted or not.
pub fn first_name(term: &Term) -> Option<String> {
    match &term.args.first()?.value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        Value::Word(word) => Some(word.clone()),
        _ => None,
    }
}

/// The tag of an integer that is `jiffies`, which is no enumeration's: none has a space in it.
pub const JIFFIES: &str = "time in jiffies";

/// Takes the clause with the tag of an integer: `tagged(tag)`, `flags(tag)`, `choice(tag)` or
/// `jiffies`.
pub fn integer_tag(clauses: &mut Clauses<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let mut word = clauses.flag("jiffies", diagnostics).then(|| JIFFIES.to_owned());
    for kind in ["tagged", "flags", "choice"] {
        let Some(term) = clauses.take(kind) else { continue };
        let named = first_name(term);
        let error = match (&word, &named) {
            (Some(_), _) => "an integer holds one word",
            (None, None) => "this does not say which word it is",
            (None, Some(_)) => {
                word = named;
                continue;
            }
        };
        diagnostics.push(
            Diagnostic::error(term.span, error, format!("expected `{kind}(tag)` alone"))
                .help("name the enumeration or typedef that declares the word"),
        );
    }
    word
}

/// The argument of a clause that begins with `word`.
pub fn argument<'a>(term: &'a Term, word: &str) -> Option<&'a Term> {
    term.args.iter().find(|arg| arg.word() == Some(word))
}

pub(super) fn is_type_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Whether Rust can have that name, or that path; complains when not.
fn in_rust(word: &str, name: &str, term: &Term, diagnostics: &mut Diagnostics) -> bool {
    let (known, what, better) = match word {
        "foreign" => {
            (syn::parse_str::<syn::Path>(name).is_ok(), "a path", "crate::mm::MmWithUser".to_owned())
        }
        _ => {
            let letter = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
            (syn::parse_str::<syn::Ident>(name).is_ok(), "a name", name.chars().map(letter).collect())
        }
    };
    if !known {
        diagnostics.push(
            Diagnostic::error(
                term.args[0].span,
                format!("`{name}` is not {what} that Rust can have"),
                format!("expected {what} in Rust"),
            )
            .help(format!("write `{word}(\"{better}\")`, say")),
        );
    }
    known
}

/// `rw_semaphore` as `RwSemaphore`.
pub fn camel(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let mut out = String::new();
    for part in parts {
        let (head, tail) = part.split_at(1);
        out.push_str(&head.to_ascii_uppercase());
        let shouted = tail.chars().all(|c| !c.is_ascii_lowercase());
        out.push_str(&if shouted { tail.to_ascii_lowercase() } else { tail.to_owned() });
    }
    out
}

/// How many letters one must change, add or drop to come from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let change = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
