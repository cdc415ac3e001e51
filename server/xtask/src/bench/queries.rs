//! How long reads of events take where the store holds many: whole answers over HTTP, as pages and as JSON.
//!
//! The store is filled by `sqlite3` from `queries/fill.sql`, because ten million lines over HTTP take longer than all
//! that is measured; its schema is the one that the server made.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::{Common, Report, report::Limit};
use crate::{
    cmd,
    serving::{self, client::Client, percentile, process, server::Server},
};

/// How objects, events and indexes come into the store.
const FILL: &str = include_str!("queries/fill.sql");
/// Objects that the events are about.
const OBJECTS: u64 = 2000;
/// The indexes of events: made again after the rows, in a fraction of the time.
const INDEXES: &str = "SELECT name, replace(sql, char(10), ' ') FROM sqlite_schema \
    WHERE tbl_name = 'events' AND type = 'index' AND sql IS NOT NULL";

/// Measures how long reads of events take.
#[derive(Args)]
pub(super) struct Queries {
    /// Events in the store
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(100_000..=100_000_000))]
    events: u64,
    /// How many of them happened in the last 24 hours
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1000..=10_000_000))]
    recent: u64,
    /// How often each address is asked in one run
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    requests: u32,
    /// Keep the filled data folder here, and take it from here if it is there
    #[arg(long)]
    keep: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// What is asked, and within how many milliseconds 99 of 100 have to be answered.
const ASKED: &[(&str, f64)] = &[
    ("", 100.0),
    ("kind=machine", 100.0),
    ("kind=lighthouse", 100.0),
    ("app=app-07", 100.0),
    ("app=island", 100.0),
    ("app=app-07&env=test", 100.0),
    ("env=prod", 100.0),
    ("controller=kubelet", 100.0),
    ("controller=keeper", 100.0),
    ("reason=Reason07", 100.0),
    ("reason=Lightning", 100.0),
    ("reason=-Reason07", 100.0),
    ("outcome=failed", 100.0),
    ("outcome=done", 100.0),
    ("outcome=failed,started", 100.0),
    ("kind=machine&outcome=failed", 100.0),
    ("reason=Nothing", 100.0),
    ("from=-24h", 100.0),
    ("q=needle&from=-24h", 300.0),
    ("q=answered&from=-24h", 300.0),
    ("object=machine:o-0005&from=-24h", 20.0),
];

pub(super) fn run(queries: &Queries) -> Result<Report> {
    let vt = queries.common.vt()?;
    let folder = super::folder()?;
    let data = queries.keep.clone().unwrap_or_else(|| folder.path().join("data"));
    if !data.join("vantage.db").exists() {
        fill(queries, &vt, &data)?;
    }
    let mut report = Report::new(format!("Reads with {} events in the store", queries.events));
    let starts: Vec<f64> = (0..queries.common.runs)
        .map(|_| {
            let server = Server::start(&vt, &data, &[])?;
            let took = server.ready(Duration::from_secs(60))?;
            server.stop(Duration::from_secs(30))?;
            Ok(took.as_secs_f64())
        })
        .collect::<Result<_>>()?;
    report.add("from its start until it is ready", "s", starts, Limit::AtMost(1.0));
    let server = Server::start(&vt, &data, &[])?;
    server.ready(Duration::from_secs(60))?;
    let client = server.client()?;
    for (query, limit) in ASKED {
        for path in ["/events", "/api/v1/events"] {
            let path = format!("{path}?{query}");
            let runs = (0..queries.common.runs).map(|_| ask(&client, &path, queries.requests));
            let runs: Vec<f64> = runs.collect::<Result<_>>()?;
            report.add(format!("`{path}`, p99"), "ms", runs, Limit::AtMost(*limit));
        }
    }
    let memory = |most| {
        Ok::<_, anyhow::Error>(f64::from(u32::try_from(process::memory(server.id(), most)? / 1000)?) / 1000.0)
    };
    report.add("resident memory after all of this", "MB", vec![memory(false)?], Limit::AtMost(150.0));
    report.add("resident memory at its most", "MB", vec![memory(true)?], Limit::AtMost(150.0));
    server.stop(Duration::from_secs(30))?;
    Ok(report)
}

/// Asks so often; answers the 99th percentile in milliseconds.
fn ask(client: &Client, path: &str, requests: u32) -> Result<f64> {
    let mut took = vec![];
    for _ in 0..requests {
        let begun = Instant::now();
        let answer = client.get(path)?;
        took.push(begun.elapsed().as_micros());
        if answer.status != 200 {
            bail!("GET {path} was answered with {}: {}", answer.status, answer.body);
        }
    }
    let (half, most) = (percentile(&took, 50), percentile(&took, 99));
    cmd::say(format!("{path}: median {half} µs, p99 {most} µs"));
    Ok(f64::from(u32::try_from(most)?) / 1000.0)
}

/// Makes a store and fills it while no server serves it.
fn fill(queries: &Queries, vt: &Path, data: &Path) -> Result<()> {
    let server = Server::start(vt, data, &[])?;
    server.ready(Duration::from_secs(20))?;
    server.stop(Duration::from_secs(20))?;
    let (database, begun) = (data.join("vantage.db"), Instant::now());
    let list = cmd::output(Command::new("sqlite3").args(["-batch", "-list"]).arg(&database).arg(INDEXES))?;
    let indexes: Vec<(&str, &str)> = list.lines().filter_map(|line| line.split_once('|')).collect();
    // Nothing is at stake while it is filled; afterwards it is as the server left it.
    let mut script = String::from(
        "PRAGMA journal_mode = OFF;\nPRAGMA synchronous = OFF;\nPRAGMA cache_size = -1000000;\n",
    );
    let numbers = [("events", queries.events), ("recent", queries.recent), ("objects", OBJECTS)];
    let now = ("now", u64::try_from(serving::now(0).0)?);
    for (name, value) in numbers.into_iter().chain([now]) {
        script.push_str(&format!(".parameter set :{name} {value}\n"));
    }
    indexes.iter().for_each(|(name, _)| script.push_str(&format!("DROP INDEX {name};\n")));
    script.push_str(FILL);
    indexes.iter().for_each(|(_, text)| script.push_str(&format!("{text};\n")));
    script.push_str("PRAGMA journal_mode = WAL;\n");
    let path = data.join("fill.sql");
    std::fs::write(&path, script)?;
    let mut sqlite = Command::new("sqlite3");
    sqlite.args(["-batch", "-bail"]).arg(&database).stdin(File::open(&path)?).stdout(Stdio::null());
    cmd::run(sqlite.env("SQLITE_TMPDIR", data)).context("the store could not be filled")?;
    let size = std::fs::metadata(&database)?.len();
    cmd::say(format!("filled in {} s: {} bytes an event", begun.elapsed().as_secs(), size / queries.events));
    Ok(())
}
