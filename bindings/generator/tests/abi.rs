// SPDX-License-Identifier: GPL-2.0

//! Rust's view of a header is proved to be C's, and a view that is not is refused by the compiler.

mod common;

use hmm_bindgen::emit::abi;
use std::path::Path;

fn rust_view(header: &Path) -> String {
    let include = common::include();
    bindgen::Builder::default()
        .header(header.to_string_lossy())
        .clang_arg(format!("-I{}", include.display()))
        .layout_tests(false)
        .generate()
        .expect("bindings")
        .to_string()
}

/// The compiler's messages for a proof; empty if it holds.
fn compile(proof: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("proof.c");
    std::fs::write(&file, proof).expect("the proof");
    let include = common::include();
    let output = common::clang()
        .args(["-fsyntax-only", "-std=gnu11", "-Wall", "-Werror"])
        .arg(format!("-I{}", include.display()))
        .arg(format!("-I{}", common::folder("abi").display()))
        .arg(&file)
        .output()
        .expect("clang");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The proof for `shared.h`, from Rust's view as `change` makes it.
fn proof(change: impl Fn(&str) -> String) -> String {
    let header = common::folder("abi").join("shared.h");
    let run = common::analyse(&header);
    let rust = rust_view(&header);
    abi::write(&run.plan().expect("a plan"), &change(&rust)).expect("a proof")
}

#[test]
fn both_sides_agree() {
    let proof = proof(str::to_owned);
    assert!(proof.matches("_Static_assert").count() > 12, "{proof}");
    assert_eq!(compile(&proof), "");
}

#[test]
fn a_wider_member_is_refused() {
    let messages = compile(&proof(|rust| {
        rust.replace(
            "pub y: ::std::os::raw::c_short",
            "pub y: ::std::os::raw::c_long",
        )
    }));
    assert!(messages.contains("the size of struct figure"), "{messages}");
}

#[test]
fn members_in_another_order_are_refused() {
    let swap = |rust: &str| {
        rust.replace("pub corners:", "pub once:")
            .replace("pub draw:", "pub corners:")
            .replace("pub once:", "pub draw:")
    };
    let messages = compile(&proof(swap));
    assert!(
        messages.contains("the offset of corners in struct figure"),
        "{messages}"
    );
}

#[test]
fn another_value_is_refused() {
    let messages = compile(&proof(|rust| {
        rust.replace("shade_SHADE_DARK: shade = 5", "shade_SHADE_DARK: shade = 6")
    }));
    assert!(messages.contains("the value of SHADE_DARK"), "{messages}");
}

#[test]
fn another_alignment_is_refused() {
    let messages = compile(&proof(|rust| rust.replace("#[repr(align(16))]", "")));
    assert!(
        messages.contains("the alignment of struct figure"),
        "{messages}"
    );
}
