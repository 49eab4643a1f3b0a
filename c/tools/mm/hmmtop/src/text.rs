// SPDX-License-Identifier: GPL-2.0
//! One sample as plain text: the tables of the terminal program, with totals.

use std::fmt::Write;

use crate::stats::Sample;
use crate::units;

/// A bar of `width` characters, of which as many are `#` as `part` is of `whole`. What is not
/// empty has at least one.
pub fn bar(part: u64, whole: u64, width: usize) -> String {
    let full = if whole == 0 {
        0
    } else {
        let full = (part as f64 / whole as f64 * width as f64).round() as usize;
        full.clamp(usize::from(part > 0), width)
    };
    format!("{}{}", "#".repeat(full), ".".repeat(width - full))
}

/// As many characters of a name as a column has.
pub fn cut(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.into();
    }
    name.chars().take(width - 1).chain(['~']).collect()
}

/// The text of `--once`.
pub fn once(sample: &Sample) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = memories(&mut out, sample).and_then(|()| mirrors(&mut out, sample));
    out
}

fn memories(out: &mut String, sample: &Sample) -> std::fmt::Result {
    writeln!(
        out,
        "{:<16} {:<16} {:<8} {:>5} {:>5} {:<12} {:>5} {:>5} {:>7} {:>6}  ORDERS",
        "DEVICE", "DRIVER", "TYPE", "USED", "SIZE", "", "IN", "OUT", "EVICTED", "FAULTS"
    )?;
    for memory in &sample.memories {
        writeln!(
            out,
            "{:<16} {:<16} {:<8} {:>5} {:>5} {:<12} {:>5} {:>5} {:>7} {:>6}  {}",
            cut(&memory.name, 16),
            cut(&memory.driver, 16),
            memory.kind,
            units::bytes(memory.used as f64),
            units::bytes(memory.size as f64),
            format!("[{}]", bar(memory.used, memory.size, 10)),
            units::bytes(memory.to_device as f64),
            units::bytes(memory.from_device as f64),
            units::bytes(memory.evicted as f64),
            units::count(memory.cpu_faults as f64),
            orders(&memory.orders),
        )?;
    }
    Ok(())
}

/// The orders of which folios were allocated, `order:count`.
fn orders(orders: &[u64]) -> String {
    let used: Vec<_> = orders
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(order, count)| format!("{order}:{}", units::count(*count as f64)))
        .collect();
    if used.is_empty() {
        "-".into()
    } else {
        used.join(" ")
    }
}

fn mirrors(out: &mut String, sample: &Sample) -> std::fmt::Result {
    writeln!(
        out,
        "\n{:>7} {:<16} {:<16} {:>5} {:>8} {:>6} {:>6} {:>7} {:>7} {:>6}",
        "PID",
        "COMMAND",
        "DEVICE",
        "RES",
        "MIRRORED",
        "RANGES",
        "FAULTS",
        "RETRIES",
        "INVALID",
        "ERRORS"
    )?;
    for mirror in &sample.mirrors {
        writeln!(
            out,
            "{:>7} {:<16} {:<16} {:>5} {:>8} {:>6} {:>6} {:>7} {:>7} {:>6}",
            mirror.pid,
            cut(&mirror.comm, 16),
            cut(&sample.device_of(mirror), 16),
            units::bytes(mirror.resident as f64),
            units::bytes(mirror.mirrored as f64),
            mirror.ranges,
            units::count(mirror.faults as f64),
            units::count((mirror.retries_invalidated + mirror.retries_dropped) as f64),
            units::count(mirror.invalidations as f64),
            units::count(mirror.errors as f64),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        assert_eq!(bar(0, 100, 10), "..........");
        assert_eq!(bar(1, 1_000_000, 10), "#.........");
        assert_eq!(bar(50, 100, 10), "#####.....");
        assert_eq!(bar(300, 100, 10), "##########");
        assert_eq!(bar(3, 0, 4), "....");
    }

    #[test]
    fn names() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüx", 3), "äö~");
    }

    #[test]
    fn fixture() {
        let sample = Sample::parse(
            include_str!("../tests/fixture/mirrors"),
            Some(include_str!("../tests/fixture/devmem")),
        );
        crate::expect_file("once.txt", &once(&sample.unwrap()));
    }
}
