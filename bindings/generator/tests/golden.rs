// SPDX-License-Identifier: GPL-2.0

//! A header in, files out; the files are checked in and reviewed as a diff.

mod common;

use hmm_bindgen::explain::explain;
use hmm_bindgen::model::Protocol;
use hmm_bindgen::Output;
use std::path::Path;
use std::path::PathBuf;
use std::sync::OnceLock;

fn output(header: &Path) -> Output {
    let run = common::analyse(header);
    assert!(!run.diagnostics.has_errors(), "{}", run.complaints(false));
    run.emit()
        .unwrap_or_else(|error| panic!("{}: {error}", header.display()))
}

/// The headers and what is made of each, once for all tests.
fn outputs() -> &'static [(PathBuf, Output)] {
    static ALL: OnceLock<Vec<(PathBuf, Output)>> = OnceLock::new();
    let of = |header: PathBuf| {
        let output = output(&header);
        (header, output)
    };
    ALL.get_or_init(|| common::headers("golden").into_iter().map(of).collect())
}

#[test]
fn output_is_what_is_checked_in() {
    let mut wrong = Vec::new();
    for (header, output) in outputs() {
        let files = [
            ("rs", output.rust.as_str()),
            ("helpers.c", output.helpers.as_deref().unwrap_or_default()),
            ("typed.h", &output.typed_c),
            ("report.md", &output.report),
        ];
        for (extension, text) in files {
            wrong.extend(common::compare(&header.with_extension(extension), text).err());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn explanations_are_what_is_checked_in() {
    let mut wrong = Vec::new();
    for header in common::headers("golden") {
        let run = common::analyse(&header);
        let api = &run.api;
        let types = (api.objects.iter().map(|o| &o.tag))
            .chain(api.records.iter().map(|r| &r.tag))
            .chain(api.choices.iter().map(|c| &c.tag))
            .chain(api.flags.iter().map(|f| &f.tag))
            .chain(api.tagged.iter().map(|t| &t.tag))
            .chain(api.tables.iter().filter(|t| !t.single).map(|t| &t.tag))
            .chain(
                api.sections
                    .iter()
                    .filter(|s| s.protocol == Protocol::Entered)
                    .map(|s| &s.tag),
            );
        let functions = api
            .functions
            .iter()
            .map(|f| &f.c)
            .chain(api.left_out.iter().map(|l| &l.name));
        let explained: String = types
            .chain(functions)
            .map(|name| {
                explain(api, &run.sources, name)
                    .unwrap_or_else(|| panic!("{}: {name} is not explained", header.display()))
            })
            .collect();
        wrong.extend(common::compare(&header.with_extension("explain.txt"), &explained).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn output_is_the_same_every_time() {
    for (header, first) in outputs() {
        assert!(
            *first == output(header),
            "{} differs from run to run",
            header.display()
        );
    }
}

#[test]
fn every_unsafe_block_has_its_sentence() {
    for (header, Output { rust, .. }) in outputs() {
        let mut before: Vec<&str> = Vec::new();
        for line in rust.lines() {
            let opens = line.contains("unsafe {") || line.trim_start().starts_with("unsafe impl");
            if opens {
                // The sentence stands above the statement that the block is part of.
                let comment = before
                    .iter()
                    .rev()
                    .take(4)
                    .any(|line| line.trim_start().starts_with("//"));
                assert!(comment, "{}: no SAFETY above {line}", header.display());
            }
            before.push(line);
        }
        assert_eq!(
            rust.matches("unsafe {").count() + rust.matches("unsafe impl").count(),
            rust.matches("SAFETY:").count(),
            "{}: as many sentences as blocks",
            header.display()
        );
    }
}

#[test]
fn every_trivial_wrapper_is_inline() {
    for (header, Output { rust, .. }) in outputs() {
        let lines: Vec<&str> = rust.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            // The body of a callback that need not be there is no wrapper.
            let default = lines
                .get(index + 1)
                .is_some_and(|next| next.contains("build_error!"));
            if line.contains(" fn ") && line.contains("&self)") && line.ends_with('{') && !default {
                let inline = lines[index.saturating_sub(2)..index]
                    .iter()
                    .any(|l| l.contains("#[inline]"));
                assert!(inline, "{}: {line}", header.display());
            }
        }
    }
}

/// What documentation in Rust must not contain, as it is about C.
const OF_C: &[&str] = &[
    "NULL", "Context:", "->", "%-E", "-`E", "`-E", "()", "`struct ", "ERR_PTR", ".h`",
];

/// The lines of documentation outside of examples.
fn documentation(rust: &str) -> Vec<&str> {
    let mut code = false;
    let lines = rust
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("///"));
    lines
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            code ^= fence;
            !code && !fence
        })
        .collect()
}

#[test]
fn documentation_in_rust_is_about_rust() {
    let mut lines = 0;
    for (header, Output { rust, .. }) in outputs() {
        for line in documentation(rust) {
            lines += 1;
            let found: Vec<&&str> = OF_C.iter().filter(|of_c| line.contains(**of_c)).collect();
            assert!(found.is_empty(), "{}: {found:?} in{line}", header.display());
        }
    }
    assert!(lines > 500, "{lines}");
}

#[test]
fn a_text_about_nothing_is_an_error() {
    for (name, text) in [
        ("Lake", "Water.\n"),
        ("Pond", "## freeze\nColder.\n"),
        ("Pond", "Water.\n\n## freeze\n"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(format!("{name}.md")), text).expect("a text");
        let mut run = common::analyse(&common::folder("golden").join("prose.h"));
        let error = run
            .examples(folder.path())
            .expect_err("there is no such item");
        assert!(
            error.contains("freeze") || error.contains("Lake"),
            "{error}"
        );
    }
}

#[test]
fn a_module_has_a_text_of_its_own_or_that_of_c_about_more_than_c() {
    let folder = tempfile::tempdir().expect("a folder");
    let header = folder.path().join("pool.h");
    let text = std::fs::read_to_string(common::folder("golden").join("prose.h")).expect("a header");
    let sections = "/**\n * DOC: Calls\n *\n * Call pond_fill() first.\n */\n\n\
                    /**\n * DOC: Weather\n *\n * Ponds freeze.\n */\n";
    std::fs::write(&header, format!("{text}\n{sections}")).expect("a header");
    let heads = |run: &hmm_bindgen::Run| {
        let rust = run.emit().expect("output").rust;
        let lines = rust.lines().filter(|line| line.starts_with("//! "));
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };

    let mut run = common::analyse(&header);
    let of_c = heads(&run);
    assert!(of_c.contains("//! # Weather\n//! Ponds freeze."), "{of_c}");
    assert!(!of_c.contains("Calls"), "{of_c}");

    std::fs::write(folder.path().join("module.md"), "Ponds in Rust.\n").expect("a text");
    std::fs::remove_file(&header).expect("the header");
    run.examples(folder.path()).expect("a text of the module");
    let own = heads(&run);
    assert!(own.contains("//! Ponds in Rust."), "{own}");
    assert!(!own.contains("Weather"), "{own}");
}
