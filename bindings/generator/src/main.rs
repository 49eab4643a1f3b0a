// SPDX-License-Identifier: GPL-2.0

//! `hmm-bindgen`: see `hmm-bindgen --help`.

#![forbid(unsafe_code)]

use clap::CommandFactory;
use clap::Parser;
use clap::ValueEnum;
use hmm_bindgen::explain::explain;
use hmm_bindgen::model::clauses::place_name;
use hmm_bindgen::model::clauses::VOCABULARY;
use hmm_bindgen::read::cflags;
use hmm_bindgen::read::Input;
use hmm_bindgen::Run;
use std::io::IsTerminal;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads contracts on C declarations and writes typed objects for Rust and for C.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// A header with contracts; may be given more than once.
    #[arg(
        long = "header",
        value_name = "FILE",
        required_unless_present = "print"
    )]
    headers: Vec<PathBuf>,
    /// A header with contracts for what other headers declare; not part of the API itself.
    #[arg(long = "contracts", value_name = "FILE")]
    contracts: Vec<PathBuf>,
    /// A C file with kernel-doc of functions that the headers declare.
    #[arg(long = "doc", value_name = "FILE")]
    docs: Vec<PathBuf>,
    /// A header with typed objects in another module: `super::mirror=FILE`. They are used, not written.
    #[arg(long, value_name = "MODULE=FILE", value_parser = elsewhere)]
    elsewhere: Vec<(String, PathBuf)>,
    /// A folder for the documentation in Rust: `NAME.rs` is the example of the type or trait of that name, `NAME.md` the
    /// text about it and, below `## item`, about what it has.
    #[arg(long, value_name = "FOLDER")]
    examples: Option<PathBuf>,
    /// The name of the output; by default the first header's name.
    #[arg(long)]
    name: Option<String>,
    /// The header as C includes it, if that does not follow from its path.
    #[arg(long = "include-as", value_name = "PATH")]
    include_as: Vec<String>,
    /// The output folder of a configured kernel, for its compiler flags (`make prepare` is enough).
    #[arg(long, value_name = "OUT")]
    kernel: Option<PathBuf>,
    /// A folder to search for included headers, before the kernel's.
    #[arg(short = 'I', value_name = "DIR")]
    include: Vec<PathBuf>,
    /// Write the module for the `kernel` crate.
    #[arg(long, value_name = "FILE")]
    rust: Option<PathBuf>,
    /// Write shims for static inlines and macros.
    #[arg(long, value_name = "FILE")]
    helpers: Option<PathBuf>,
    /// A static inline or macro for which the kernel crate has a shim: `--helpers` writes none. May be given more than once.
    #[arg(long, value_name = "NAME")]
    no_shim: Vec<String>,
    /// Write the typed C header.
    #[arg(long, value_name = "FILE")]
    typed_c: Option<PathBuf>,
    /// Write the list of declarations that were left out, with the reasons.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write nothing; fail if a file differs from what would be written.
    #[arg(long)]
    check: bool,
    /// Print how a C declaration is mapped, and why.
    #[arg(long, value_name = "NAME")]
    explain: Vec<String>,
    /// The kernel's bindings_generated.rs, for the proof of the ABI that --abi-proof writes.
    #[arg(long, value_name = "FILE", requires = "abi_proof")]
    bindings: Option<PathBuf>,
    /// Write static assertions that the bindings and the headers agree; "-" prints them.
    #[arg(long, value_name = "FILE", requires = "bindings")]
    abi_proof: Option<PathBuf>,
    /// Print something that belongs to this program, and do nothing else.
    #[arg(long, value_name = "WHAT", exclusive = true)]
    print: Option<Print>,
}

/// What `--print` prints.
#[derive(Clone, Copy, ValueEnum)]
enum Print {
    /// The header that defines `__contract()`: linux/contract.h in a folder where the compiler looks.
    #[value(name = "contract.h")]
    Header,
    /// The manual page, for `man -l -`.
    #[value(name = "man")]
    Man,
    /// Each clause of a contract, and what it may be on.
    #[value(name = "clauses")]
    Clauses,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.trim_end());
            ExitCode::FAILURE
        }
    }
}

fn elsewhere(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((module, file)) => Ok((module.to_owned(), file.into())),
        None => Err("expected MODULE=FILE".into()),
    }
}

fn print(what: Print) -> Result<(), String> {
    match what {
        Print::Header => print!("{}", include_str!("../include/linux/contract.h")),
        Print::Clauses => {
            for (clause, places) in VOCABULARY {
                let places: Vec<&str> = places.chars().map(place_name).collect();
                println!("{clause}: {}", places.join(", "));
            }
        }
        Print::Man => {
            let page = clap_mangen::Man::new(Options::command());
            page.render(&mut std::io::stdout())
                .map_err(|error| format!("error: {error}"))?;
        }
    }
    Ok(())
}

fn run(options: &Options) -> Result<(), String> {
    if let Some(what) = options.print {
        return print(what);
    }
    let mut flags: Vec<String> = options
        .include
        .iter()
        .map(|folder| format!("-I{}", absolute(folder).display()))
        .collect();
    match &options.kernel {
        Some(out) => flags.extend(cflags::of_kernel(out)?),
        None => flags.push("-std=gnu11".into()),
    }
    let input = Input {
        headers: options.headers.clone(),
        contracts: options.contracts.clone(),
        docs: options.docs.clone(),
        elsewhere: options.elsewhere.clone(),
        flags,
    };
    let stem = options.headers[0]
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let name = options.name.clone().or(stem).unwrap_or_default();
    let mut analysed = hmm_bindgen::analyse(&name, &input);
    if !options.include_as.is_empty() {
        analysed.api.includes.clone_from(&options.include_as);
    }
    let complaints = analysed.complaints(std::io::stderr().is_terminal());
    if analysed.diagnostics.has_errors() {
        return Err(complaints);
    }
    eprint!("{complaints}");
    analysed.without_shims(&options.no_shim)?;
    if let Some(folder) = &options.examples {
        analysed.examples(folder)?;
    }
    for name in &options.explain {
        match explain(&analysed.api, &analysed.sources, name) {
            Some(text) => print!("{text}"),
            None => return Err(format!("error: no contract names `{name}`")),
        }
    }
    write_all(options, &analysed)
}

/// Write the files that the options name.
fn write_all(options: &Options, analysed: &Run) -> Result<(), String> {
    let output = analysed.emit()?;
    let helpers = output.helpers.unwrap_or_default();
    let files = [
        (&options.rust, &output.rust),
        (&options.helpers, &helpers),
        (&options.typed_c, &output.typed_c),
        (&options.report, &output.report),
    ];
    for (path, text) in files {
        let Some(path) = path else { continue };
        write(path, text, options.check)?;
    }
    if let (Some(bindings), Some(proof)) = (&options.bindings, &options.abi_proof) {
        let rust = std::fs::read_to_string(bindings).map_err(|error| named(bindings, &error))?;
        let text = hmm_bindgen::emit::abi::write(&analysed.plan()?, &rust)?;
        write(proof, &text, options.check)?;
    }
    Ok(())
}

/// Write a file whole or not at all; leave it alone if it has that text already.
fn write(path: &Path, text: &str, check: bool) -> Result<(), String> {
    if path == Path::new("-") {
        print!("{text}");
        return Ok(());
    }
    // A device or a pipe, such as /dev/null, is written to and never replaced by a file.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return std::fs::write(path, text).map_err(|error| named(path, &error));
    }
    let old = std::fs::read_to_string(path).unwrap_or_default();
    if old == text {
        return Ok(());
    }
    if check {
        return Err(format!(
            "error: {} is stale; run `make bindings`",
            path.display()
        ));
    }
    if text.is_empty() {
        return std::fs::remove_file(path).map_err(|error| named(path, &error));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
    }
    let partial = path.with_extension("partial");
    std::fs::write(&partial, text).map_err(|error| named(&partial, &error))?;
    std::fs::rename(&partial, path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &std::io::Error) -> String {
    format!("error: {}: {error}", path.display())
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
