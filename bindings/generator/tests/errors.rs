// SPDX-License-Identifier: GPL-2.0

//! What is wrong in a contract is shown with its place and a fix; nothing makes the generator panic.

mod common;

use hmm_bindgen::diag::Severity;
use hmm_bindgen::read::terms;
use hmm_bindgen::source::Sources;
use std::path::Path;

#[test]
fn mistakes_are_explained() {
    let mut wrong = Vec::new();
    for header in common::headers("errors") {
        let run = common::analyse(&header);
        assert!(
            run.diagnostics.has_errors(),
            "{}: no error was found",
            header.display()
        );
        let text = run.complaints(false);
        wrong.extend(common::compare(&header.with_extension("txt"), &text).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_error_has_a_fix() {
    for header in common::headers("errors") {
        for found in common::analyse(&header).diagnostics.iter() {
            let syntax =
                ["grammar", "grammar2"].contains(&header.file_stem().unwrap().to_str().unwrap());
            assert!(
                found.help.is_some() || syntax,
                "{}: {}",
                header.display(),
                found.title
            );
            assert_eq!(found.severity, Severity::Error);
        }
    }
}

#[test]
fn a_header_that_is_not_there_is_an_error() {
    let run = common::analyse(Path::new("nowhere.h"));
    assert!(run.complaints(false).contains("there is no such header"));
}

/// A generator of numbers that is the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % bound
    }
}

/// How often to try; FUZZ=COUNT has more patience.
fn rounds(usual: usize) -> usize {
    std::env::var("FUZZ")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(usual)
}

#[test]
fn no_text_makes_the_parser_panic() {
    const PARTS: &[&str] = &[
        "object",
        "(",
        ")",
        ",",
        "\"Name\"",
        "\"",
        "-",
        "EBUSY",
        "=",
        "errno",
        "retry",
        "0x",
        "12",
        "/*",
        "*/",
        "//",
        "\n",
        "::",
        ".",
        "->",
        "é",
        "{",
        "}",
        "\\",
        " ",
        "18446744073709551616",
        "'",
        "data",
    ];
    let mut numbers = Numbers(7);
    let mut sources = Sources::default();
    let file = sources.add(Path::new("fuzz"), String::new);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..20000 {
        let length = numbers.below(14);
        let text: String = (0..length)
            .map(|_| PARTS[numbers.below(PARTS.len())])
            .collect();
        match terms::parse(file, 0, &text) {
            Ok(_) => good += 1,
            Err(_) => bad += 1,
        }
    }
    assert!(good > 0 && bad > 0);
}

/// What the generator accepts it writes as Rust, and loses nothing.
fn written_or_reported(run: &hmm_bindgen::Run) {
    let plan = run.plan().expect("a plan");
    let text = hmm_bindgen::emit::rust::unformatted(&plan).expect("a module");
    let lost = hmm_bindgen::emit::account::vanished(&plan, &text).expect("Rust");
    assert_eq!(lost, [""; 0]);
    hmm_bindgen::emit::report::left_out(&plan, &run.sources);
}

/// Text by which bytes of a header are replaced.
const PIECES: &[&str] = &[
    "",
    "(",
    ")",
    ",",
    ";",
    "*",
    "\"",
    " const ",
    "int",
    "void",
    "struct ",
    "__contract(",
    "object(\"X\")",
    "keeps",
    "borrows",
    "nullable",
    "errno",
    "plain",
    "/*",
    "*/",
    "\n",
    "{",
    "}",
    "[",
    "0",
    "é",
];

/// Headers that are right, with a few bytes of each changed: the generator accepts what they have become, or reports why not.
#[test]
fn no_typing_error_makes_the_generator_panic() {
    let mut numbers = Numbers(23);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let headers = common::headers("golden");
    let (mut good, mut bad) = (0, 0);
    for round in 0..rounds(150) {
        let header = &headers[numbers.below(headers.len())];
        let mut text = std::fs::read_to_string(header).expect("a header");
        for _ in 0..1 + numbers.below(3) {
            let whole = |at: usize, text: &str| {
                (0..=at)
                    .rev()
                    .find(|at| text.is_char_boundary(*at))
                    .unwrap_or(0)
            };
            let start = whole(numbers.below(text.len()), &text);
            let end = whole((start + numbers.below(9)).min(text.len()), &text).max(start);
            text.replace_range(start..end, PIECES[numbers.below(PIECES.len())]);
        }
        let path = folder.path().join(format!("round{round}.h"));
        std::fs::write(&path, text).expect("a header");
        let run = common::analyse(&path);
        let _ = run.complaints(false);
        match run.diagnostics.has_errors() {
            true => bad += 1,
            false => {
                good += 1;
                written_or_reported(&run);
            }
        }
    }
    assert!(good > 0 && bad > 0, "{good} {bad}");
}

#[test]
fn no_contract_makes_the_generator_panic() {
    // Clauses in any order, on every kind of declaration.
    let keywords: Vec<&str> = hmm_bindgen::model::clauses::VOCABULARY
        .iter()
        .map(|(clause, _)| *clause)
        .collect();
    let args = [
        "",
        "(\"Name\")",
        "(x)",
        "(-EIO)",
        "(a = exclusive)",
        "(of(thing))",
        "()",
        "(\"F\", f)",
    ];
    let mut numbers = Numbers(11);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for round in 0..rounds(120) {
        let mut contract = || {
            let count = 1 + numbers.below(3);
            let clauses: Vec<String> = (0..count)
                .map(|_| {
                    format!(
                        "{}{}",
                        keywords[numbers.below(keywords.len())],
                        args[numbers.below(args.len())]
                    )
                })
                .collect();
            format!("__contract({})", clauses.join(", "))
        };
        let text = format!(
            "#include <linux/contract.h>\nstruct thing {{ int x {}; void (*f)(struct thing *t) {}; }} {};\n\
             enum e {{ E_A = 1, E_B = 2 }} {};\ntypedef unsigned long w {};\n\
             int thing_init(struct thing *x {}, int *p {}, unsigned long n) {};\n\
             struct thing *thing_get(struct thing *x) {};\nvoid thing_put(struct thing *x) {};\n",
            contract(),
            contract(),
            contract(),
            contract(),
            contract(),
            contract(),
            contract(),
            contract(),
            contract(),
            contract()
        );
        let path = folder.path().join(format!("round{round}.h"));
        std::fs::write(&path, text).expect("a header");
        let run = common::analyse(&path);
        let _ = run.complaints(false);
        if !run.diagnostics.has_errors() {
            written_or_reported(&run);
        }
    }
}

#[test]
fn an_example_of_nothing_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("Parcle.rs"), "").expect("an example");
    let mut run = common::analyse(&common::folder("golden").join("stage.h"));
    let error = run.examples(folder.path()).expect_err("there is no Parcle");
    assert!(
        error.contains("no type or trait that can have an example has the name `Parcle`"),
        "{error}"
    );
}
