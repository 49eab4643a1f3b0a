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
        assert!(run.api.declared.len() > 1, "{}: nothing is under contract", header.display());
    }
}

#[test]
fn what_vanishes_is_noticed() {
    let run = common::analyse(&common::folder("golden").join("lock.h"));
    let text = rust::write(&run.plan().expect("a plan")).expect("a module");
    let function = run.api.functions.iter().find(|function| function.this.is_some()).expect("a function");
    let without = text.replace(&format!("bindings::{}(", function.c), "bindings::other(");
    assert_eq!(
        account::vanished(&run.plan().expect("a plan"), &without).expect("Rust"),
        [function.c.as_str()]
    );
}

/// A function that check does not know how to refuse is an error of the run, and never silence.
#[test]
fn a_run_that_loses_something_fails() {
    let mut run = common::analyse(&common::folder("golden").join("lock.h"));
    run.api.functions.retain(|function| !function.c.ends_with("_init"));
    let error = run.emit().expect_err("the constructor is lost");
    assert!(error.contains("is under contract, and neither written nor left out"), "{error}");
}
