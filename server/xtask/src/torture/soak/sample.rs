//! Memory and descriptors of a process over time, and the line through them.

use std::{fs, time::Duration};

use anyhow::Result;

use crate::serving::process;

/// What was seen of one process.
pub(super) struct Samples {
    pid: u32,
    seen: Vec<Sample>,
}

struct Sample {
    at_s: f64,
    rss_kb: f64,
    descriptors: f64,
}

/// The line through a series.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) mean: f64,
    /// From its first to its last moment.
    pub(super) growth: f64,
    pub(super) most: f64,
}

impl Samples {
    pub(super) fn of(pid: u32) -> Self {
        Self { pid, seen: vec![] }
    }

    pub(super) fn take(&mut self, at: Duration) -> Result<()> {
        let rss = u32::try_from(process::memory(self.pid, false)? / 1024).unwrap_or(u32::MAX);
        let descriptors = fs::read_dir(format!("/proc/{}/fd", self.pid))?.count();
        let descriptors = f64::from(u32::try_from(descriptors).unwrap_or(u32::MAX));
        self.seen.push(Sample { at_s: at.as_secs_f64(), rss_kb: f64::from(rss), descriptors });
        Ok(())
    }

    /// Resident memory in kB, from this moment on.
    pub(super) fn memory(&self, from: Duration) -> Option<Line> {
        self.line(from, |sample| sample.rss_kb)
    }

    /// Open descriptors, from this moment on.
    pub(super) fn descriptors(&self, from: Duration) -> Option<Line> {
        self.line(from, |sample| sample.descriptors)
    }

    fn line(&self, from: Duration, value: impl Fn(&Sample) -> f64) -> Option<Line> {
        let late = self.seen.iter().filter(|sample| sample.at_s >= from.as_secs_f64());
        fit(&late.map(|sample| (sample.at_s, value(sample))).collect::<Vec<_>>())
    }
}

/// Least squares.
fn fit(points: &[(f64, f64)]) -> Option<Line> {
    let (first, last) = (points.first()?.0, points.last()?.0);
    let n = f64::from(u32::try_from(points.len()).ok().filter(|n| *n >= 10)?);
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let slope = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>() / spread;
    let most = points.iter().map(|point| point.1).fold(f64::MIN, f64::max);
    Some(Line { mean: y, growth: slope * (last - first), most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_that_of_the_line_and_not_of_its_ends() {
        let points: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), 10.0 + f64::from(i) * 0.5)).collect();
        let line = fit(&points).unwrap();
        assert!((line.growth - 49.5).abs() < 1e-6 && (line.mean - 34.75).abs() < 1e-6, "{line:?}");
        let mut flat: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), 7.0)).collect();
        flat[99].1 = 20.0;
        let line = fit(&flat).unwrap();
        assert!(line.growth < 1.0 && line.most > 19.0, "{line:?}");
        assert_eq!(fit(&points[..9]), None);
    }
}
