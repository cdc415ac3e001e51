//! The yardstick on PostgreSQL: `psql \copy` of the same rows into tables with the same columns and indexes.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{Ingest, Turns, rate, send, tell};
use crate::{
    bench::report::{Limit, Report},
    cmd,
    postgres::Postgres,
    serving::{process, server::Server},
};

/// Until a backend has ended and the database waited for it, so that its time counts.
const SETTLE: Duration = Duration::from_millis(500);

pub(super) fn run(
    ingest: &Ingest,
    vt: &Path,
    folder: &Path,
    reports: &[PathBuf],
    report: &mut Report,
) -> Result<()> {
    let mut turns = Turns::default();
    for run in 0..ingest.common.runs {
        let postgres = Postgres::start_durable()?;
        let theirs = Theirs { postgres: &postgres, rows: ingest.rows, folder };
        let data = folder.join(format!("postgres-{run}"));
        let server = Server::start(vt, &data, &["--database", &postgres.url()])?;
        server.ready(Duration::from_secs(20))?;
        let id = server.id();
        let cpu = || Ok(process::cpu(id)? + process::cpu_with_children(postgres.id())?);
        let used = send(&server, reports, ingest.rows, cpu)?;
        turns.ours.push(rate(ingest.rows, used.cpu));
        server.stop(Duration::from_secs(30))?;
        turns.theirs.push(rate(ingest.rows, theirs.copy()?));
    }
    report.add(
        "On PostgreSQL, events a CPU-second of server and database",
        "",
        turns.ours.clone(),
        Limit::None,
    );
    tell(
        report,
        "ours",
        "`psql \\copy` of the same rows in one transaction",
        &turns,
        Limit::AtLeast(0.3, 0.85),
    );
    Ok(())
}

struct Theirs<'a> {
    postgres: &'a Postgres,
    rows: u64,
    folder: &'a Path,
}

impl Theirs<'_> {
    /// Copies the rows out, makes tables like ours, and copies the rows in; answers the time of the last, that of
    /// `psql` and that of the database.
    fn copy(&self) -> Result<Duration> {
        let file = |table: &str| self.folder.join(format!("{table}.copy"));
        self.psql(&["CREATE SCHEMA yardstick"])?;
        for table in ["events", "journal"] {
            let rows = format!("SELECT * FROM {table} WHERE seq IN (SELECT seq FROM events) ORDER BY seq");
            self.psql(&[
                &format!("\\copy ({rows}) TO '{}'", file(table).display()),
                &format!("CREATE TABLE yardstick.{table} (LIKE public.{table} INCLUDING ALL)"),
            ])?;
        }
        self.psql(&["CHECKPOINT"])?;
        std::thread::sleep(SETTLE);
        let used = || {
            Ok::<_, anyhow::Error>((
                process::cpu_of_ended_children()?,
                process::cpu_with_children(self.postgres.id())?,
            ))
        };
        let before = used()?;
        let copy = |table: &str| format!("\\copy yardstick.{table} FROM '{}'", file(table).display());
        self.psql(&["BEGIN", &copy("events"), &copy("journal"), "COMMIT"])?;
        std::thread::sleep(SETTLE);
        let after = used()?;
        let used = after.0.saturating_sub(before.0) + after.1.saturating_sub(before.1);
        cmd::say(format!("psql: {:.2} s of processor time", used.as_secs_f64()));
        let written = self.psql(&["SELECT count(*) FROM yardstick.events"])?;
        if written != self.rows.to_string() {
            bail!("the yardstick wrote {written} of {} rows", self.rows);
        }
        Ok(used)
    }

    fn psql(&self, commands: &[&str]) -> Result<String> {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", &self.postgres.url()]);
        for command in commands {
            psql.args(["-c", command]);
        }
        cmd::output(&mut psql).context("psql did not do it")
    }
}
