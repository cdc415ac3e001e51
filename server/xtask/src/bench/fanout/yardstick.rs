//! The npm package `ws` as a yardstick: it sends what it is given to everybody, and does nothing else.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::{Fanout, SETTLE, readers::Readers};
use crate::{
    cmd,
    serving::{
        live::{Door, Live},
        now, process,
    },
};

/// What is measured against; a newer one may be faster.
const PACKAGE: &str = "ws@8.23.0";
const PROGRAM: &str = include_str!("yardstick.mjs");
/// The last line. Lines arrive in order, so whoever has it has all.
const END: &[u8] = b"{\"end\":true}";
/// For the last line to arrive, after it was handed over.
const DRAIN: Duration = Duration::from_secs(120);

/// The package, installed once into a folder of the target directory.
pub(super) struct Yardstick {
    folder: PathBuf,
}

pub(super) fn install() -> Result<Yardstick> {
    let folder = cmd::target_dir().join("bench-node");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("yardstick.mjs"), PROGRAM)?;
    if !folder.join("node_modules/ws").exists() {
        cmd::run(cmd::program("npm", &folder).args([
            "install",
            "--no-audit",
            "--no-fund",
            "--silent",
            PACKAGE,
        ]))?;
    }
    Ok(Yardstick { folder })
}

impl Yardstick {
    /// Deliveries a CPU-second; `batch_ms` of zero sends every line by itself.
    pub(super) fn measured(&self, fanout: &Fanout, rate: u32, batch_ms: u32) -> Result<f64> {
        let mut child = Command::new("node");
        child.arg("yardstick.mjs").arg(batch_ms.to_string()).current_dir(&self.folder);
        let mut node =
            process::Started(child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no node")?);
        let mut origin = String::new();
        BufReader::new(node.0.stdout.take().context("no standard output")?).read_line(&mut origin)?;
        process::pin(node.0.id(), 0)?;
        let mut readers = Readers::new()?;
        for _ in 0..fanout.sockets {
            readers.add(Live::open(&Door { origin: origin.trim(), path: "/", authorization: "" }, None)?)?;
        }
        let (done, all) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        let reader = thread::spawn({
            let (done, all, sockets) = (Arc::clone(&done), Arc::clone(&all), fanout.sockets);
            move || {
                readers.run(&all, |_, live| {
                    let message = live.read()?.context("closed")?;
                    let end = &message[message.len().saturating_sub(END.len() + 2)..];
                    if end.windows(END.len()).any(|end| end == END) {
                        let n = done.fetch_add(1, Ordering::Relaxed) + 1;
                        all.store(n == sockets, Ordering::Relaxed);
                    }
                    Ok(())
                })
            }
        });
        thread::sleep(SETTLE);
        let before = process::cpu(node.0.id())?;
        let lines = feed(&mut node.0, rate, fanout.seconds)?;
        let begun = Instant::now();
        while !reader.is_finished() {
            if begun.elapsed() > DRAIN {
                all.store(true, Ordering::Relaxed);
                let n = done.load(Ordering::Relaxed);
                bail!("only {n} of {} sockets of the yardstick got everything", fanout.sockets);
            }
            thread::sleep(Duration::from_millis(5));
        }
        reader.join().map_err(|_| anyhow::anyhow!("the reader panicked"))??;
        let used = process::cpu(node.0.id())?.saturating_sub(before);
        Ok(f64::from(lines) * f64::from(fanout.sockets) / used.as_secs_f64())
    }
}

/// Hands lines over at a steady rate, each as long as an event of ours on the wire; answers how many.
fn feed(node: &mut Child, rate: u32, seconds: u32) -> Result<u32> {
    let mut input = node.stdin.take().context("no standard input")?;
    let (begun, all) = (Instant::now(), rate * seconds);
    for n in 0..all {
        let event = json!({
            "seq": 1_000_000 + n, "at": now(0).0, "recorded_at": now(0).0, "source": "src_0123456789", "controller": "upgrader",
            "object": { "kind": "machine", "id": format!("m-{}", n % 500) }, "app": null, "env": null, "action": "Drain",
            "outcome": "done", "reason": "Evicted", "message": format!("n={n}."), "attempt": null, "trace_id": null,
        });
        writeln!(input, "{event}")?;
        if n % 10 == 9 {
            input.flush()?;
            thread::sleep((Duration::from_secs(1) * (n + 1) / rate).saturating_sub(begun.elapsed()));
        }
    }
    input.write_all(END)?;
    input.write_all(b"\n")?;
    Ok(all)
}
