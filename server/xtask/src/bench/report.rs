//! What a benchmark found: a table that can be pasted into the README, with its date, machine and command.

use anyhow::Result;

use crate::serving;

/// What a figure has to reach.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// It has to be as much, and should become the second.
    AtLeast(f64, f64),
    /// It may be no more.
    AtMost(f64),
    /// It stands there to be read.
    None,
}

/// One figure, once a run.
struct Figure {
    what: String,
    unit: &'static str,
    runs: Vec<f64>,
    limit: Limit,
}

/// Everything that one benchmark found.
pub(super) struct Report {
    subject: String,
    figures: Vec<Figure>,
}

impl Report {
    /// A report without figures; the subject says what was measured on how much.
    pub(super) fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), figures: vec![] }
    }

    /// Adds what the runs found.
    pub(super) fn add(&mut self, what: impl Into<String>, unit: &'static str, runs: Vec<f64>, limit: Limit) {
        self.figures.push(Figure { what: what.into(), unit, runs, limit });
    }

    /// Prints the table to standard output.
    pub(super) fn print(&self) -> Result<()> {
        let command: Vec<String> = std::env::args().skip(1).collect();
        line(format!("{}. {}, {}, `cargo xtask {}`.", self.subject, today(), machine()?, command.join(" ")));
        line("");
        line("| What | Median | Least to most | Limit | |");
        line("|---|---|---|---|---|");
        self.figures.iter().for_each(|figure| line(figure.row()));
        Ok(())
    }
}

impl Figure {
    fn row(&self) -> String {
        let Self { what, unit, runs, limit } = self;
        let (least, most) =
            (runs.iter().copied().fold(f64::MAX, f64::min), runs.iter().copied().fold(0.0, f64::max));
        let middle = median(runs);
        let (limit, holds) = match *limit {
            Limit::AtLeast(limit, aim) if middle >= aim => (format!("≥ {limit}, aim {aim}"), "aim reached"),
            Limit::AtLeast(limit, aim) if middle >= limit => (format!("≥ {limit}, aim {aim}"), "reached"),
            Limit::AtLeast(limit, aim) => (format!("≥ {limit}, aim {aim}"), "**missed**"),
            Limit::AtMost(limit) if middle <= limit => (format!("≤ {limit} {unit}"), "reached"),
            Limit::AtMost(limit) => (format!("≤ {limit} {unit}"), "**missed**"),
            Limit::None => (String::new(), ""),
        };
        format!(
            "| {what} | {} {unit} | {} – {} | {limit} | {holds} |",
            short(middle),
            short(least),
            short(most)
        )
    }
}

/// The value in the middle; of two, their mean.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

/// Three figures that count.
fn short(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn today() -> String {
    serving::now(0).to_string().chars().take(10).collect()
}

/// How many processors there are and what they call themselves.
fn machine() -> Result<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo")?;
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    // Not those that we may use: a benchmark may have kept itself to one of them.
    let cores = text.lines().filter(|line| line.starts_with("processor")).count();
    Ok(format!("{cores} cores of {}", name.map_or("an unnamed processor", |(_, name)| name)))
}

/// One line of standard output.
pub(super) fn line(text: impl AsRef<str>) {
    #[expect(clippy::print_stdout, reason = "a table is made to be piped and pasted")]
    {
        println!("{}", text.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_counts_and_says_whether_it_reaches_the_limit() {
        let figure =
            |runs: &[f64], limit| Figure { what: "ratio".into(), unit: "", runs: runs.to_vec(), limit }.row();
        let row = figure(&[0.9, 0.1, 0.5], Limit::AtLeast(0.4, 0.8));
        assert_eq!(row, "| ratio | 0.50  | 0.10 – 0.90 | ≥ 0.4, aim 0.8 | reached |");
        assert!(figure(&[0.3], Limit::AtLeast(0.4, 0.8)).ends_with("**missed** |"));
        assert!(figure(&[0.8], Limit::AtLeast(0.4, 0.8)).ends_with("aim reached |"));
        assert!(figure(&[101.0, 99.0], Limit::AtMost(100.0)).ends_with("| reached |"));
    }
}
