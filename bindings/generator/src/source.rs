// SPDX-License-Identifier: GPL-2.0

//! Source files, and spans in them.

use std::path::Path;
use std::path::PathBuf;

/// A file that was read: its index in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A span of bytes in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The smallest span that contains both. They must be in one file.
    pub fn to(self, other: Span) -> Span {
        Span {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// Every file that a run has read.
#[derive(Default, Debug)]
pub struct Sources {
    files: Vec<(PathBuf, String)>,
}

impl Sources {
    /// Add a file, or find it if it was added before.
    pub fn add(&mut self, path: &Path, text: impl FnOnce() -> String) -> FileId {
        let found = self.files.iter().position(|(known, _)| known == path);
        let index = found.unwrap_or_else(|| {
            self.files.push((path.to_owned(), text()));
            self.files.len() - 1
        });
        FileId(index as u32)
    }

    /// The path of the file.
    pub fn path(&self, file: FileId) -> &Path {
        &self.files[file.0 as usize].0
    }

    /// The text of the file.
    pub fn text(&self, file: FileId) -> &str {
        &self.files[file.0 as usize].1
    }

    /// The text of a span; empty when it is out of the file's bounds.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.start..span.end).unwrap_or("")
    }

    /// Line number, counted from 1.
    pub fn line(&self, span: Span) -> usize {
        let text = self.text(span.file);
        let upto = text.get(..span.start).unwrap_or(text);
        upto.matches('\n').count() + 1
    }

    /// The part of a path that identifies the header: from `include/` on, else the file's name.
    pub fn short_path(&self, file: FileId) -> String {
        short_path(self.path(file))
    }
}

/// See [`Sources::short_path`].
pub fn short_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    match text.rfind("/include/") {
        Some(at) => text[at + 1..].to_owned(),
        None if text.starts_with("include/") => text.into_owned(),
        None => match path.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => text.into_owned(),
        },
    }
}
