//! How long the store takes, for whoever watches it. Counted without a lock; nothing is decided by it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The upper ends of the steps, in microseconds.
pub const STEPS_US: [u64; 8] = [500, 1_000, 5_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000];

/// How often something took how long.
#[derive(Debug, Default)]
pub(crate) struct Timing {
    steps: [AtomicU64; STEPS_US.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

/// The same as numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timed {
    /// How many took at most so long as [`STEPS_US`] says, each step with those below it.
    pub steps: [u64; STEPS_US.len()],
    /// How many in all.
    pub count: u64,
    /// How long all of them took together.
    pub sum_us: u64,
}

impl Timing {
    pub(crate) fn add(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        for (step, end) in self.steps.iter().zip(STEPS_US) {
            if us <= end {
                step.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Timed {
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Timed {
            steps: self.steps.each_ref().map(now),
            // A count is never below its steps, however the two were read.
            count: now(&self.count).max(self.steps.iter().map(now).max().unwrap_or(0)),
            sum_us: now(&self.sum_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_counts_those_below_it_too() {
        let timing = Timing::default();
        for us in [1, 500, 501, 30_000, 60_000_000] {
            timing.add(Duration::from_micros(us));
        }
        let timed = timing.read();
        assert_eq!(timed.steps, [2, 3, 3, 3, 4, 4, 4, 4]);
        assert_eq!((timed.count, timed.sum_us), (5, 60_031_002));
    }
}
