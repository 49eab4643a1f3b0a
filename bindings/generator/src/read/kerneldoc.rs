// SPDX-License-Identifier: GPL-2.0

//! kernel-doc comments: found in the text, attached to the declarations that they name.

use super::Headers;
use crate::source::FileId;
use std::collections::BTreeMap;

/// A kernel-doc comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doc {
    /// The text after the dash on the first line.
    pub brief: String,
    /// The members or parameters.
    pub members: BTreeMap<String, String>,
    /// The description: paragraphs, divided by empty lines.
    pub body: String,
    /// The `Return:` section.
    pub returns: Option<String>,
    /// The `Context:` section.
    pub context: Option<String>,
}

/// A member that is documented inside the body of its structure.
#[derive(Debug)]
struct Inline {
    file: FileId,
    at: usize,
    name: String,
    text: String,
}

/// All kernel-doc that was found.
#[derive(Debug, Default)]
pub(super) struct Library {
    named: BTreeMap<(Kind, String), Doc>,
    inline: Vec<Inline>,
    overviews: Vec<(FileId, Doc)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Function,
    Struct,
    Enum,
    Typedef,
}

impl Library {
    /// Finds the kernel-doc in a file.
    pub(super) fn scan(&mut self, file: FileId, text: &str) {
        let mut at = 0;
        while let Some(found) = text[at..].find("/**") {
            let start = at + found;
            let Some(length) = text[start + 3..].find("*/") else {
                return;
            };
            let end = start + 3 + length;
            self.comment(file, start, &text[start + 3..end]);
            at = end + 2;
        }
    }

    fn comment(&mut self, file: FileId, at: usize, comment: &str) {
        let lines = strip(comment);
        let Some(first) = lines.iter().position(|line| !line.trim().is_empty()) else {
            return;
        };
        let head = lines[first].trim();
        if let Some(title) = head.strip_prefix("DOC:") {
            let mut doc = sections(&lines[first + 1..]);
            doc.brief = title.trim().to_owned();
            self.overviews.push((file, doc));
            return;
        }
        if let Some(member) = head.strip_prefix('@') {
            let (name, _) = member.split_once(':').unwrap_or((member, ""));
            let doc = sections(&lines[first..]);
            let text = doc.members.get(name).cloned().unwrap_or_default();
            let text = [text, doc.body].join("\n\n").trim().to_owned();
            self.inline.push(Inline {
                file,
                at,
                name: name.to_owned(),
                text,
            });
            return;
        }
        let (subject, brief) = head
            .split_once(" - ")
            .unwrap_or((head.trim_end_matches(':'), ""));
        let (kind, name) = match subject.trim().split_once(' ') {
            Some(("struct", name)) => (Kind::Struct, name),
            Some(("enum", name)) => (Kind::Enum, name),
            Some(("typedef", name)) => (Kind::Typedef, name),
            Some(_) => return,
            None => (Kind::Function, subject.trim()),
        };
        let name = name.trim().trim_end_matches("()").to_owned();
        let mut doc = sections(&lines[first + 1..]);
        doc.brief = brief.trim().to_owned();
        let known = self.named.entry((kind, name)).or_default();
        if known.brief.is_empty() {
            *known = doc;
        }
    }

    /// Attach each comment to its declaration.
    pub(super) fn attach(self, headers: &mut Headers) {
        let Library {
            mut named,
            inline,
            overviews,
        } = self;
        for function in headers.functions.values_mut() {
            function.doc = named.remove(&(Kind::Function, function.name.clone()));
        }
        for record in headers.records.values_mut() {
            record.doc = named.remove(&(Kind::Struct, record.name.clone()));
            let Some(body) = record.body else { continue };
            for doc in &inline {
                if doc.file == body.file && (body.start..body.end).contains(&doc.at) {
                    let known = record.doc.get_or_insert_with(Doc::default);
                    known.members.insert(doc.name.clone(), doc.text.clone());
                }
            }
        }
        for enumeration in headers.enums.values_mut() {
            enumeration.doc = named.remove(&(Kind::Enum, enumeration.name.clone()));
        }
        for typedef in headers.typedefs.values_mut() {
            typedef.doc = named.remove(&(Kind::Typedef, typedef.name.clone()));
        }
        let main = headers.main.clone();
        let ours = overviews
            .into_iter()
            .filter(|(file, _)| main.contains(file));
        headers.overviews = ours.map(|(_, doc)| doc).collect();
    }
}

/// The lines of a comment without its stars.
fn strip(comment: &str) -> Vec<String> {
    let lines = comment.lines().map(|line| {
        let trimmed = line.trim_start();
        match trimmed.strip_prefix('*') {
            Some(rest) => rest.strip_prefix(' ').unwrap_or(rest).trim_end().to_owned(),
            None => trimmed.trim_end().to_owned(),
        }
    });
    lines.collect()
}

enum Section {
    Body,
    Member(String),
    Returns,
    Context,
}

fn sections(lines: &[String]) -> Doc {
    let mut doc = Doc::default();
    let mut section = Section::Body;
    for line in lines {
        let trimmed = line.trim();
        let text = if let Some((name, text)) = member(trimmed) {
            section = Section::Member(name.to_owned());
            text
        } else if let Some(text) = headed(trimmed, &["Return:", "Returns:"]) {
            section = Section::Returns;
            text
        } else if let Some(text) = headed(trimmed, &["Context:"]) {
            section = Section::Context;
            text
        } else {
            if trimmed.is_empty() && matches!(section, Section::Member(_)) {
                section = Section::Body;
            }
            line.as_str()
        };
        let target = match &section {
            Section::Body => &mut doc.body,
            Section::Member(name) => doc.members.entry(name.clone()).or_default(),
            Section::Returns => doc.returns.get_or_insert_with(String::new),
            Section::Context => doc.context.get_or_insert_with(String::new),
        };
        if !target.is_empty() {
            target.push('\n');
        }
        target.push_str(text.trim_end());
    }
    doc.body = doc.body.trim_matches('\n').to_owned();
    doc.returns = doc.returns.map(|text| text.trim().to_owned());
    doc.context = doc.context.map(|text| text.trim().to_owned());
    doc
}

fn headed<'a>(line: &'a str, heads: &[&str]) -> Option<&'a str> {
    heads
        .iter()
        .find_map(|head| line.strip_prefix(head))
        .map(str::trim)
}

fn member(line: &str) -> Option<(&str, &str)> {
    let (name, text) = line.strip_prefix('@')?.split_once(':')?;
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "_.".contains(c));
    plain.then(|| (name, text.trim()))
}
