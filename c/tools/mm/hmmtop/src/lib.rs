// SPDX-License-Identifier: GPL-2.0
//! Shows what HMM mirrors and device memory do: reads the statistics in debugfs, which
//! `Documentation/mm/hmm/stats.rst` describes, and prints or draws them.

pub mod args;
pub mod rates;
pub mod source;
pub mod stats;
pub mod terminal;
pub mod text;
pub mod units;
pub mod view;

/// Compares with an expected file of the tests; `UPDATE_GOLDEN=1` renews it.
#[cfg(test)]
fn expect_file(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixture")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(text == expected, "not as in {}:\n{text}", path.display());
}
