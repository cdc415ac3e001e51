//! Looks into a copy of the store of a server that is dead: whole, ordered, and with everything in it.
//!
//! The copy is opened by the `sqlite3` of the machine, so that the server's own recovery has nothing to do with it.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context as _, Result, bail};

use super::{database, ledger::Ledger};
use crate::cmd;

/// Each answers a number that has to be 0.
const RULES: &[(&str, &str)] = &[
    ("the journal has holes", "SELECT max(seq) - min(seq) + 1 - count(*) FROM journal"),
    ("the journal's head is not its last row", "SELECT h.seq - max(j.seq) FROM journal_head h, journal j"),
    (
        "recorded times go backwards",
        "SELECT count(*) FROM journal a JOIN journal b ON b.seq = a.seq + 1 WHERE b.recorded_at < a.recorded_at",
    ),
    (
        "events are not in the journal",
        "SELECT count(*) FROM events WHERE seq NOT IN (SELECT seq FROM journal)",
    ),
    (
        "receipts have no audit row",
        "SELECT count(*) FROM receipts WHERE ext NOT IN (SELECT receipt FROM audit WHERE receipt IS NOT NULL)",
    ),
    ("generations have holes", "SELECT coalesce(max(generation), 0) - count(*) FROM receipts"),
    (
        "desired state is not that of the newest receipt",
        "SELECT count(*) FROM envs e WHERE generation <> (SELECT max(generation) FROM receipts r WHERE r.env = e.id)",
    ),
    (
        "receipts have no idempotency key",
        "SELECT count(*) FROM receipts WHERE ext NOT IN (SELECT subject FROM idempotency_keys)",
    ),
];

pub(super) fn check(data: &Path, ledger: &Ledger) -> Result<()> {
    let folder = tempfile::tempdir_in(cmd::target_dir())?;
    let copy = folder.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        let from = name(&database(data));
        if Path::new(&from).exists() {
            std::fs::copy(&from, name(&copy)).with_context(|| format!("could not copy {from}"))?;
        }
    }
    let whole = ask(&copy, "PRAGMA integrity_check")?;
    if whole != "ok" {
        bail!("the store is damaged: {whole}");
    }
    for (wrong, rule) in RULES {
        let n = ask(&copy, rule)?;
        if n != "0" {
            bail!("{wrong}: {n}");
        }
    }
    let pairs = |sql| -> Result<BTreeMap<String, String>> {
        let text = ask(&copy, sql)?;
        let pairs = text.lines().filter_map(|line| line.split_once('|'));
        Ok(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    };
    let receipts = pairs("SELECT ext, generation FROM receipts")?;
    let releases = pairs("SELECT ext, number FROM releases")?;
    let events = pairs("SELECT seq, reason FROM events")?;
    let book = ledger.book();
    for (id, generation) in &book.receipts {
        if receipts.get(id) != Some(&generation.to_string()) {
            bail!("acknowledged and lost: {id} of generation {generation}");
        }
    }
    for id in &book.releases {
        if !releases.contains_key(id) {
            bail!("acknowledged and lost: {id}");
        }
    }
    for (seq, reason) in &book.events {
        if events.get(&seq.to_string()) != Some(reason) {
            bail!("shown and lost: event {seq} ({reason})");
        }
    }
    Ok(())
}

fn ask(copy: &Path, sql: &str) -> Result<String> {
    cmd::output(Command::new("sqlite3").args(["-batch", "-noheader", "-list"]).arg(copy).arg(sql))
}
