// SPDX-License-Identifier: GPL-2.0

//! Contracts that nobody would write: objects, records and tables of callbacks with functions, parameters and clauses in
//! any combination. The generator does not panic; each declaration is written or refused; what is written is Rust. With
//! FUZZ_OUT=FOLDER the headers and what was made of them are left there, for `bindings/compiles` to compile. FUZZ=COUNT
//! tries more, FUZZ_SEED=NUMBER others.

mod common;

use common::pool;
use hmm_bindgen::emit::account;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::Config;
use proptest::test_runner::RngAlgorithm;
use proptest::test_runner::TestRng;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

/// The number of the first case.
const FIRST: usize = 100_000;

/// Members of records.
const MEMBERS: &[&str] = &[
    "int n;",
    "unsigned long long big;",
    "bool yes;",
    "char letter;",
    "unsigned char byte __contract(hidden);",
    "const char *text;",
    "const char *secret __contract(hidden);",
    "void *pointer;",
    "void *other __contract(hidden);",
    "unsigned int marks __contract(flags(bits));",
    "unsigned char few __contract(choice(opened));",
    "unsigned int some __contract(choice(opened));",
    "int signs __contract(choice(opened));",
    "unsigned long wide __contract(flags(bits));",
    "unsigned int three : 3 __contract(flags(bits));",
    "enum closed closed;",
    "enum opened opened;",
    "struct plain plain;",
    "struct pointed pointed;",
    "struct space *space;",
    "struct part part;",
    "unsigned long nr; int *values __contract(slice(nr));",
    "unsigned short count; const unsigned char *bytes __contract(slice(count));",
    "unsigned int nrp; struct plain *plains __contract(slice(nrp));",
    "unsigned int nro; unsigned int *opens __contract(slice(nro), choice(opened));",
    "unsigned long size; void *buffer __contract(slice(size));",
    "int array[4];",
    "unsigned char id[16] __contract(hidden);",
    "unsigned int bit : 3;",
    "union { int a; long b; } both;",
    "int self;",
    "int type;",
    "int new;",
    "int as_raw;",
    "int into_raw;",
    "gfp_t gfp;",
    "unsigned long when __contract(jiffies);",
    "void (*function)(int n);",
    "int hidden_in __contract(confined(\"In@\"));",
];

/// Parameters of callbacks, after the object.
const GIVEN: &[&str] = &[
    "int n",
    "bool yes",
    "const char *text",
    "const char *reported __contract(borrows, nonnull)",
    "void *pointer",
    "void *name __contract(identity)",
    "struct space *space",
    "const struct plain *plain",
    "const struct plain *sure __contract(nonnull)",
    "struct plain *changed",
    "struct plain whole",
    "const struct pointed *pointed __contract(nonnull)",
    "enum closed closed",
    "enum opened opened",
    "unsigned long when __contract(jiffies)",
    "unsigned int marks __contract(flags(bits))",
    "gfp_t gfp",
    "struct o@ *again",
    "unsigned long self",
];

/// Results of callbacks, with what states them.
const ANSWERS: &[(&str, &str)] = &[
    ("void", ""),
    ("int", "errno"),
    ("int", "plain"),
    ("int", "errno, plain"),
    ("int", ""),
    ("bool", ""),
    ("long", "errno"),
    ("unsigned int", "plain"),
    ("enum closed", ""),
    ("void *", ""),
    ("struct space *", ""),
];

/// More that callbacks may have.
const TERMS: &[&str] = &[
    "",
    "",
    "may_sleep",
    "atomic",
    "requires(G@)",
    "object",
    "name(\"other\")",
    "member(part)",
];

/// Kernel-doc, some of it odd.
const DOCS: &[&str] = &[
    "",
    "",
    "/**\n * t@_#() - do it\n * @o: the object\n *\n * Return: 0, or -EIO.\n */\n",
    "/**\n * t@_#() - `\" */\n",
    "/**\n * t@_#() - ends in a backslash \\\n *\n * Context: any. ``` \n */\n",
    "/**\n * t@_#() - [link](x) <b> & #hash %NULL ->member\n *\n * ::\n *\n *\tcode(\"*\");\n */\n",
];

/// The names that a text declares as parameters or members.
fn declared(text: &str) -> BTreeSet<String> {
    let mut bare = String::new();
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        depth +=
            i32::from(c == '(' && !text[at..].starts_with("(*")) - i32::from(c == ')' && depth > 0);
        if depth == 0 && c != ')' {
            bare.push(c);
        }
    }
    let parts = bare.replace("__contract", "").replace("(*", "");
    let last = |part: &str| {
        let part = part
            .split(['[', ':', '}'])
            .next()
            .unwrap_or_default()
            .to_owned();
        part.split(|c: char| !c.is_alphanumeric() && c != '_')
            .rfind(|part| !part.is_empty())
            .map(str::to_owned)
    };
    parts.split([',', ';']).filter_map(last).collect()
}

/// A few of `from` that declare nothing twice.
fn some(from: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(select(from), 0..=most).prop_map(|all| {
        let mut seen = BTreeSet::new();
        let fresh = |part: &&str| {
            let names = declared(part);
            let new = names.is_disjoint(&seen);
            seen.extend(names);
            new
        };
        all.into_iter().filter(fresh).collect()
    })
}

#[test]
fn what_is_declared_is_found() {
    let names = |text| declared(text).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(
        names("struct space *space __contract(keeps, nullable)"),
        "space"
    );
    assert_eq!(
        names("unsigned int *values __contract(slice(nr)), unsigned long nr"),
        "nr values"
    );
    assert_eq!(
        names("void (*run)(int n, void *p) __contract(callback(\"R\", run)), void *data __contract(closure)"),
        "data run"
    );
    assert_eq!(names("int array[4];"), "array");
}

/// A function of an object: `%` is its number.
fn function(shape: &'static str) -> impl Strategy<Value = String> {
    let roles = pool::ROLES;
    let role = prop_oneof![
        3 => Just(roles.len() - 1),
        2 => 0..roles.len(),
    ];
    let clauses = proptest::collection::vec(select(pool::CLAUSES), 0..3);
    (
        role,
        clauses,
        select(pool::RESULTS),
        any::<[bool; 2]>(),
        some(pool::PARAMS, 4),
        select(DOCS),
    )
        .prop_map(move |(role, clauses, result, [odd, typed], params, doc)| {
            let role = &roles[role];
            let made = role.name == "constructor";
            let returned = made
                && [
                    "owned", "staged", "outlived", "scoped", "counted", "referred",
                ]
                .contains(&shape);
            let natural = match (made, returned) {
                (_, true) => "struct o@ *",
                (true, _) => "void ",
                _ => role.ret,
            };
            let stated = clauses
                .iter()
                .map(|(_, ret)| *ret)
                .find(|ret| !ret.is_empty());
            let ret = match (stated, odd && typed) {
                (Some(ret), _) => ret,
                (None, true) => result,
                _ => natural,
            };
            let own = if returned {
                vec![]
            } else {
                vec!["struct o@ *o"]
            };
            let item = if role.name == "iterator" {
                vec!["struct plain *item"]
            } else {
                vec![]
            };
            let params = [own, item, params].concat().join(", ");
            let params = if params.is_empty() { "void" } else { &params };
            let own = match made && shape == "scoped" {
                true => "constructor, scoped",
                false => role.clause,
            };
            let parts: Vec<&str> = [own]
                .into_iter()
                .chain(clauses.iter().map(|(clause, _)| *clause))
                .collect();
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let inline = if typed && !odd { "static inline " } else { "" };
            let with = role.with.replace("t@_", "t@_#_").replace("F@", "F@x#");
            let parts = parts
                .join(", ")
                .replace("F@", "F@x#")
                .replace("B@", "B@x#")
                .replace("I@", "I@x#");
            let params = params.replace("Run@", "Run@x#");
            format!(
                "{doc}{inline}{ret}t@_#({params}) __contract({parts});\n{}\n",
                with.replace("B@", "B@x#")
            )
        })
}

/// Declarations, in their order, and whether the others mean nothing without one.
type Pieces = Vec<(bool, String)>;

/// Numbered functions behind what they are of.
fn with_functions(head: String, functions: Vec<String>) -> Pieces {
    let functions = functions.iter().enumerate();
    let functions =
        functions.map(|(index, function)| (false, function.replace('#', &index.to_string())));
    [(true, head)].into_iter().chain(functions).collect()
}

/// An object with some functions.
fn object() -> impl Strategy<Value = Pieces> {
    select(pool::SHAPES).prop_flat_map(|(shape, head)| {
        let functions = proptest::collection::vec(function(shape), 1..6);
        functions.prop_map(move |functions| {
            let base = pool::base(shape)
                .iter()
                .map(|(_, function)| (false, format!("{function}\n")));
            let mut pieces = with_functions(format!("{head}\n"), functions);
            pieces.splice(1..1, base);
            pieces
        })
    })
}

/// Plain data with some functions.
fn record() -> impl Strategy<Value = Pieces> {
    let heads = select(&["", ", confined"][..]);
    let functions = proptest::collection::vec(function("record"), 0..3);
    (some(MEMBERS, 6), heads, functions).prop_map(|(members, more, functions)| {
        let members = if members.is_empty() {
            "int only;".to_owned()
        } else {
            members.join(" ")
        };
        let head = format!("struct o@ {{ {members} }} __contract(record(\"O@\"){more});\n");
        with_functions(head, functions)
    })
}

/// An object with a table of callbacks.
fn table() -> impl Strategy<Value = Pieces> {
    let callback = (
        select(ANSWERS),
        some(GIVEN, 3),
        proptest::collection::vec(select(TERMS), 0..3),
        any::<[bool; 3]>(),
    );
    let data = select(
        &[
            "",
            ", data(G@ = exclusive)",
            ", data(G@ = shared)",
            ", zeroed",
        ][..],
    );
    (
        proptest::collection::vec(callback, 1..5),
        data,
        select(&["waits", "deferred(o@_later)", "may_sleep"][..]),
    )
        .prop_map(|(callbacks, data, ends)| {
            let mut pieces = vec![(true, String::from("struct o@;\nstruct ops@ {\n"))];
            for (index, ((ret, part), params, terms, [needed, last, alone])) in
                callbacks.into_iter().enumerate()
            {
                let own = vec!["struct o@ *o"];
                let params = match (alone, last) {
                    (true, true) if !params.is_empty() => params,
                    (_, true) => [params, own].concat(),
                    _ => [own, params].concat(),
                };
                let need = if needed { "required" } else { "optional" };
                let parts: Vec<&str> =
                    [need, part].into_iter().chain(terms).filter(|w| !w.is_empty()).collect();
                let space = if ret.ends_with('*') { "" } else { " " };
                let callback = format!(
                    "{ret}{space}(*call{index})({}) __contract({});\n",
                    params.join(", "),
                    parts.join(", ")
                );
                pieces.push((false, callback));
            }
            let object = format!(
                "}} __contract(ops(\"Ops@\"));\n\
                 struct o@ {{ const struct ops@ *ops __contract(given); int x; struct part part; }}\n\
                 __contract(object(\"O@\"), pinned, send, sync{data});\n"
            );
            pieces.push((true, object));
            let functions = [
                "void o@_init(struct o@ *o) __contract(constructor);\n".to_owned(),
                format!("void o@_exit(struct o@ *o) __contract(destructor, {ends}, leaked, reaped);\n"),
                "void o@_later(struct o@ *o, void (*done)(struct o@ *o));\n".to_owned(),
                "void o@_lock(struct o@ *o) __contract(lock(\"G@\"));\n".to_owned(),
                "void o@_unlock(struct o@ *o) __contract(unlock(\"G@\"));\n".to_owned(),
            ];
            pieces.extend(functions.map(|function| (false, function)));
            pieces
        })
}

fn anything() -> impl Strategy<Value = Pieces> {
    prop_oneof![5 => object(), 2 => record(), 2 => table()]
}

/// A variable that is a number.
fn variable(name: &str, usual: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(usual)
}

/// Runs the generator on some cases without the declarations that are errors, whose titles are counted.
fn run(path: &Path, cases: &[Pieces], errors: &mut BTreeMap<String, usize>) -> hmm_bindgen::Run {
    let mut left: Vec<(usize, bool, &str)> = Vec::new();
    for (case, pieces) in cases.iter().enumerate() {
        left.extend(
            pieces
                .iter()
                .map(|(whole, text)| (case, *whole, text.as_str())),
        );
    }
    loop {
        let mut text = pool::HEAD.to_owned();
        let mut ends = Vec::new();
        for (_, _, declaration) in &left {
            text.push_str(declaration);
            ends.push(text.lines().count());
        }
        std::fs::write(path, &text).expect("a header");
        let run = common::analyse(path);
        let mut wrong = BTreeSet::new();
        for found in run.diagnostics.iter() {
            let (span, _) = found
                .at
                .as_ref()
                .unwrap_or_else(|| panic!("{}: {}", path.display(), found.title));
            let line = run.sources.line(*span);
            if wrong.insert(
                ends.iter()
                    .position(|end| line <= *end)
                    .expect("a declaration"),
            ) {
                let title: String = found
                    .title
                    .chars()
                    .filter(|c| !c.is_ascii_digit())
                    .collect();
                *errors.entry(title).or_default() += 1;
            }
        }
        if wrong.is_empty() {
            return run;
        }
        let gone: BTreeSet<usize> = wrong
            .iter()
            .filter(|at| left[**at].1)
            .map(|at| left[*at].0)
            .collect();
        let kept = left.into_iter().enumerate();
        left = kept
            .filter(|(at, (case, ..))| !wrong.contains(at) && !gone.contains(case))
            .map(|(_, piece)| piece)
            .collect();
    }
}

#[test]
fn no_contract_makes_what_does_not_compile() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let kept = std::env::var_os("FUZZ_OUT").map(std::path::PathBuf::from);
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&(variable("FUZZ_SEED", 1) as u64).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = anything();
    let cases: Vec<Pieces> = (FIRST..FIRST + variable("FUZZ", 200))
        .map(|at| {
            let pieces = strategy.new_tree(&mut runner).expect("a case").current();
            pieces
                .into_iter()
                .map(|(whole, text)| (whole, text.replace('@', &at.to_string())))
                .collect()
        })
        .collect();
    let (mut written, mut left_out, mut errors) = (0, 0, BTreeMap::new());
    for (index, chunk) in cases.chunks(40).enumerate() {
        let path = folder.join(format!("fuzz{index}.h"));
        let run = run(&path, chunk, &mut errors);
        let output = run
            .emit()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lost = account::vanished(&run.plan().expect("a plan"), &output.rust).expect("Rust");
        assert_eq!(lost, [""; 0], "{}", path.display());
        written += run.api.functions.len();
        left_out += run.api.left_out.len();
        if kept.is_some() {
            let helpers = output.helpers.unwrap_or_default();
            for (kind, text) in [
                ("rs", &output.rust),
                ("typed.h", &output.typed_c),
                ("helpers.c", &helpers),
            ] {
                std::fs::write(path.with_extension(kind), text).expect("a file");
            }
        }
    }
    let wrong: usize = errors.values().sum();
    println!(
        "{} cases: {written} functions, {left_out} left out, {wrong} errors of {} kinds",
        cases.len(),
        errors.len()
    );
    // If all were refused, nothing would have been tried.
    assert!(
        written > cases.len() && left_out > 0 && errors.len() > 10,
        "{errors:#?}"
    );
}
