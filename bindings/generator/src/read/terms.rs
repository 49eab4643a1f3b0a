// SPDX-License-Identifier: GPL-2.0

//! The grammar of contracts.
//!
//! ```text
//! contract := [ term { "," term } ]
//! term     := ( PATH [ "(" contract ")" ] | STRING | NUMBER | "-" NAME ) [ "=" term ]
//! PATH     := NAME { ( "." | "::" | "->" ) NAME }
//! ```

use super::lexer::lex;
use super::lexer::Kind;
use super::lexer::Token;
use crate::diag::Diagnostic;
use crate::source::FileId;
use crate::source::Span;

/// How deep terms may nest; more than any real contract needs.
const DEEPEST: usize = 16;

/// The value of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The keyword of a clause, or a name of something in C.
    Name(String),
    /// A string.
    Text(String),
    /// A number.
    Number(u64),
    /// An error, written as C returns it: `-EBUSY`.
    Errno(String),
}

/// One clause of a contract, or one argument of a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The part before the parentheses.
    pub value: Value,
    /// The arguments in parentheses.
    pub args: Vec<Term>,
    /// Whether there were parentheses.
    pub called: bool,
    /// The term after `=`.
    pub equals: Option<Box<Term>>,
    /// The span of the value alone.
    pub name_span: Span,
    /// The span of the whole term.
    pub span: Span,
}

impl Term {
    /// The keyword or name, if it is one.
    pub fn name(&self) -> Option<&str> {
        match &self.value {
            Value::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The text, if it is a string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Parse the text between the parentheses of one `__contract(...)`.
///
/// `text` is at `offset` in `file`; the spans of the terms refer to that file.
pub fn parse(file: FileId, offset: usize, text: &str) -> Result<Vec<Term>, Diagnostic> {
    let tokens = lex(text);
    let mut parser = Parser {
        file,
        offset,
        end: offset + text.len(),
        tokens: &tokens,
        at: 0,
    };
    let terms = parser.list(0)?;
    match parser.peek() {
        None => Ok(terms),
        Some(token) => Err(Diagnostic::error(
            parser.span(token),
            "unbalanced parentheses in a contract",
            "expected `,` or the end of the contract",
        )),
    }
}

struct Parser<'a> {
    file: FileId,
    offset: usize,
    end: usize,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn peek_mark(&self, mark: char) -> bool {
        self.mark_at(self.at, mark)
    }

    fn mark_at(&self, at: usize, mark: char) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|t| t.kind == Kind::Mark(mark))
    }

    fn span(&self, token: &Token) -> Span {
        Span {
            file: self.file,
            start: self.offset + token.range.start,
            end: self.offset + token.range.end,
        }
    }

    fn here(&self) -> Span {
        let empty = Span {
            file: self.file,
            start: self.end,
            end: self.end,
        };
        self.peek().map_or(empty, |token| self.span(token))
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Term>, Diagnostic> {
        let mut terms = Vec::new();
        if self.peek().is_none() || self.peek_mark(')') {
            return Ok(terms);
        }
        loop {
            terms.push(self.term(depth)?);
            if !self.peek_mark(',') {
                return Ok(terms);
            }
            self.at += 1;
        }
    }

    fn term(&mut self, depth: usize) -> Result<Term, Diagnostic> {
        if depth > DEEPEST {
            return Err(Diagnostic::error(
                self.here(),
                "a contract nests too deeply",
                format!("expected at most {DEEPEST} levels of parentheses"),
            ));
        }
        let (value, name_span) = self.value()?;
        let mut span = name_span;
        let mut args = Vec::new();
        let called = self.peek_mark('(') && matches!(value, Value::Name(_));
        if called {
            let open = self.here();
            self.at += 1;
            args = self.list(depth + 1)?;
            if !self.peek_mark(')') {
                return Err(
                    Diagnostic::error(self.here(), "a `(` has no `)`", "expected `)`")
                        .note(open, "opened here"),
                );
            }
            span = span.to(self.here());
            self.at += 1;
        }
        let mut equals = None;
        if self.peek_mark('=') {
            self.at += 1;
            let right = self.term(depth + 1)?;
            span = span.to(right.span);
            equals = Some(Box::new(right));
        }
        Ok(Term {
            value,
            args,
            called,
            equals,
            name_span,
            span,
        })
    }

    fn value(&mut self) -> Result<(Value, Span), Diagnostic> {
        let here = self.here();
        let Some(token) = self.peek() else {
            return Err(
                Diagnostic::error(here, "a contract ends too early", "expected a clause")
                    .help("remove the last comma"),
            );
        };
        self.at += 1;
        match &token.kind {
            Kind::Name => Ok(self.path(here)),
            Kind::Text(text) => Ok((Value::Text(text.clone()), here)),
            Kind::Number => self.number(token),
            Kind::Mark('-') => self.errno(here),
            Kind::Unclosed => Err(Diagnostic::error(
                here,
                "a string has no end",
                "expected a closing `\"` on this line",
            )),
            Kind::Mark(mark) => Err(Diagnostic::error(
                here,
                format!("a clause cannot begin with `{mark}`"),
                "expected a name, a string, a number or an error such as -EBUSY",
            )),
        }
    }

    /// A name, or names joined by `.`, `->` or `::`, without white space.
    fn path(&mut self, first: Span) -> (Value, Span) {
        let mut span = first;
        let mut text = self.raw(self.at - 1).to_owned();
        loop {
            let (joint, width) = if self.peek_mark('.') {
                (".", 1)
            } else if self.peek_mark(':') && self.mark_at(self.at + 1, ':') {
                ("::", 2)
            } else if self.peek_mark('-') && self.mark_at(self.at + 1, '>') {
                ("->", 2)
            } else {
                break;
            };
            let Some(token) = self.tokens.get(self.at + width) else {
                break;
            };
            if token.kind != Kind::Name {
                break;
            }
            self.at += width + 1;
            text.push_str(joint);
            text.push_str(self.raw(self.at - 1));
            span = span.to(self.span(token));
        }
        (Value::Name(text), span)
    }

    fn raw(&self, index: usize) -> &'a str {
        self.tokens
            .get(index)
            .map_or("", |token| token.text.as_str())
    }

    fn number(&mut self, token: &Token) -> Result<(Value, Span), Diagnostic> {
        let span = self.span(token);
        let digits = token.text.trim_end_matches(['u', 'U', 'l', 'L']);
        let parsed = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        match parsed {
            Ok(number) => Ok((Value::Number(number), span)),
            Err(_) => Err(Diagnostic::error(
                span,
                format!("`{}` is not a number", token.text),
                "expected a decimal or 0x number that fits 64 bits",
            )),
        }
    }

    fn errno(&mut self, minus: Span) -> Result<(Value, Span), Diagnostic> {
        let here = self.here();
        match self.peek() {
            Some(token) if token.kind == Kind::Name && token.text.starts_with('E') => {
                self.at += 1;
                Ok((Value::Errno(token.text.clone()), minus.to(here)))
            }
            _ => Err(Diagnostic::error(
                minus.to(here),
                "a `-` is not followed by an error",
                "expected the name of an errno, such as -EBUSY",
            )),
        }
    }
}
