// SPDX-License-Identifier: GPL-2.0

//! The compiler flags of a configured kernel, taken from a command that its build has recorded.

use std::path::Path;
use std::path::PathBuf;

/// The flags with which the kernel that was built in `out` compiles C.
///
/// `make prepare` is enough for them to be there.
pub fn of_kernel(out: &Path) -> Result<Vec<String>, String> {
    let out = out.canonicalize().map_err(|error| format!("{}: {error}", out.display()))?;
    let recorded = ["kernel/.bounds.s.cmd", "kernel/.rq-offsets.s.cmd"];
    let text = recorded.iter().find_map(|name| std::fs::read_to_string(out.join(name)).ok());
    let Some(text) = text else {
        return Err(format!(
            "{}: no kernel was configured and prepared here (kernel/.bounds.s.cmd is missing)",
            out.display()
        ));
    };
    let command = text.lines().next().and_then(|line| line.split_once(" := "));
    let (_, command) = command.ok_or("kernel/.bounds.s.cmd does not begin with a command")?;
    let mut flags = vec!["-working-directory".to_owned(), out.display().to_string()];
    flags.extend(select(command));
    // Contracts stand on fields that some configurations leave out of view of a checker.
    flags.push("-D__BINDGEN__".to_owned());
    Ok(flags)
}

/// Where the sources of the kernel that was built in `out` are.
pub fn source_of_kernel(out: &Path) -> Option<PathBuf> {
    let link = out.join("source");
    match link.is_dir() {
        true => link.canonicalize().ok(),
        false => out.join("Makefile").is_file().then(|| out.to_owned()),
    }
}

/// The flags that bear on what declarations mean.
fn select(command: &str) -> Vec<String> {
    let words = split(command);
    let mut flags = Vec::new();
    let mut at = 1;
    while at < words.len() {
        let word = words[at].as_str();
        match word {
            "-include" | "-isystem" | "-I" | "-D" | "-U" => {
                flags.push(word.to_owned());
                flags.extend(words.get(at + 1).cloned());
                at += 1;
            }
            "-nostdinc" => flags.push(word.to_owned()),
            _ if [
                "-I",
                "-D",
                "-U",
                "-std=",
                "--target=",
                "-fshort-wchar",
                "-funsigned-char",
                "-m64",
                "-f",
            ]
            .iter()
            .any(|prefix| word.starts_with(prefix))
                && !word.starts_with("-fmacro-prefix-map")
                && !word.starts_with("-ffile-prefix-map") =>
            {
                flags.push(word.to_owned());
            }
            _ => {}
        }
        at += 1;
    }
    flags
}

/// Splits a shell command into words; quotes and backslashes as the shell has them.
fn split(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut inside = false;
    let mut quote = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                inside = true;
            }
            (None | Some('"'), '\\') => {
                word.extend(chars.next());
                inside = true;
            }
            (None, _) if c.is_whitespace() => {
                if std::mem::take(&mut inside) {
                    words.push(std::mem::take(&mut word));
                }
            }
            (None, ';') => break,
            _ => {
                word.push(c);
                inside = true;
            }
        }
    }
    if inside {
        words.push(word);
    }
    words
}
