// SPDX-License-Identifier: GPL-2.0

//! Each declaration under contract is written, or reported with the reason.

mod common;

use hmm_bindgen::emit::account;
use hmm_bindgen::emit::rust;

#[test]
fn what_is_under_contract_is_written_or_reported() {
    for header in common::headers("golden") {
        let run = common::analyse(&header);
        assert!(!run.diagnostics.has_errors(), "{}", run.complaints(false));
        let text = rust::write(&run.plan().expect("a plan")).expect("a module");
        let lost = account::vanished(&run.plan().expect("a plan"), &text).expect("Rust");
        assert_eq!(lost, [""; 0], "{}", header.display());
        assert!(
            run.api.declared.len() > 1,
            "{}: nothing is under contract",
            header.display()
        );
    }
}

#[test]
fn what_vanishes_is_noticed() {
    let run = common::analyse(&common::folder("golden").join("lock.h"));
    let text = rust::write(&run.plan().expect("a plan")).expect("a module");
    let function = run
        .api
        .functions
        .iter()
        .find(|function| function.this.is_some())
        .expect("a function");
    let without = text.replace(&format!("bindings::{}(", function.c), "bindings::other(");
    assert_eq!(
        account::vanished(&run.plan().expect("a plan"), &without).expect("Rust"),
        [function.c.as_str()]
    );
}

/// A clause or a parameter that is lost on the way is noticed: each is taken out of the text in turn.
#[test]
fn a_clause_that_vanishes_is_noticed() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("unsafe", "pub unsafe fn", "pub fn", "unsafe"),
        ("prose", "-> Result {", "-> Other {", "errno"),
        (
            "left_out",
            "bindings::thing_init(slot)",
            "bindings::thing_init(slot, 0)",
            "its parameters",
        ),
        ("owned", "-> Option<", "-> Maybe<", "nullable"),
        ("slice", "&[u8]", "&u8", "slice of the parameter"),
        ("keeps", "Arc<", "Box<", "keeps of the parameter"),
        ("slice", "'static", "'a", "keeps of the parameter"),
        (
            "keeps",
            "*const c_void",
            "usize",
            "identity of the parameter",
        ),
        (
            "lock",
            "impl<'a, T> DerefMut for",
            "impl<'a, T> Other for",
            "data",
        ),
        (
            "lock",
            "-> Option<GateGuard",
            "-> Option<OtherGuard",
            "lock",
        ),
        (
            "lock",
            "unsafe impl<T: Send> Sync for",
            "unsafe impl<T: Send> Other for",
            "sync",
        ),
        (
            "requires",
            "impl<'a> WriteGuard<'a> {",
            "impl Door {",
            "requires",
        ),
        ("requires", "pub fn widen", "pub fn other", "name"),
        ("requires", "by: u32", "other: u32", "the parameter `by`"),
        ("prose", "May sleep.", "", "may_sleep or atomic"),
        (
            "flags",
            "mode: Mode",
            "mode: u32",
            "the type of the parameter `mode`",
        ),
        ("unsafe", "-> Result<Reading>", "", "the parameter"),
    ];
    for (header, old, new, wanted) in cases {
        let run = common::analyse(&common::folder("golden").join(format!("{header}.h")));
        let plan = run.plan().expect("a plan");
        let text = rust::write(&plan).expect("a module");
        assert!(text.contains(old), "{header}.rs has no `{old}`:\n{text}");
        let lost = account::vanished(&plan, &text.replace(old, new)).expect("Rust");
        assert!(
            lost.iter().any(|lost| lost.contains(wanted)),
            "{header}: without `{old}`: {lost:?}"
        );
    }
}

/// A function that check does not know how to refuse is an error of the run, and never silence.
#[test]
fn a_run_that_loses_something_fails() {
    let mut run = common::analyse(&common::folder("golden").join("lock.h"));
    run.api
        .functions
        .retain(|function| !function.c.ends_with("_init"));
    let error = run.emit().expect_err("the constructor is lost");
    assert!(
        error.contains("is under contract, and neither written nor left out"),
        "{error}"
    );
}
