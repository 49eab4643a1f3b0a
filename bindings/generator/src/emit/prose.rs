// SPDX-License-Identifier: GPL-2.0

//! kernel-doc as Markdown.

use crate::model::Context;
use crate::model::Errno;
use crate::model::Function;
use crate::model::Object;
use crate::model::Role;
use crate::plan::Example;
use crate::plan::Module;
use crate::read::Doc;

/// The width to which comments are filled, without their indentation.
const WIDTH: usize = 92;

/// Convert kernel-doc markup to Markdown.
pub fn markdown(text: &str) -> String {
    let mut out = String::new();
    let mut literal = false;
    for line in text.lines() {
        let opens = line.trim_end().ends_with("::") && !literal;
        if literal && !line.is_empty() && !line.starts_with(['\t', ' ']) {
            close(&mut out);
            literal = false;
        }
        if literal {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        let line = if opens {
            line.trim_end().trim_end_matches(':')
        } else {
            line
        };
        out.push_str(&inline(line));
        out.push_str(if opens { ":\n\n```text\n" } else { "\n" });
        literal = opens;
    }
    if literal {
        close(&mut out);
    }
    out.replace("```text\n\n", "```text\n").trim().to_owned()
}

fn close(out: &mut String) {
    let body = out.trim_end().len();
    out.truncate(body);
    out.push_str("\n```\n\n");
}

/// `&struct foo`, `%FOO`, `@foo` and `foo()` as code.
fn inline(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let starts = !before.is_alphanumeric() && !"_`>.".contains(before);
        let sigil = starts && "&%@".contains(c);
        let body = if sigil { &rest[1..] } else { rest };
        let length = match sigil {
            true => marked(body),
            false if starts && (c.is_alphabetic() || c == '_') => call(body),
            false => 0,
        };
        if length > 0 {
            let at = usize::from(sigil);
            out.push('`');
            out.push_str(&rest[at..at + length]);
            out.push('`');
            rest = &rest[at + length..];
            before = '`';
            continue;
        }
        out.push(c);
        before = c;
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// The length of the name that a sigil marks.
fn marked(text: &str) -> usize {
    let kind = ["struct ", "enum ", "typedef ", "union "];
    let start = kind
        .iter()
        .find(|kind| text.starts_with(**kind))
        .map_or(0, |kind| kind.len());
    let rest = &text[start..];
    let mut end = 0;
    for (at, c) in rest.char_indices() {
        let joint = (c == '.' && rest[at + 1..].starts_with(|c: char| c.is_alphabetic()))
            || rest[at..].starts_with("->")
            || (c == '>' && rest[..at].ends_with('-'));
        if !c.is_alphanumeric() && c != '_' && !joint {
            break;
        }
        end = at + c.len_utf8();
    }
    match end {
        0 => 0,
        _ => start + end,
    }
}

/// The length of `name()`.
fn call(text: &str) -> usize {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    match text[end..].starts_with("()") {
        true => end + 2,
        false => 0,
    }
}

/// The paragraphs and list items of a text that are about more than C: without code in C, calls of C functions, structures by their tags,
/// `NULL`, members by `->` and error numbers as C has them. What Rust should state instead stands in a text of its own
/// (`Run::examples`).
pub fn in_rust(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut code = false;
    for paragraph in text.split("\n\n") {
        let fences = paragraph.matches("```").count();
        if code || fences > 0 {
            code ^= fences % 2 == 1;
            // What announces the code goes with it.
            if parts.last().is_some_and(|before| before.ends_with(':')) {
                parts.pop();
            }
            continue;
        }
        parts.push(match is_item(paragraph.trim_start()) {
            true => items(paragraph)
                .into_iter()
                .filter(|item| !of_c(item) && !is_success(item))
                .collect::<Vec<_>>()
                .join("\n"),
            // A sentence may refer to those before it, so that a paragraph goes as a whole.
            false if of_c(paragraph) => String::new(),
            false => paragraph.to_owned(),
        });
    }
    join(parts)
}

/// The items of a list, with the lines that belong to each.
fn items(paragraph: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in paragraph.lines() {
        match items.last_mut() {
            Some(item) if !is_item(line.trim_start()) => item.extend(["\n", line]),
            _ => items.push(line.to_owned()),
        }
    }
    items
}

/// Whether an item of a list of results is about C's zero for success.
fn is_success(item: &str) -> bool {
    item.trim_start_matches(['*', '-', ' ']).starts_with("0 ")
}

/// Whether a text states something in terms of C.
fn of_c(text: &str) -> bool {
    let called = text
        .match_indices("()")
        .any(|(at, _)| text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
    let parts: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && !"_-.".contains(c))
        .collect();
    let parts: Vec<&str> = parts
        .into_iter()
        .map(|part| part.trim_end_matches('.'))
        .collect();
    let tag = |pair: &[&str]| {
        ["struct", "enum", "union"].contains(&pair[0])
            && pair[1].starts_with(|c: char| c.is_lowercase() || c == '_')
    };
    let error = |part: &&str| {
        part.strip_prefix("-E")
            .is_some_and(|rest| rest.len() > 1 && rest.chars().all(|c| c.is_ascii_uppercase()))
    };
    called
        || text.contains("->")
        || text.contains("Context:")
        || parts.windows(2).any(tag)
        || parts
            .iter()
            .any(|part| *part == "NULL" || error(part) || part.ends_with(".h"))
}

/// The documentation of an item, with its example if there is one.
pub fn with_example(text: String, example: &Example) -> String {
    match example {
        Some(example) => format!("{text}\n\n# Examples\n\n```\n{}\n```", example.trim_end()),
        None => text,
    }
}

/// The documentation of a type.
pub fn of_type(doc: Option<&Doc>, fallback: &str) -> String {
    let Some(doc) = doc else {
        return fallback.to_owned();
    };
    join(vec![
        sentence(&in_rust(&doc.brief), fallback),
        in_rust(&markdown(&doc.body)),
    ])
}

/// The brief description, and the other paragraphs, as far as they are about Rust; empty without a text.
pub fn parts(doc: Option<&Doc>) -> (String, String) {
    match doc {
        Some(doc) => (in_rust(&doc.brief), in_rust(&markdown(&doc.body))),
        None => (String::new(), String::new()),
    }
}

/// The documentation of a function: description, result, context and errors.
pub fn of_function(function: &Function) -> String {
    join([description(function), ending(function)].concat())
}

/// The same for a constructor, with the documentation of the fields that are its parameters.
pub fn of_constructor(function: &Function, fields: &str) -> String {
    join(
        [
            description(function),
            vec![fields.trim().to_owned()],
            ending(function),
        ]
        .concat(),
    )
}

/// When the closure of a function runs that holds a lock meanwhile.
pub fn runs_under_lock(function: &Function) -> &'static str {
    match (&function.errno, &function.role) {
        (None, Role::Lock(_)) => {
            "`body` runs under the lock, which is released when it returns; its result is returned."
        }
        _ => {
            "`body` runs under the lock, if that was taken, and the lock is released when it returns; its result is returned."
        }
    }
}

/// When the closure of a function runs that makes an object for it, and when that ends.
pub fn runs_with(object: &Object, function: &Function) -> String {
    let name = &object.name;
    let fails = function.errno.is_some() || function.nullable;
    let made = if fails { ", if one was made" } else { "" };
    let stage = if object.stages.is_empty() {
        ""
    } else {
        ", in any stage"
    };
    format!(
        "`body` is given the [`{name}`]{made}, and its result is returned. The [`{name}`] ends when `body` returns{stage}, also \
         if `body` leaked it (`mem::forget`)."
    )
}

/// The documentation of a function that calls a closure, and when that runs.
pub fn of_scoped(function: &Function, runs: &str) -> String {
    let mut parts = description(function);
    parts.insert(1, runs.to_owned());
    join([parts, ending(function)].concat())
}

/// What is known of a function without a text.
fn undocumented(function: &Function) -> String {
    let call = format!("`bindings::{}`", function.c);
    match &function.role {
        Role::Constructor => format!("Makes one with {call}."),
        Role::Lock(_) => format!("Takes the lock with {call}."),
        Role::TryLock(_) => format!("Tries to take the lock with {call}."),
        Role::Iterator(_) => format!("Iterates with {call}."),
        _ => format!("Calls {call}."),
    }
}

fn description(function: &Function) -> Vec<String> {
    let fallback = undocumented(function);
    let mut parts = Vec::new();
    match &function.doc {
        Some(doc) => {
            parts.push(sentence(&in_rust(&doc.brief), &fallback));
            parts.push(in_rust(&markdown(&doc.body)));
            let shown = function.errno.is_none() || function.plain;
            let returns = doc
                .returns
                .as_deref()
                .filter(|_| shown)
                .map(|text| in_rust(&markdown(text)));
            if let Some(returns) = returns.filter(|text| !text.is_empty()) {
                parts.push(format!("Returns {}", lower_first(&returns)));
            }
        }
        None => parts.push(fallback),
    }
    // The author's text on sleeping is better than the generated one.
    let stated = parts.iter().any(|part| speaks_of_sleep(part));
    match function.context {
        Context::MaySleep if !stated => parts.push("May sleep.".into()),
        Context::Atomic if !stated => parts.push("Never sleeps.".into()),
        _ => {}
    }
    parts
}

/// Whether a text mentions sleeping: as "sleep" or "sleeps", not as part of another name.
pub fn speaks_of_sleep(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic())
        .any(|part| ["sleep", "sleeps"].contains(&part))
}

fn ending(function: &Function) -> Vec<String> {
    let mut parts = Vec::new();
    let promise = function.promise.as_ref();
    parts.extend(promise.map(|why| format!("# Safety\n\nThe caller must promise that {why}.")));
    let returns = function.doc.as_ref().and_then(|doc| doc.returns.as_deref());
    let returns = returns.filter(|_| !function.plain);
    let stated = function
        .doc
        .as_ref()
        .is_some_and(|doc| doc.body.contains("# Errors"));
    parts.extend(
        function
            .errno
            .as_ref()
            .filter(|_| !stated)
            .map(|errno| errors(function, errno, returns)),
    );
    parts
}

fn errors(function: &Function, errno: &Errno, returns: Option<&str>) -> String {
    let mut text = vec!["# Errors".to_owned()];
    let named = returns.map(error_names).unwrap_or_default();
    let named: Vec<String> = named
        .into_iter()
        .filter(|name| !errno.retry.contains(name))
        .collect();
    text.extend(match (errno.errors.is_empty(), named.is_empty()) {
        (false, _) => Some(format!("Fails with {}.", list(&errno.errors))),
        (true, false) => Some(format!("The errors include {}.", list(&named))),
        (true, true) => None,
    });
    if !errno.retry.is_empty() {
        text.push(format!(
            "After {} the call has lost a race; repeat it.",
            list(&errno.retry)
        ));
    }
    if text.len() == 1 {
        text.push(format!(
            "Fails with the error of `bindings::{}`.",
            function.c
        ));
    }
    join(text)
}

/// Names of errors, in a sentence.
pub fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The errors that a `Return:` section names. Its sentences are about C's function; those about the one in Rust stand in a
/// text of its own (`Run::examples`).
pub fn error_names(returns: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in returns.match_indices('E') {
        let rest = &returns[at..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let name = &rest[..end];
        let negative = returns[..at].trim_end_matches(['%', '`']).ends_with('-');
        let upper = name.len() > 1
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if negative && upper && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The description of a member: one paragraph.
pub fn of_member(text: Option<&String>, fallback: &str) -> String {
    let Some(text) = text else {
        return fallback.to_owned();
    };
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    sentence(&in_rust(&joined), fallback)
}

/// The documentation of a callback: paragraphs without their indentation.
pub fn of_callback(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    in_rust(&match text.contains("::\n") {
        true => markdown(text),
        false => capital(&markdown(&lines.join("\n"))),
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// A text of the C side about the whole, with its heading; nothing if all of it is about C.
fn overview(doc: &Doc) -> Vec<String> {
    let text = in_rust(&markdown(&doc.body));
    let heading = !text.trim().is_empty() && !doc.brief.is_empty() && doc.brief != "Overview";
    let heading = heading.then(|| format!("# {}", doc.brief));
    heading.into_iter().chain([text]).collect()
}

/// The documentation at the head of a module.
pub fn of_module(module: &Module) -> String {
    let mut parts = vec![format!(
        "Typed objects for {}.",
        headers(&module.includes, "`")
    )];
    match &module.about {
        Some(about) => parts.push(about.clone()),
        None => parts.extend(module.overviews.iter().flat_map(overview)),
    }
    parts.push(
        "Written by `hmm-bindgen` from the contracts on the C declarations; do not edit.".into(),
    );
    for include in &module.includes {
        parts.push(format!(
            "C header: [`include/{include}`](srctree/include/{include})"
        ));
    }
    join(parts)
}

/// The headers' names, joined.
fn headers(includes: &[String], quote: &str) -> String {
    let names = includes
        .iter()
        .map(|include| format!("{quote}{include}{quote}"));
    names.collect::<Vec<_>>().join(" and ")
}

fn join(parts: Vec<String>) -> String {
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.collect::<Vec<_>>().join("\n\n")
}

/// A brief description as a sentence.
pub fn sentence(text: &str, fallback: &str) -> String {
    let text = inline(text.trim());
    let Some(first) = text.chars().next() else {
        return fallback.to_owned();
    };
    let end = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{}{end}", first.to_uppercase(), &text[first.len_utf8()..])
}

fn lower_first(text: &str) -> String {
    match text.chars().next() {
        Some(first) if !text.starts_with('`') => {
            let second = text[first.len_utf8()..].chars().next();
            if second.is_some_and(|c| c.is_uppercase()) {
                return text.to_owned();
            }
            format!("{}{}", first.to_lowercase(), &text[first.len_utf8()..])
        }
        _ => text.to_owned(),
    }
}

/// Fill paragraphs and list items; leave code and headings unchanged.
pub fn fill(text: &str, indent: usize) -> Vec<String> {
    let width = (WIDTH + 4).saturating_sub(indent);
    let mut lines = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut code = false;
    let flush = |paragraph: &mut Vec<&str>, lines: &mut Vec<String>| {
        if !paragraph.is_empty() {
            lines.extend(wrap(&paragraph.join(" "), width));
            paragraph.clear();
        }
    };
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        let verbatim = code || fence || line.starts_with(['#', '\t']) || line.starts_with("    ");
        let item = is_item(line.trim_start());
        if verbatim || line.trim().is_empty() {
            flush(&mut paragraph, &mut lines);
            lines.push(line.trim_end().replace('\t', "    "));
        } else {
            if item {
                flush(&mut paragraph, &mut lines);
            }
            paragraph.push(line.trim());
        }
        if fence {
            code = !code;
        }
    }
    flush(&mut paragraph, &mut lines);
    lines
}

/// Indent the continuation lines of a list item, so that Markdown keeps them in the item.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let hang = if is_item(text) { "  " } else { "" };
    let mut lines: Vec<String> = Vec::new();
    for part in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + part.chars().count() <= width => {
                line.push(' ');
                line.push_str(part);
            }
            Some(_) => lines.push(format!("{hang}{part}")),
            None => lines.push(part.to_owned()),
        }
    }
    lines
}

fn is_item(line: &str) -> bool {
    line.starts_with("* ") || line.starts_with("- ")
}
