// SPDX-License-Identifier: GPL-2.0

//! Diagnostics in the form of a compiler's: where the mistake is, what it is, and what to write instead.

use crate::source::Sources;
use crate::source::Span;
use annotate_snippets::Level;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;

/// Whether a diagnostic keeps the output from being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is written.
    Error,
    /// Output is written all the same.
    Warning,
}

/// One diagnostic.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The mistake, in one line.
    pub title: String,
    /// The text that is underlined, and what was expected there.
    pub at: Option<(Span, String)>,
    /// Other places that explain the mistake.
    pub also: Vec<(Span, String)>,
    /// The proposed change.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`, where `expected` was expected.
    pub fn error(span: Span, title: impl Into<String>, expected: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            title: title.into(),
            at: Some((span, expected.into())),
            also: Vec::new(),
            help: None,
        }
    }

    /// An error without a position in a file.
    pub fn plain(title: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            title: title.into(),
            at: None,
            also: Vec::new(),
            help: None,
        }
    }

    /// Turn the diagnostic into a warning.
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Add what to write instead.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Add another place.
    pub fn note(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }
}

/// The diagnostics of a run.
#[derive(Default, Debug)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Add a diagnostic, unless one with the same title and position exists.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let same = |known: &Diagnostic| {
            known.title == diagnostic.title
                && known.at.as_ref().map(|at| at.0) == diagnostic.at.as_ref().map(|at| at.0)
        };
        if !self.list.iter().any(same) {
            self.list.push(diagnostic);
        }
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// The diagnostics, in the order of [`Diagnostics::push`].
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// All of them as text, sorted by position.
    pub fn render(&self, sources: &Sources, color: bool) -> String {
        let mut sorted: Vec<&Diagnostic> = self.list.iter().collect();
        sorted.sort_by_key(|d| d.at.as_ref().map(|at| at.0));
        let texts = sorted.iter().map(|d| render(d, sources, color));
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// One diagnostic as text.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
    };
    let mut message = level.title(&diagnostic.title);
    let places: Vec<(Span, &str, Level)> = diagnostic
        .at
        .iter()
        .map(|(span, text)| (*span, text.as_str(), level))
        .chain(
            diagnostic
                .also
                .iter()
                .map(|(span, text)| (*span, text.as_str(), Level::Info)),
        )
        .collect();
    let mut origins = Vec::new();
    for (span, _, _) in &places {
        if !origins.iter().any(|(file, _)| *file == span.file) {
            origins.push((span.file, sources.short_path(span.file)));
        }
    }
    // A tab counts as one column in `annotate_snippets`: replace it, so that the right text is underlined.
    let texts: Vec<String> = origins
        .iter()
        .map(|(file, _)| sources.text(*file).replace('\t', " "))
        .collect();
    for ((file, origin), text) in origins.iter().zip(&texts) {
        let mut snippet = Snippet::source(text).origin(origin).fold(true);
        for (span, label, level) in places.iter().filter(|(span, _, _)| span.file == *file) {
            let end = span.end.min(text.len());
            snippet = snippet.annotation(level.span(span.start.min(end)..end).label(label));
        }
        message = message.snippet(snippet);
    }
    if let Some(help) = &diagnostic.help {
        message = message.footer(Level::Help.title(help));
    }
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    format!("{}\n", renderer.render(message))
}
