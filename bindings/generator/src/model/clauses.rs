// SPDX-License-Identifier: GPL-2.0

//! The clauses of a contract: each kind of declaration takes the clauses that it knows. Clauses that
//! are left over are errors.

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::read::terms::Term;
use crate::read::terms::Value;
use crate::read::Contract;
use crate::source::Span;

/// Every clause, and the kinds of declarations that it may be on.
///
/// The kinds: `s`tructure, `e`numeration, `t`ypedef, `f`unction, `p`arameter, fiel`d`, parameter of a `c`allback.
pub const VOCABULARY: &[(&str, &str)] = &[
    ("object", "sd"),
    ("pinned", "s"),
    ("foreign", "s"),
    ("send", "s"),
    ("sync", "s"),
    ("data", "s"),
    ("zeroed", "s"),
    ("record", "s"),
    ("ops", "s"),
    ("section", "s"),
    ("field", "s"),
    ("confined", "sd"),
    ("choice", "epcd"),
    ("open", "e"),
    ("flags", "epcd"),
    ("tagged", "etpcd"),
    ("jiffies", "pcd"),
    ("constructor", "f"),
    ("destructor", "f"),
    ("deferred", "f"),
    ("waits", "f"),
    ("leaked", "f"),
    ("reaped", "f"),
    ("get", "f"),
    ("put", "f"),
    ("lock", "f"),
    ("trylock", "f"),
    ("unlock", "f"),
    ("unbound", "f"),
    ("scoped", "f"),
    ("requires", "fd"),
    ("errno", "fd"),
    ("plain", "fd"),
    ("owned", "fc"),
    ("borrowed", "f"),
    ("nullable", "fp"),
    ("nonnull", "fpc"),
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
    ("kept", "p"),
    ("borrows", "pc"),
    ("outlives", "p"),
    ("slice", "pd"),
    ("identity", "pc"),
    ("cookie", "p"),
    ("out", "p"),
    ("callback", "pd"),
    ("closure", "pc"),
    ("member", "d"),
    ("param", "d"),
    ("block", "d"),
    ("given", "d"),
    ("room", "d"),
    ("hidden", "de"),
    ("constant", "fd"),
    ("required", "d"),
    ("optional", "d"),
];

/// The name of a kind in messages.
pub fn place_name(place: char) -> &'static str {
    match place {
        's' => "a structure",
        'e' => "an enumeration",
        't' => "a typedef",
        'f' => "a function",
        'p' => "a parameter",
        'c' => "a parameter of a callback",
        _ => "a field",
    }
}

/// The clauses of one contract that have not been taken yet.
pub struct Clauses<'a> {
    place: char,
    left: Vec<&'a Term>,
    /// The position of the contract, or of the declaration if it has none.
    pub span: Span,
}

impl<'a> Clauses<'a> {
    /// The clauses of `contract`, on a declaration of the kind `place` (see [`VOCABULARY`]).
    pub fn new(place: char, contract: &'a Contract, declaration: Span) -> Self {
        Clauses {
            place,
            left: contract.terms.iter().collect(),
            span: contract.span.unwrap_or(declaration),
        }
    }

    /// Take the clause `clause`, with its arguments.
    pub fn take(&mut self, clause: &str) -> Option<&'a Term> {
        let at = self
            .left
            .iter()
            .position(|term| term.name() == Some(clause))?;
        Some(self.left.remove(at))
    }

    /// Take a clause without arguments.
    pub fn flag(&mut self, clause: &str, diagnostics: &mut Diagnostics) -> bool {
        let Some(term) = self.take(clause) else {
            return false;
        };
        if !term.args.is_empty() || term.equals.is_some() {
            diagnostics.push(
                Diagnostic::error(
                    term.span,
                    format!("`{clause}` has no arguments"),
                    format!("expected `{clause}` alone"),
                )
                .help(format!("write `{clause}`")),
            );
        }
        true
    }

    /// Take a clause `clause("Name")`, and return the name.
    pub fn named(
        &mut self,
        clause: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<(String, &'a Term)> {
        let term = self.take(clause)?;
        match first_name(term) {
            Some(name) if ["name", "foreign"].contains(&clause) => {
                in_rust(clause, &name, term, diagnostics).then_some((name, term))
            }
            Some(name) if is_type_name(&name) => Some((name, term)),
            Some(name) => {
                let better = camel(&name);
                diagnostics.push(
                    Diagnostic::error(
                        term.args[0].span,
                        format!("`{name}` is not a valid name for a type"),
                        "expected a name in CamelCase",
                    )
                    .help(format!("write `{clause}(\"{better}\")`")),
                );
                None
            }
            None => {
                diagnostics.push(
                    Diagnostic::error(
                        term.span,
                        format!("`{clause}` needs a name"),
                        format!("expected `{clause}(\"Name\")`"),
                    )
                    .help(format!(
                        "write `{clause}(\"Name\")`, with the name on the typed side"
                    )),
                );
                None
            }
        }
    }

    /// Report the clauses that were not taken.
    pub fn finish(self, diagnostics: &mut Diagnostics) {
        for term in &self.left {
            diagnostics.push(self.unknown(term));
        }
    }

    fn unknown(&self, term: &Term) -> Diagnostic {
        let Some(clause) = term.name() else {
            return Diagnostic::error(
                term.span,
                "a clause does not begin with a name",
                "expected a clause",
            )
            .help("strings and numbers are arguments of a clause: object(\"Name\")");
        };
        let here = place_name(self.place);
        let known = VOCABULARY.iter().find(|(known, _)| *known == clause);
        if let Some((_, places)) = known {
            if places.contains(self.place) {
                return Diagnostic::error(
                    term.span,
                    format!("`{clause}` does not fit the rest of this contract"),
                    "either it is here twice, or another clause excludes it",
                )
                .help("docs/contracts.md lists what each clause is for");
            }
            let where_to = places
                .chars()
                .map(place_name)
                .collect::<Vec<_>>()
                .join(" or ");
            return Diagnostic::error(
                term.name_span,
                format!("`{clause}` is not allowed on {here}"),
                format!("expected on {where_to}"),
            )
            .help(format!("move `{clause}` to {where_to}, or remove it"));
        }
        let error = Diagnostic::error(
            term.name_span,
            format!("`{clause}` is not a clause"),
            format!("expected a clause for {here}"),
        );
        match self.nearest(clause) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!(
                "the clauses for {here}: {}",
                self.known().join(", ")
            )),
        }
    }

    fn known(&self) -> Vec<&'static str> {
        let here = VOCABULARY
            .iter()
            .filter(|(_, places)| places.contains(self.place));
        here.map(|(clause, _)| *clause).collect()
    }

    fn nearest(&self, clause: &str) -> Option<&'static str> {
        let distances = self
            .known()
            .into_iter()
            .map(|known| (distance(clause, known), known));
        let (far, near) = distances.min()?;
        (far <= 1 + clause.len() / 4).then_some(near)
    }
}

/// The first argument of a clause, if it is a name, quoted or not.
pub fn first_name(term: &Term) -> Option<String> {
    match &term.args.first()?.value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        Value::Name(name) => Some(name.clone()),
        _ => None,
    }
}

/// The tag of an integer that is `jiffies`. An enumeration cannot have it, as it has spaces.
pub const JIFFIES: &str = "time in jiffies";

/// Take the clause for the type of an integer: `tagged(tag)`, `flags(tag)`, `choice(tag)` or
/// `jiffies`.
pub fn integer_tag(clauses: &mut Clauses<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let mut tag = clauses
        .flag("jiffies", diagnostics)
        .then(|| JIFFIES.to_owned());
    for kind in ["tagged", "flags", "choice"] {
        let Some(term) = clauses.take(kind) else {
            continue;
        };
        let named = first_name(term);
        let error = match (&tag, &named) {
            (Some(_), _) => "an integer has one type",
            (None, None) => "the type of the integer is not named",
            (None, Some(_)) => {
                tag = named;
                continue;
            }
        };
        diagnostics.push(
            Diagnostic::error(term.span, error, format!("expected `{kind}(tag)` alone"))
                .help("name the enumeration or typedef that is the type of the integer"),
        );
    }
    tag
}

/// The argument of a clause that begins with `clause`.
pub fn argument<'a>(term: &'a Term, clause: &str) -> Option<&'a Term> {
    term.args.iter().find(|arg| arg.name() == Some(clause))
}

pub(super) fn is_type_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// How a name of C is written in Rust: a keyword has an underscore, as in what bindgen writes.
pub fn written(name: &str) -> String {
    match syn::parse_str::<syn::Ident>(name) {
        Ok(_) => name.to_owned(),
        Err(_) => format!("{name}_"),
    }
}

/// Whether that name, or that path, is valid in Rust; report it if not.
fn in_rust(clause: &str, name: &str, term: &Term, diagnostics: &mut Diagnostics) -> bool {
    let (known, what, better) = match clause {
        "foreign" => (
            syn::parse_str::<syn::Path>(name).is_ok(),
            "a path",
            "crate::mm::MmWithUser".to_owned(),
        ),
        _ => {
            let letter = |c: char| {
                if c.is_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '_'
                }
            };
            (
                syn::parse_str::<syn::Ident>(name).is_ok(),
                "a name",
                written(&name.chars().map(letter).collect::<String>()),
            )
        }
    };
    if !known {
        diagnostics.push(
            Diagnostic::error(
                term.args[0].span,
                format!("`{name}` is not {what} in Rust"),
                format!("expected {what} in Rust"),
            )
            .help(format!("for example, write `{clause}(\"{better}\")`")),
        );
    }
    known
}

/// `rw_semaphore` as `RwSemaphore`.
pub fn camel(name: &str) -> String {
    let parts = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty());
    let mut out = String::new();
    for part in parts {
        let (head, tail) = part.split_at(1);
        out.push_str(&head.to_ascii_uppercase());
        let shouted = tail.chars().all(|c| !c.is_ascii_lowercase());
        out.push_str(&if shouted {
            tail.to_ascii_lowercase()
        } else {
            tail.to_owned()
        });
    }
    out
}

/// The edit distance from `a` to `b`.
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
