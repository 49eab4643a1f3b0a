// SPDX-License-Identifier: GPL-2.0

//! The compiler flags of a configured kernel, taken from a command that its build has recorded.

use std::path::Path;
use std::path::PathBuf;

/// The flags with which the kernel that was built in `out` compiles C.
///
/// `make prepare` is enough for them to be there.
pub fn of_kernel(out: &Path) -> Result<Vec<String>, String> {
    let out = out
        .canonicalize()
        .map_err(|error| format!("{}: {error}", out.display()))?;
    let recorded = ["kernel/.bounds.s.cmd", "kernel/.rq-offsets.s.cmd"];
    let text = recorded
        .iter()
        .find_map(|name| std::fs::read_to_string(out.join(name)).ok());
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
    // Some configurations hide fields from static checkers; contracts on them must be seen.
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

/// The flags that change the meaning of declarations.
fn select(command: &str) -> Vec<String> {
    let args = split(command);
    let mut flags = Vec::new();
    let mut at = 1;
    while at < args.len() {
        let arg = args[at].as_str();
        match arg {
            "-include" | "-isystem" | "-I" | "-D" | "-U" => {
                flags.push(arg.to_owned());
                flags.extend(args.get(at + 1).cloned());
                at += 1;
            }
            "-nostdinc" => flags.push(arg.to_owned()),
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
            .any(|prefix| arg.starts_with(prefix))
                && !arg.starts_with("-fmacro-prefix-map")
                && !arg.starts_with("-ffile-prefix-map") =>
            {
                flags.push(arg.to_owned());
            }
            _ => {}
        }
        at += 1;
    }
    flags
}

/// Split a shell command into arguments, with the shell's quotes and backslashes.
fn split(command: &str) -> Vec<String> {
    let mut args = Vec::new();
    let mut arg = String::new();
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
                arg.extend(chars.next());
                inside = true;
            }
            (None, _) if c.is_whitespace() => {
                if std::mem::take(&mut inside) {
                    args.push(std::mem::take(&mut arg));
                }
            }
            (None, ';') => break,
            _ => {
                arg.push(c);
                inside = true;
            }
        }
    }
    if inside {
        args.push(arg);
    }
    args
}
