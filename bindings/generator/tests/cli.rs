// SPDX-License-Identifier: GPL-2.0

//! The command: its help, its manual page and what it prints.

mod common;

use std::process::Command;

fn run(args: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hmm-bindgen"))
        .args(args)
        .output()
        .expect("hmm-bindgen");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The options that `--help` lists.
fn options(help: &str) -> Vec<String> {
    let parts = help
        .split_whitespace()
        .map(|part| part.trim_matches(|c: char| !c.is_alphanumeric() && c != '-'));
    let mut found: Vec<String> = parts
        .filter(|part| part.starts_with("--"))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn the_manual_page_has_what_the_help_has() {
    let (ok, help, _) = run(&["--help"]);
    assert!(ok);
    let (ok, page, _) = run(&["--print", "man"]);
    assert!(ok);
    assert!(page.contains(".TH hmm-bindgen 1"), "{page}");
    let plain = page.replace('\\', "");
    let listed = options(&help);
    assert!(listed.len() > 15, "{listed:?}");
    for option in listed {
        assert!(
            plain.contains(&format!("fB{option}fR")),
            "{option} is not in the manual page:\n{page}"
        );
    }
    for line in help
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("Write ") || line.starts_with("A header"))
    {
        let head: String = line.split('.').next().unwrap_or_default().to_owned();
        assert!(plain.contains(&head), "{head}");
    }
}

#[test]
fn the_manual_page_is_laid_out_without_a_warning() {
    let (_, page, _) = run(&["--print", "man"]);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), page).expect("the page");
    // Where neither is installed, only the test above looks at the page.
    let checks: [(&str, &[&str]); 2] = [
        ("groff", &["-man", "-Tutf8", "-ww", "-z"]),
        ("mandoc", &["-Tlint", "-Wwarning"]),
    ];
    for (tool, args) in checks {
        if let Ok(output) = Command::new(tool).args(args).arg(file.path()).output() {
            let reported = [output.stdout, output.stderr].concat();
            assert!(
                reported.is_empty(),
                "{tool}: {}",
                String::from_utf8_lossy(&reported)
            );
        }
    }
}

#[test]
fn the_header_that_it_prints_is_the_one_for_contracts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ok, header, _) = run(&["--print", "contract.h"]);
    assert!(ok);
    std::fs::create_dir(folder.path().join("linux")).expect("a folder");
    std::fs::write(folder.path().join("linux/contract.h"), header).expect("the header");
    let api = folder.path().join("api.h");
    std::fs::write(
        &api,
        "#include <linux/contract.h>\nstruct a { int x; } __contract(object(\"A\"), pinned);\n\
         void a_init(struct a *a) __contract(constructor);\n",
    )
    .expect("a header");
    let include = format!("-I{}", folder.path().display());
    let (ok, rust, reported) = run(&["--header", &api.to_string_lossy(), &include, "--rust", "-"]);
    assert!(ok, "{reported}");
    assert!(rust.contains("pub struct A"), "{rust}");
}

#[test]
fn each_clause_is_printed_once() {
    let (ok, text, _) = run(&["--print", "clauses"]);
    assert!(ok);
    assert_eq!(
        text.lines().count(),
        hmm_bindgen::model::clauses::VOCABULARY.len()
    );
    assert!(text.contains("constructor: a function\n"), "{text}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for args in [
        &[][..],
        &["--print", "nothing"],
        &["--print", "man", "--check"],
        &["--header", "nowhere.h"],
    ] {
        let (ok, out, reported) = run(args);
        assert!(
            !ok && out.is_empty() && reported.contains("error"),
            "{args:?}: {out}{reported}"
        );
    }
}

#[test]
fn a_shim_that_nobody_needs_is_no_shim_to_leave_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let api = folder.path().join("api.h");
    std::fs::write(
        &api,
        "#include <linux/contract.h>\nstruct a { int x; } __contract(object(\"A\"), pinned);\n\
         static inline void a_init(struct a *a) __contract(constructor);\n\
         void a_use(struct a *a) __contract(method);\n",
    )
    .expect("a header");
    let include = format!("-I{}", common::include().display());
    let (header, helpers) = (
        api.to_string_lossy().into_owned(),
        folder.path().join("shims.c"),
    );
    let file = helpers.to_string_lossy().into_owned();
    let args = ["--header", &header, &include, "--helpers", &file];
    let (ok, _, reported) = run(&args);
    assert!(ok, "{reported}");
    assert!(std::fs::read_to_string(&helpers)
        .expect("shims")
        .contains("rust_helper_a_init"));
    let (ok, _, reported) = run(&[&args[..], &["--no-shim", "a_init"]].concat());
    assert!(ok && !helpers.exists(), "{reported}");
    let (ok, _, reported) = run(&[&args[..], &["--no-shim", "a_use"]].concat());
    assert!(
        !ok && reported.contains("`a_use` is not a function that needs a shim"),
        "{reported}"
    );
}

/// Where a pipe or a device stands, such as /dev/null, there is none of ours afterwards.
#[test]
fn what_is_no_file_is_written_to_and_stays() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().expect("a folder");
    let api = folder.path().join("api.h");
    std::fs::write(
        &api,
        "#include <linux/contract.h>\nstruct a { int x; } __contract(object(\"A\"), pinned);\n\
         void a_init(struct a *a) __contract(constructor);\n",
    )
    .expect("a header");
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .expect("mkfifo")
        .success());
    let (from, include) = (pipe.clone(), format!("-I{}", common::include().display()));
    let reader =
        std::thread::spawn(move || std::fs::read_to_string(from).expect("what was written"));
    let args = [
        "--header",
        &api.to_string_lossy(),
        &include,
        "--rust",
        &pipe.to_string_lossy(),
    ];
    let (ok, _, reported) = run(&args);
    let fifo = std::fs::metadata(&pipe)
        .expect("the pipe")
        .file_type()
        .is_fifo();
    if !fifo {
        // The reader still waits for the pipe that is gone.
        panic!("the pipe was replaced by a file");
    }
    assert!(ok, "{reported}");
    assert!(reader.join().expect("the reader").contains("pub struct A"));
}
