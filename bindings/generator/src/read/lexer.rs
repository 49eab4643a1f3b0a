// SPDX-License-Identifier: GPL-2.0

//! Splits C text into tokens. Enough of C for contracts and for the attribute macros around a
//! declaration: names, numbers, strings and punctuation; comments and white space are dropped.

use std::ops::Range;

/// The kinds of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Name,
    /// A number.
    Number,
    /// A string with its quotes off.
    Text(String),
    /// A string with no end.
    Unclosed,
    /// One character of punctuation.
    Mark(char),
}

/// A token and where it is, counted from the start of the text that was lexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its kind.
    pub kind: Kind,
    /// Its text.
    pub text: String,
    /// Where it is.
    pub range: Range<usize>,
}

/// Split `text`. Never fails: a character that is not C becomes punctuation.
pub fn lex(text: &str) -> Vec<Token> {
    lex_until(text, |_, _| false)
}

/// Split `text` up to the first token that `ends` it, given how many brackets are open before that token.
pub fn lex_until(text: &str, ends: impl Fn(&Kind, usize) -> bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match c {
            _ if c.is_whitespace() => (None, c.len_utf8()),
            '\\' if rest.starts_with("\\\n") => (None, 2),
            '/' if rest.starts_with("/*") => (None, rest.find("*/").map_or(rest.len(), |n| n + 2)),
            '/' if rest.starts_with("//") => (None, rest.find('\n').unwrap_or(rest.len())),
            '"' => string(rest),
            _ if c.is_alphabetic() || c == '_' => (Some(Kind::Name), name_length(rest)),
            _ if c.is_ascii_digit() => (Some(Kind::Number), name_length(rest)),
            _ => (Some(Kind::Mark(c)), c.len_utf8()),
        };
        if let Some(kind) = kind {
            let last = ends(&kind, depth);
            match kind {
                Kind::Mark('(' | '[' | '{') => depth += 1,
                Kind::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            tokens.push(Token {
                kind,
                text: text[at..at + length].to_owned(),
                range: at..at + length,
            });
            if last {
                break;
            }
        }
        at += length;
    }
    tokens
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

fn string(text: &str) -> (Option<Kind>, usize) {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (Some(Kind::Text(value)), at + 1),
            '\n' => return (Some(Kind::Unclosed), at),
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            _ => value.push(c),
        }
    }
    (Some(Kind::Unclosed), text.len())
}

/// The index of the token that closes the bracket at `open`.
pub fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Mark('(' | '[' | '{') => depth += 1,
            Kind::Mark(')' | ']' | '}') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}
