// SPDX-License-Identifier: GPL-2.0

//! Attribute macros that C already has and that are read as contracts. Most of them expand to
//! nothing, so they are looked for in the text around the declaration.

use super::lexer;
use super::lexer::Kind;
use super::lexer::Token;
use crate::source::Sources;
use crate::source::Span;

/// The macros that mean something to us.
pub const KNOWN: &[&str] = &[
    "__must_check",
    "__must_hold",
    "__must_hold_shared",
    "__acquires",
    "__acquires_shared",
    "__releases",
    "__releases_shared",
    "__cond_acquires",
    "__cond_acquires_shared",
    "__counted_by",
    "__counted_by_ptr",
    "__guarded_by",
    "__nonnull_args",
    "__nonnull__",
    "nonnull",
    "__returns_nonnull",
    "__returns_nonnull__",
    "returns_nonnull",
];

/// The macros for what a pointer leads to. They expand to nothing but for sparse, too.
const SPACES: &[&str] = &["__user", "__iomem", "__percpu", "__rcu"];

/// The macro in the text of a declaration, without the parameters of a callback, that states to what address space a pointer
/// leads.
pub(super) fn space(text: &str) -> Option<&'static str> {
    let tokens = lexer::lex_until(text, |kind, depth| depth == 0 && *kind == Kind::Mark('('));
    let named = |token: &Token| {
        SPACES
            .iter()
            .find(|space| token.kind == Kind::Name && token.text == **space)
    };
    tokens.iter().find_map(named).copied()
}

/// The text of a declaration before its name.
pub(super) fn before(sources: &Sources, name: Span) -> &str {
    let text = sources.text(name.file);
    let (start, _) = statement(text, name.start);
    text.get(start..name.start).unwrap_or_default()
}

/// An attribute macro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its arguments, as they are written.
    pub args: Vec<String>,
    /// All of it.
    pub span: Span,
}

/// The attributes of the declaration that has its name at `name`.
pub(super) fn around(sources: &Sources, name: Span) -> Vec<Attribute> {
    let text = sources.text(name.file);
    let (start, end) = statement(text, name.start);
    let part = &text[start..end];
    let tokens = lexer::lex(part);
    let mut found = Vec::new();
    // Up to there the tokens are a contract's, which has clauses with the names of attributes.
    let mut contract = 0;
    for (index, token) in tokens.iter().enumerate() {
        if token.text == "__contract" {
            contract = lexer::closing(&tokens, index + 1).unwrap_or(contract);
        }
        if index >= contract && token.kind == Kind::Name && KNOWN.contains(&token.text.as_str()) {
            found.push(attribute(part, start, &tokens, index, name));
        }
    }
    found
}

fn attribute(part: &str, start: usize, tokens: &[Token], index: usize, near: Span) -> Attribute {
    let token = &tokens[index];
    let mut span = Span {
        file: near.file,
        start: start + token.range.start,
        end: start + token.range.end,
    };
    let mut args = Vec::new();
    let opens = tokens
        .get(index + 1)
        .is_some_and(|t| t.kind == Kind::Mark('('));
    if let Some(close) = lexer::closing(tokens, index + 1).filter(|_| opens) {
        let inner = part[tokens[index + 1].range.end..tokens[close].range.start].to_owned();
        args = inner.split(',').map(|arg| arg.trim().to_owned()).collect();
        span.end = start + tokens[close].range.end;
    }
    Attribute {
        name: token.text.clone(),
        args,
        span,
    }
}

/// The bounds of the declaration around `at`: from after the last `;`, brace, comment or
/// preprocessor line to the next `;` or `{` that is not inside parentheses.
fn statement(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let mut start = before.rfind([';', '{', '}']).map_or(0, |end| end + 1);
    start = before[start..]
        .rfind("*/")
        .map_or(start, |end| start + end + 2);
    // A preprocessor line goes on after its braces.
    let from = before[..start].rfind('\n').unwrap_or(0);
    let directive = before[from..].rfind("\n#").map(|line| {
        let rest = &text[from + line + 1..];
        from + line + 1 + rest.find('\n').unwrap_or(rest.len())
    });
    start = directive
        .filter(|found| *found <= at)
        .map_or(start, |found| found.max(start));
    let mut depth = 0i32;
    for (offset, c) in text[at..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ';' | '{' if depth <= 0 => return (start, at + offset),
            _ => {}
        }
    }
    (start, text.len())
}
