// SPDX-License-Identifier: GPL-2.0
//! How numbers are shown: at most five characters, so that columns stay in place.

/// Bytes with a binary unit: `512K`, `1.5G`.
pub fn bytes(bytes: f64) -> String {
    scaled(bytes, 1024.0, &["B", "K", "M", "G", "T", "P", "E"])
}

/// A count with a decimal unit: `950`, `12.3k`.
pub fn count(count: f64) -> String {
    scaled(count, 1000.0, &["", "k", "M", "G", "T", "P", "E"])
}

fn scaled(mut value: f64, base: f64, units: &[&str]) -> String {
    let mut unit = 0;
    // What would be printed as 1000 or more gets the next unit.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    if value > 0.0 && value < 9.95 && (unit > 0 || value.fract() != 0.0) {
        format!("{value:.1}{}", units[unit])
    } else {
        format!("{value:.0}{}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_their_column() {
        let mut value = 0.0;
        while value < 1.8e19 {
            assert!(
                bytes(value).len() <= 5 && count(value).len() <= 5,
                "{value}"
            );
            value = value * 1.37 + 0.3;
        }
    }

    #[test]
    fn examples() {
        assert_eq!(bytes(0.0), "0B");
        assert_eq!(bytes(4096.0), "4.0K");
        assert_eq!(bytes(1023.0), "1.0K");
        assert_eq!(bytes(512.0 * 1024.0 * 1024.0), "512M");
        assert_eq!(count(0.0), "0");
        assert_eq!(count(0.5), "0.5");
        assert_eq!(count(7.0), "7");
        assert_eq!(count(12_345.0), "12k");
        assert_eq!(count(1_500.0), "1.5k");
    }
}
