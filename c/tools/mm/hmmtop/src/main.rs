// SPDX-License-Identifier: GPL-2.0
//! The command line: one sample as text or JSON, or the terminal program.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use hmmtop::args::Args;
use hmmtop::source::Source;
use hmmtop::{terminal, text};

fn run(args: &Args) -> Result<(), String> {
    let source = Source::new(&args.from);
    let sample = source.read()?;
    let printed = if args.json {
        serde_json::to_string_pretty(&sample).map_err(|e| e.to_string())? + "\n"
    } else if args.once {
        text::once(&sample)
    } else {
        return terminal::run(&source, sample, args.interval);
    };
    match io::stdout().write_all(printed.as_bytes()) {
        // The reader, `head` for example, has what it wants.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| format!("cannot write to the standard output: {e}")),
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("hmmtop: {message}");
            ExitCode::FAILURE
        }
    }
}
