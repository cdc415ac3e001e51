//! How many events one second of a processor takes in, from HTTP until they are on disk.
//!
//! Ours: reports of NDJSON to a real server; its time counts, and on PostgreSQL that of the database. The yardsticks
//! write the very rows that the server wrote into the same tables with the same indexes: on SQLite the `sqlite3` of
//! the machine, as durable as we are; on PostgreSQL `psql \copy` in one transaction.

mod postgres;
mod sqlite;

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use model::Span;
use serde_json::json;

use super::{Common, Report, events, report::Limit};
use crate::{
    cmd,
    serving::{self, client::Client, process, server::Server},
};

/// Lines that one report has.
const REPORT: u64 = 100_000;
/// What is done because of the events, but after their acknowledgement, counts as well.
const AFTERWARDS: Duration = Duration::from_millis(1500);

/// Measures how many events a CPU-second are taken in.
#[derive(Args)]
pub(super) struct Ingest {
    /// Events a run
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1000..=20_000_000))]
    rows: u64,
    /// Only on this engine: sqlite or postgres
    #[arg(long, value_parser = ["sqlite", "postgres"])]
    engine: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(ingest: &Ingest) -> Result<Report> {
    let vt = ingest.common.vt()?;
    let folder = super::folder()?;
    let reports = write_reports(folder.path(), ingest.rows)?;
    let mut report = Report::new(format!("Ingest of {} events", ingest.rows));
    let wants = |engine| ingest.engine.as_deref().is_none_or(|only| only == engine);
    if wants("sqlite") {
        sqlite::run(ingest, &vt, folder.path(), &reports, &mut report)?;
    }
    if wants("postgres") {
        postgres::run(ingest, &vt, folder.path(), &reports, &mut report)?;
    }
    Ok(report)
}

/// What the turns of ours and of one yardstick came to, in events a CPU-second.
#[derive(Default)]
struct Turns {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

/// What a turn of ours took.
struct Used {
    cpu: Duration,
    memory_mb: f64,
}

impl Turns {
    /// The ratio of each turn.
    fn ratios(&self) -> Vec<f64> {
        self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours / theirs).collect()
    }
}

/// Events a second of processor time.
fn rate(rows: u64, cpu: Duration) -> f64 {
    f64::from(u32::try_from(rows).unwrap_or(u32::MAX)) / cpu.as_secs_f64()
}

/// Writes all events into files of one report each.
fn write_reports(folder: &Path, rows: u64) -> Result<Vec<PathBuf>> {
    let now = serving::now(0);
    let mut files = vec![];
    for first in (0..rows).step_by(usize::try_from(REPORT)?) {
        let path = folder.join(format!("{first}.ndjson"));
        let mut file = BufWriter::new(File::create(&path).context("cannot write a report")?);
        for n in first..(first + REPORT).min(rows) {
            file.write_all(events::line(n, events::spread(n, rows, Span::minutes(24 * 60), now)).as_bytes())?;
        }
        file.flush()?;
        files.push(path);
    }
    Ok(files)
}

/// Registers the platform that reports.
fn register(client: &Client) -> Result<()> {
    client.put("/api/v1/sources/bench", "bench-register", &json!({ "interval_s": 3600 }))?.good().map(drop)
}

/// Sends all reports, one after the other; answers the time on processors that `cpu` saw meanwhile.
fn send(server: &Server, reports: &[PathBuf], rows: u64, cpu: impl Fn() -> Result<Duration>) -> Result<Used> {
    let client = server.client()?;
    register(&client)?;
    std::thread::sleep(AFTERWARDS);
    let (before, begun) = (cpu()?, std::time::Instant::now());
    let mut stored = 0;
    for path in reports {
        let file = File::open(path).context("cannot read a report")?;
        let answer = client.send_file("/api/v1/sources/bench/observations", file)?;
        let done = answer.last().filter(|last| last["done"] == true).context("a report was cut off")?;
        stored += done["stored"].as_u64().unwrap_or_default();
    }
    let wall = begun.elapsed();
    std::thread::sleep(AFTERWARDS);
    if stored != rows {
        bail!("{stored} of {rows} events were stored");
    }
    let used = cpu()?.saturating_sub(before);
    let memory_mb = f64::from(u32::try_from(process::memory(server.id(), true)? / 1000)?) / 1000.0;
    cmd::say(format!(
        "ours: {:.2} s of processor time, {:.2} s by the clock, {memory_mb:.0} MB at most",
        used.as_secs_f64(),
        wall.as_secs_f64(),
    ));
    Ok(Used { cpu: used, memory_mb })
}

/// Both ratios of one engine, and what they are made of.
fn tell(report: &mut Report, ours: &str, theirs: &str, turns: &Turns, limit: Limit) {
    report.add(format!("{ours} ÷ {theirs}"), "", turns.ratios(), limit);
    report.add(format!("{theirs}, events a CPU-second"), "", turns.theirs.clone(), Limit::None);
}
