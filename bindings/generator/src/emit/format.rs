// SPDX-License-Identifier: GPL-2.0

//! Formats text with rustfmt and clang-format.

use std::io::Write;
use std::process::Command;
use std::process::Stdio;

/// The kernel's C layout as options of clang-format.
const C_STYLE: &str = "{BasedOnStyle: LLVM, IndentWidth: 8, TabWidth: 8, UseTab: Always, \
    ContinuationIndentWidth: 8, ColumnLimit: 80, BreakBeforeBraces: Linux, \
    AllowShortFunctionsOnASingleLine: None, AllowShortIfStatementsOnASingleLine: false, \
    AllowShortLoopsOnASingleLine: false, IndentCaseLabels: false, SortIncludes: false, \
    AlignEscapedNewlines: Left, ReflowComments: false, SpacesBeforeTrailingComments: 1, Cpp11BracedListStyle: false, \
    PenaltyBreakBeforeFirstCallParameter: 30, PenaltyExcessCharacter: 100, \
    PenaltyReturnTypeOnItsOwnLine: 60}";

/// Format Rust as the kernel does.
pub fn rust(text: &str) -> Result<String, String> {
    let tool = std::env::var("RUSTFMT").unwrap_or_else(|_| "rustfmt".into());
    let config = "newline_style=Unix";
    filter(
        &tool,
        &["--edition", "2021", "--config", config, "--emit", "stdout"],
        text,
    )
}

/// Format C as the kernel does.
pub fn c(text: &str) -> Result<String, String> {
    let style = format!("--style={C_STYLE}");
    let named = std::env::var("CLANG_FORMAT").ok();
    let tools = named
        .into_iter()
        .chain(["clang-format-19".into(), "clang-format".into()]);
    let mut last = String::new();
    for tool in tools {
        match filter(&tool, &[&style, "--assume-filename=typed.h"], text) {
            Ok(text) => return Ok(text),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn filter(tool: &str, args: &[&str], text: &str) -> Result<String, String> {
    let missing = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("{tool} is not installed; it formats the output")
        }
        _ => format!("{tool}: {error}"),
    };
    let mut child = Command::new(tool)
        .args(args)
        // A style file in the current folder must not change the output.
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    let mut stdin = child.stdin.take().ok_or("no pipe to the formatter")?;
    let input = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().map_err(missing)?;
    let written = writer
        .join()
        .map_err(|_| "the formatter's input thread died")?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{tool} refuses the output: {}", complaint.trim()));
    }
    written.map_err(missing)?;
    String::from_utf8(output.stdout).map_err(|_| format!("{tool} wrote text that is not UTF-8"))
}
