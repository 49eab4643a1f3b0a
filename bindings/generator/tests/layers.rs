// SPDX-License-Identifier: GPL-2.0

//! The phase that prints decides nothing: what it could decide with is not in its files.

use std::path::Path;
use std::path::PathBuf;

/// By these a declaration can be looked up, or a decision of the check phase taken again.
const MODEL: &[(&str, &str)] = &[
    (
        "Api",
        "declarations are looked up in it; emit is given a plan::Module",
    ),
    ("in_role", "so are functions"),
    ("check::types", "the type of a declaration is in the plan"),
    ("check::fit", "what does not fit is not in the plan"),
    ("check::plan", "the plan is made before emit runs"),
];

/// By these something would be left out, or written as nothing, and nobody would know.
const SILENT: &[(&str, &str)] = &[
    ("continue", "a declaration is skipped"),
    (
        "unwrap_or_default",
        "something that is missing is written as nothing",
    ),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// The files of a folder with any of the texts: one line each.
fn having(folder: &str, texts: &[(&str, &str)]) -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&source.join(folder), &mut paths);
    assert!(paths.len() > 5, "{folder} has no files");
    let mut found = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a file");
        let code = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"));
        for (number, line) in code {
            let split = |c: char| !c.is_alphanumeric() && c != '_';
            let has = |text: &str| match text.contains(split) {
                true => line.contains(text),
                false => line.split(split).any(|part| part == text),
            };
            for (text, why) in texts.iter().filter(|(text, _)| has(text)) {
                let path = path.strip_prefix(&source).expect("below src").display();
                found.push(format!("{path}:{}: `{text}`: {why}", number + 1));
            }
        }
    }
    found
}

#[test]
fn emit_has_no_model_to_look_things_up_in() {
    let found = having("emit", MODEL);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn emit_skips_nothing() {
    let found = [having("emit/rust", SILENT), having("emit/c", SILENT)].concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// What the other two tests look for is found where it is.
#[test]
fn what_is_looked_for_is_found() {
    for (text, why) in MODEL
        .iter()
        .filter(|(text, _)| !text.starts_with("check::"))
    {
        assert!(!having("check", &[(*text, *why)]).is_empty(), "{text}");
    }
    for (text, why) in SILENT {
        assert!(!having("check", &[(*text, *why)]).is_empty(), "{text}");
    }
}
