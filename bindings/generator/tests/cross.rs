// SPDX-License-Identifier: GPL-2.0

//! Every role with every clause, every kind of parameter and every result, for every way of holding an object: each of
//! them is written or refused, and what is written parses. With CROSS=FOLDER the headers and what was made of them are
//! left there, for `bindings/compiles` to compile.

mod common;

use common::pool::base;
use common::pool::run;
use common::pool::Fates;
use common::pool::Role;
use common::pool::CLAUSES;
use common::pool::PARAMS;
use common::pool::RESULTS;
use common::pool::ROLES;
use common::pool::SHAPES;
use common::pool::TOGETHER;
use hmm_bindgen::emit::account;
use std::fmt::Write;

/// The number of the first case: one that occurs nowhere else.
const FIRST: usize = 1000;

/// A case: what it is called in the table, and its text.
struct Case {
    shape: &'static str,
    role: &'static str,
    tried: String,
    text: String,
}

fn case(
    number: usize,
    shape: &(&'static str, &'static str),
    role: &Role,
    tried: (&str, &str, &str),
) -> Case {
    let (clause, ret, param) = tried;
    let made = role.name == "constructor";
    let returned = made
        && [
            "owned", "staged", "outlived", "scoped", "counted", "referred",
        ]
        .contains(&shape.0);
    let natural = match (made, returned) {
        (true, true) => "struct o@ *",
        (true, false) => "void ",
        _ => role.ret,
    };
    let ret = if ret.is_empty() { natural } else { ret };
    let item = if role.name == "iterator" {
        Some("struct plain *item")
    } else {
        None
    };
    let own = if returned { None } else { Some("struct o@ *o") };
    let params: Vec<&str> = [own, item, Some(param)]
        .into_iter()
        .flatten()
        .filter(|p| !p.is_empty())
        .collect();
    let params = if params.is_empty() {
        "void".to_owned()
    } else {
        params.join(", ")
    };
    // Without these an object with callbacks is refused.
    let own = match (
        role.name == "destructor" && ["field", "callbacks"].contains(&shape.0),
        clause,
    ) {
        (true, "waits") => "destructor, reaped",
        (true, "reaped" | "reaped(unsafe)") => "destructor, waits",
        (true, _) => "destructor, waits, reaped",
        (false, "") if made && shape.0 == "scoped" => "constructor, scoped, nonnull",
        (false, _) if made && shape.0 == "scoped" => "constructor, scoped",
        (false, _) => role.clause,
    };
    let clauses: Vec<&str> = [own, clause]
        .into_iter()
        .filter(|clause| !clause.is_empty())
        .collect();
    let mut text = format!("{}\n", shape.1);
    for (of, function) in base(shape.0).iter().filter(|(of, _)| *of != role.name) {
        let _ = writeln!(text, "{function} /* {of} */");
    }
    let _ = writeln!(
        text,
        "{ret}t@({params}) __contract({});\n{}",
        clauses.join(", "),
        role.with
    );
    Case {
        shape: shape.0,
        role: role.name,
        tried: format!("{clause} {ret}({param})")
            .replace('@', "")
            .replace(" (", "("),
        text: text.replace('@', &number.to_string()),
    }
}

fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for shape in SHAPES {
        for role in ROLES {
            let section = ["enter", "leave", "outcome", "iterator"].contains(&role.name);
            let fits = match shape.0 {
                "section" => section || role.name == "method",
                "record" | "pointers" => role.name == "method",
                "counted" => !section && role.name != "destructor",
                "referred" => {
                    !section && !["constructor", "destructor", "get", "put"].contains(&role.name)
                }
                _ => !section && !["get", "put"].contains(&role.name),
            };
            // What does not go together is refused, with any other clause.
            let few = if fits { usize::MAX } else { 3 };
            let clauses = CLAUSES.iter().map(|(clause, ret)| (*clause, *ret, ""));
            let results = RESULTS.iter().map(|ret| ("", *ret, ""));
            let params = PARAMS.iter().map(|param| ("", "", *param));
            for tried in clauses
                .chain(results)
                .chain(params)
                .chain(TOGETHER.iter().copied())
                .take(few)
            {
                all.push(case(FIRST + all.len(), shape, role, tried));
            }
        }
    }
    all
}

#[test]
fn every_combination_is_written_or_refused() {
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let kept = std::env::var_os("CROSS").map(std::path::PathBuf::from);
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let cases = cases();
    let numbered: Vec<(usize, &str)> = cases
        .iter()
        .enumerate()
        .map(|(at, case)| (FIRST + at, case.text.as_str()))
        .collect();
    let mut fates = Fates::new();
    for (index, chunk) in numbered
        .chunks(if kept.is_some() { 240 } else { 40 })
        .enumerate()
    {
        let name = format!("cross{index}");
        let run = run(folder, &name, chunk, &mut fates);
        if kept.is_none() {
            let plan = run.plan().unwrap_or_else(|error| panic!("{name}: {error}"));
            let text = hmm_bindgen::emit::rust::unformatted(&plan)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(
                account::vanished(&plan, &text).expect("Rust"),
                [""; 0],
                "{name}"
            );
        } else {
            let output = run.emit().unwrap_or_else(|error| panic!("{name}: {error}"));
            std::fs::write(folder.join(format!("{name}.rs")), &output.rust).expect("a module");
            std::fs::write(folder.join(format!("{name}.typed.h")), &output.typed_c)
                .expect("a header");
            std::fs::write(
                folder.join(format!("{name}.helpers.c")),
                output.helpers.unwrap_or_default(),
            )
            .expect("shims");
        }
    }
    let mut table = String::new();
    let mut before = ("", "");
    let mut written = 0;
    for (number, case) in cases.iter().enumerate() {
        if before != (case.shape, case.role) {
            before = (case.shape, case.role);
            let _ = writeln!(table, "\n{}, {}", case.shape, case.role);
        }
        let fate = fates[&(FIRST + number)].as_deref();
        written += usize::from(fate.is_none());
        let _ = writeln!(table, "  {}: {}", case.tried, fate.unwrap_or("written"));
    }
    let head = format!("{} combinations, {written} of them written.\n", cases.len());
    // Which cases share a header with another of the same name depends on how many are in each.
    if kept.is_none() {
        common::compare(&common::folder("cross.txt"), &(head + &table))
            .unwrap_or_else(|error| panic!("{error}"));
    }
}
