// SPDX-License-Identifier: GPL-2.0

//! Cleanup classes and guards that a header defines in the kernel's cleanup.h idiom.

use super::lexer;
use super::lexer::Kind;
use super::lexer::Token;
use crate::source::FileId;
use crate::source::Sources;
use crate::source::Span;

/// Which macro defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassKind {
    /// `DEFINE_GUARD` or `DEFINE_LOCK_GUARD_1`
    Guard,
    /// `DEFINE_GUARD_COND`: a guard that may not be had
    Conditional,
    /// `DEFINE_FREE`
    Free,
}

/// The results by which a function reports that it took a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// Zero.
    Zero,
    /// Everything but zero.
    Nonzero,
}

/// A cleanup class.
#[derive(Clone, Debug)]
pub struct Class {
    /// Which macro defines it.
    pub kind: ClassKind,
    /// The class's name.
    pub name: String,
    /// The tag of the structure that it is about; empty for a conditional guard, which has the name of
    /// another guard.
    pub record: String,
    /// The function that enters, for a guard.
    pub enter: Option<String>,
    /// The function that leaves or frees; empty for a conditional guard.
    pub leave: String,
    /// Which result means that entering has succeeded; none if the definition tests for something else.
    pub success: Option<Success>,
    /// The definition.
    pub span: Span,
}

/// The classes that a file defines.
pub(super) fn find(sources: &Sources, file: FileId) -> Vec<Class> {
    let text = sources.text(file);
    let tokens = lexer::lex(text);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let kind = match token.text.as_str() {
            "DEFINE_GUARD" | "DEFINE_LOCK_GUARD_1" => ClassKind::Guard,
            "DEFINE_GUARD_COND" => ClassKind::Conditional,
            "DEFINE_FREE" => ClassKind::Free,
            _ => continue,
        };
        let Some(close) = lexer::closing(&tokens, index + 1) else {
            continue;
        };
        let inner = tokens.get(index + 2..close).unwrap_or_default();
        let args = split(inner);
        let span = Span {
            file,
            start: token.range.start,
            end: tokens[close].range.end,
        };
        found.extend(class(kind, &args, span));
    }
    found
}

fn class(kind: ClassKind, args: &[&[Token]], span: Span) -> Option<Class> {
    let name = args.first()?.first()?.text.clone();
    if kind == ClassKind::Conditional {
        let test: String = args
            .get(3)
            .into_iter()
            .flat_map(|arg| arg.iter())
            .map(|t| t.text.as_str())
            .collect();
        let enter = Some(called(args.get(2)?)?);
        let success = match test.as_str() {
            "_RET==0" | "!_RET" => Some(Success::Zero),
            "" | "_RET" | "_RET!=0" => Some(Success::Nonzero),
            _ => None,
        };
        return Some(Class {
            kind,
            name,
            record: String::new(),
            enter,
            leave: String::new(),
            success,
            span,
        });
    }
    let ty = args.get(1)?;
    let tag = ty.iter().position(|t| t.text == "struct")?;
    let record = ty.get(tag + 1)?.text.clone();
    let (enter, leave) = match kind {
        ClassKind::Free => (None, called(args.get(2)?)?),
        _ => (Some(called(args.get(2)?)?), called(args.get(3)?)?),
    };
    Some(Class {
        kind,
        name,
        record,
        enter,
        leave,
        success: None,
        span,
    })
}

/// The function that an expression calls last; `if (_T) put(_T)` calls `put`.
fn called(tokens: &[Token]) -> Option<String> {
    let call = tokens.windows(2).rev().find(|pair| {
        pair[0].kind == Kind::Name && pair[0].text != "if" && pair[1].kind == Kind::Mark('(')
    })?;
    Some(call[0].text.clone())
}

fn split(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Mark('(') => depth += 1,
            Kind::Mark(')') => depth -= 1,
            Kind::Mark(',') if depth == 0 => {
                parts.push(&tokens[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&tokens[start..]);
    parts
}
