//! The yardstick on SQLite: the `sqlite3` of the machine, on tables made from the server's own schema.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{Ingest, Turns, rate, send, tell};
use crate::{
    bench::report::{Limit, Report},
    cmd,
    serving::{process, server::Server},
};

/// Rows that one commit of ours has at most, and so one of the yardstick.
const COMMIT: u64 = 1000;
/// As `server/store/src/pool.rs` opens a store.
const AS_OURS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000;\n";

/// The tables that events go to, and their indexes.
const SCHEMA: &str =
    "SELECT sql || ';' FROM sqlite_schema WHERE tbl_name IN ('events', 'journal') AND sql IS NOT NULL";

pub(super) fn run(
    ingest: &Ingest,
    vt: &Path,
    folder: &Path,
    reports: &[PathBuf],
    report: &mut Report,
) -> Result<()> {
    let mut memory = vec![];
    let (mut rows, mut text) = (Turns::default(), Turns::default());
    for run in 0..ingest.common.runs {
        let data = folder.join(format!("sqlite-{run}"));
        let server = Server::start(vt, &data, &[])?;
        server.ready(Duration::from_secs(20))?;
        let id = server.id();
        let used = send(&server, reports, ingest.rows, || process::cpu(id))?;
        memory.push(used.memory_mb);
        server.stop(Duration::from_secs(30))?;
        let theirs = Theirs { ours: data.join("vantage.db"), rows: ingest.rows, folder };
        for (turns, by) in [(&mut rows, theirs.copied()?), (&mut text, theirs.read()?)] {
            turns.ours.push(rate(ingest.rows, used.cpu));
            turns.theirs.push(rate(ingest.rows, by));
        }
        std::fs::remove_dir_all(&data).context("cannot remove a data folder")?;
    }
    report.add("On SQLite, events a CPU-second", "", rows.ours.clone(), Limit::None);
    let limit = Limit::AtLeast(0.4, 0.8);
    tell(report, "ours", "`sqlite3`, `INSERT … SELECT` of the same rows in the same commits", &rows, limit);
    tell(
        report,
        "ours",
        "`sqlite3`, one `INSERT` a row from a file, in the same commits",
        &text,
        Limit::None,
    );
    report.add("the server's memory at its most", "MB", memory, Limit::AtMost(150.0));
    Ok(())
}

/// The rows that the server wrote, to be written again.
struct Theirs<'a> {
    ours: PathBuf,
    rows: u64,
    folder: &'a Path,
}

impl Theirs<'_> {
    /// From the server's file into another one: what the engine alone needs.
    fn copied(&self) -> Result<Duration> {
        let mut script = String::from(AS_OURS);
        script.push_str(&format!("ATTACH 'file:{}?mode=ro' AS ours;\n", self.ours.display()));
        let first: u64 = self.ask("SELECT min(seq) FROM events")?.parse().context("no events")?;
        for from in (first..first + self.rows).step_by(usize::try_from(COMMIT)?) {
            let range = format!("WHERE seq >= {from} AND seq < {}", from + COMMIT);
            script.push_str("BEGIN IMMEDIATE;\n");
            for table in ["events", "journal"] {
                script.push_str(&format!("INSERT INTO {table} SELECT * FROM ours.{table} {range};\n"));
            }
            script.push_str("COMMIT;\n");
        }
        self.run("copied", script)
    }

    /// From a file of text: what people do who load rows with `sqlite3`.
    fn read(&self) -> Result<Duration> {
        let mut script = String::from(AS_OURS);
        let dump = |table: &str| -> Result<String> {
            let mut ask = Command::new("sqlite3");
            ask.arg(&self.ours).args([
                "-cmd".to_owned(),
                format!(".mode insert {table}"),
                format!("SELECT * FROM {table} WHERE seq IN (SELECT seq FROM events) ORDER BY seq"),
            ]);
            cmd::output(&mut ask)
        };
        let (events, journal) = (dump("events")?, dump("journal")?);
        for (n, (event, row)) in events.lines().zip(journal.lines()).enumerate() {
            let n = u64::try_from(n)?;
            if n.is_multiple_of(COMMIT) {
                script.push_str(if n == 0 { "BEGIN IMMEDIATE;\n" } else { "COMMIT;\nBEGIN IMMEDIATE;\n" });
            }
            script.push_str(event);
            script.push('\n');
            script.push_str(row);
            script.push('\n');
        }
        script.push_str("COMMIT;\n");
        self.run("read", script)
    }

    /// Runs a script over a fresh file; answers the processor time of doing so.
    fn run(&self, name: &str, script: String) -> Result<Duration> {
        let path = self.folder.join(format!("{name}.db"));
        let schema = self.folder.join("schema.sql");
        std::fs::write(&schema, self.ask(SCHEMA)?)?;
        let sql = self.folder.join(format!("{name}.sql"));
        std::fs::write(&sql, script)?;
        execute(&path, &schema)?;
        let before = process::cpu_of_ended_children()?;
        execute(&path, &sql)?;
        let used = process::cpu_of_ended_children()?.saturating_sub(before);
        cmd::say(format!("sqlite3, {name}: {:.2} s of processor time", used.as_secs_f64()));
        let written = cmd::output(Command::new("sqlite3").arg(&path).arg("SELECT count(*) FROM events"))?;
        if written != self.rows.to_string() {
            bail!("the yardstick wrote {written} of {} rows", self.rows);
        }
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("{}{suffix}", path.display());
            if Path::new(&file).exists() {
                std::fs::remove_file(file)?;
            }
        }
        Ok(used)
    }

    fn ask(&self, what: &str) -> Result<String> {
        cmd::output(Command::new("sqlite3").args(["-batch", "-noheader", "-list"]).arg(&self.ours).arg(what))
    }
}

fn execute(database: &Path, script: &Path) -> Result<()> {
    let mut command = Command::new("sqlite3");
    command.args(["-batch", "-bail"]).arg(database).stdin(File::open(script)?).stdout(Stdio::null());
    cmd::run(&mut command)
}
