// SPDX-License-Identifier: GPL-2.0
//! What has happened between two samples, per second.

use std::time::Duration;

use crate::stats::{Memory, Mirror, Sample};

/// Of a mirror, per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MirrorRates {
    pub faults: f64,
    pub populated: f64,
    pub retries: f64,
    pub invalidations: f64,
}

/// Of a device memory, per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MemoryRates {
    pub to_device: f64,
    pub from_device: f64,
    pub evicted: f64,
    pub cpu_faults: f64,
}

/// Two samples, and the time between them.
pub struct Interval {
    before: Sample,
    pub now: Sample,
    seconds: f64,
}

impl Interval {
    /// The first sample: nothing has happened yet.
    pub fn first(now: Sample) -> Self {
        Self {
            before: now.clone(),
            now,
            seconds: 1.0,
        }
    }

    /// Adds a sample, which was taken `after` the one before.
    pub fn add(&mut self, now: Sample, after: Duration) {
        self.before = std::mem::replace(&mut self.now, now);
        self.seconds = after.as_secs_f64().max(1e-3);
    }

    /// A number is never used for another mirror, so that the one before is the same. One that
    /// has begun since then began with zeros.
    pub fn mirror(&self, now: &Mirror) -> MirrorRates {
        let before = self.before.mirrors.iter().find(|m| m.mirror == now.mirror);
        let rate = |of: fn(&Mirror) -> u64| self.rate(of(now), before.map_or(0, of));
        MirrorRates {
            faults: rate(|m| m.faults),
            populated: rate(|m| m.populated),
            retries: rate(|m| m.retries_invalidated + m.retries_dropped),
            invalidations: rate(|m| m.invalidations),
        }
    }

    pub fn memory(&self, now: &Memory) -> MemoryRates {
        let before = self.before.memories.iter().find(|m| m.devmem == now.devmem);
        let rate = |of: fn(&Memory) -> u64| self.rate(of(now), before.map_or(0, of));
        MemoryRates {
            to_device: rate(|m| m.to_device),
            from_device: rate(|m| m.from_device),
            evicted: rate(|m| m.evicted),
            cpu_faults: rate(|m| m.cpu_faults),
        }
    }

    fn rate(&self, now: u64, before: u64) -> f64 {
        now.saturating_sub(before) as f64 / self.seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(faults: u64, to_device: u64) -> Sample {
        Sample {
            mirrors: vec![Mirror {
                mirror: 3,
                faults,
                ..Default::default()
            }],
            memories: vec![Memory {
                devmem: 1,
                to_device,
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    #[test]
    fn per_second() {
        let mut interval = Interval::first(sample(10, 4096));
        assert_eq!(interval.mirror(&interval.now.mirrors[0]).faults, 0.0);
        interval.add(sample(30, 4096 * 5), Duration::from_secs(2));
        assert_eq!(interval.mirror(&interval.now.mirrors[0]).faults, 10.0);
        assert_eq!(interval.memory(&interval.now.memories[0]).to_device, 8192.0);
    }

    #[test]
    fn new_and_smaller() {
        let mut interval = Interval::first(Sample::default());
        interval.add(sample(5, 0), Duration::from_secs(1));
        assert_eq!(interval.mirror(&interval.now.mirrors[0]).faults, 5.0);
        interval.add(sample(1, 0), Duration::ZERO);
        assert_eq!(interval.mirror(&interval.now.mirrors[0]).faults, 0.0);
    }
}
