// SPDX-License-Identifier: GPL-2.0

//! What the tests share.

#![allow(dead_code)]

pub mod pool;

use hmm_bindgen::read::Input;
use hmm_bindgen::Run;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// The folder of the crate, where the tests run: cargo may have built them for a copy of it.
pub fn root() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"))
}

/// The folder of the tests.
pub fn folder(name: &str) -> PathBuf {
    root().join("tests").join(name)
}

/// The headers of a folder, by name.
pub fn headers(name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(name)).expect("the test's folder");
    let mut headers: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension().is_some_and(|e| e == "h")
                && !path.to_string_lossy().contains(".typed.")
        })
        .collect();
    headers.sort();
    assert!(!headers.is_empty(), "no headers in {name}");
    headers
}

/// The folder of linux/contract.h.
pub fn include() -> PathBuf {
    root().join("include")
}

/// clang, by the name it has.
pub fn clang() -> Command {
    let installed = Command::new("clang-19").arg("--version").output().is_ok();
    Command::new(if installed { "clang-19" } else { "clang" })
}

/// Reads one header.
pub fn analyse(header: &Path) -> Run {
    let include = include();
    let stem = header
        .file_stem()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    // What is in the folder of that name is another module's.
    let other = header
        .with_file_name("elsewhere")
        .join(header.file_name().expect("a name"));
    let elsewhere = other.is_file().then(|| ("crate::other".to_owned(), other));
    let input = Input {
        elsewhere: elsewhere.into_iter().collect(),
        headers: vec![header.to_owned()],
        flags: vec![format!("-I{}", include.display()), "-std=gnu11".into()],
        ..Input::default()
    };
    let mut run = hmm_bindgen::analyse(&stem, &input);
    let examples = header.with_file_name("examples").join(&stem);
    if examples.is_dir() {
        run.examples(&examples).expect("examples");
    }
    run
}

/// Compares with a file that is checked in, or renews it when UPDATE_GOLDEN is set.
pub fn compare(path: &Path, text: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        match text.is_empty() {
            true => drop(std::fs::remove_file(path)),
            false => std::fs::write(path, text).map_err(|error| error.to_string())?,
        }
        return Ok(());
    }
    let old = std::fs::read_to_string(path).unwrap_or_default();
    if old == text {
        return Ok(());
    }
    let line = old
        .lines()
        .zip(text.lines())
        .take_while(|(a, b)| a == b)
        .count();
    Err(format!(
        "{}:{}: expected {:?}, got {:?}; UPDATE_GOLDEN=1 renews it",
        path.display(),
        line + 1,
        old.lines().nth(line).unwrap_or("the end"),
        text.lines().nth(line).unwrap_or("the end")
    ))
}
