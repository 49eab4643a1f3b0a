// SPDX-License-Identifier: GPL-2.0

//! Every clause has a header with its output and a mistake with its message, and is rejected on declarations that it is
//! not for.

mod common;

use hmm_bindgen::model::clauses::place_name;
use hmm_bindgen::model::clauses::VOCABULARY;
use hmm_bindgen::read::ATTRIBUTES;
use std::collections::BTreeSet;

/// The names in the contracts of a text.
fn names(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in text.split("__contract(").skip(1) {
        let mut depth = 1;
        let mut quoted = false;
        let mut name = String::new();
        for c in part.chars() {
            match c {
                '"' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth -= 1,
                _ => {}
            }
            if !quoted && (c.is_ascii_alphanumeric() || c == '_') {
                name.push(c);
            } else {
                found.insert(std::mem::take(&mut name));
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// The clauses that no contract in the headers of a folder has.
fn without(folder: &str) -> Vec<&'static str> {
    let text = |path: &std::path::PathBuf| std::fs::read_to_string(path).expect("a header");
    let used: BTreeSet<String> = common::headers(folder)
        .iter()
        .flat_map(|path| names(&text(path)))
        .collect();
    VOCABULARY
        .iter()
        .map(|(clause, _)| *clause)
        .filter(|clause| !used.contains(*clause))
        .collect()
}

#[test]
fn every_clause_has_its_output_checked_in() {
    assert_eq!(without("golden"), [""; 0]);
}

#[test]
fn every_clause_has_a_mistake_checked_in() {
    assert_eq!(without("errors"), [""; 0]);
}

#[test]
fn every_attribute_that_is_read_has_its_output_checked_in() {
    let text = |path: &std::path::PathBuf| std::fs::read_to_string(path).expect("a header");
    let all: String = common::headers("golden").iter().map(text).collect();
    let names: BTreeSet<&str> = all
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    let missing: Vec<&str> = ATTRIBUTES
        .iter()
        .copied()
        .filter(|name| !names.contains(name))
        .collect();
    assert_eq!(missing, [""; 0]);
}

/// A valid header, except for `clause` at `place`.
fn header(clause: &str, place: char) -> String {
    let at = |here: char| {
        if here == place {
            format!(", {clause}")
        } else {
            String::new()
        }
    };
    let alone = |here: char| {
        if here == place {
            format!("__contract({clause})")
        } else {
            String::new()
        }
    };
    format!(
        "#include <linux/contract.h>\n\
         struct thing {{ int x {}; }} __contract(object(\"Thing\"), pinned{});\n\
         enum level {{ LEVEL_A, LEVEL_B }} __contract(choice(\"Level\"){});\n\
         typedef unsigned long tagged_t __contract(tagged(\"Tagged\"){});\n\
         void thing_init(struct thing *thing) __contract(constructor);\n\
         void thing_use(struct thing *thing, int level {}) __contract(method{});\n",
        alone('d'),
        at('s'),
        at('e'),
        at('t'),
        alone('p'),
        at('f'),
    )
}

#[test]
fn every_clause_is_refused_where_it_means_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("misplaced.h");
    for (clause, places) in VOCABULARY {
        for place in "setfpd".chars().filter(|place| !places.contains(*place)) {
            std::fs::write(&path, header(clause, place)).expect("a header");
            let messages = common::analyse(&path).complaints(false);
            let wanted = format!("`{clause}` is not allowed on {}", place_name(place));
            assert!(messages.contains(&wanted), "{wanted}:\n{messages}");
        }
    }
}
