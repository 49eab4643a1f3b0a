// SPDX-License-Identifier: GPL-2.0
//! The options.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Shows HMM mirrors by process and device, and device memory: what is resident, faults,
/// retries, invalidations and migrations per second, and the orders of folios.
#[derive(Parser, Debug)]
#[command(
    name = "hmmtop",
    version,
    after_help = "Keys: q quits, space pauses, s sorts, the arrow keys scroll."
)]
pub struct Args {
    /// Print one sample as text, with totals in place of rates
    #[arg(long)]
    pub once: bool,

    /// Print one sample as JSON; sizes are in bytes
    #[arg(long)]
    pub json: bool,

    /// Time between samples, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    pub interval: Duration,

    /// The folder with the files `mirrors` and `devmem`
    #[arg(long, value_name = "FOLDER", default_value = "/sys/kernel/debug/hmm")]
    pub from: PathBuf,
}

/// Shorter samples would mostly measure hmmtop; longer ones look as if it hangs.
fn interval(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("give a number of seconds from 0.1 to 3600".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        assert_eq!(interval("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "NaN", "inf", "1e9", "fast", ""] {
            assert!(interval(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn options() {
        use clap::CommandFactory;
        Args::command().debug_assert();
        let args = Args::parse_from(["hmmtop", "--json", "--interval", "2"]);
        assert!(args.json && !args.once);
        assert_eq!(args.interval, Duration::from_secs(2));
    }
}
