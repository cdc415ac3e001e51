//! How soon the overview of many app-envs begins to arrive, and what it costs, against the same bytes from memory.
//!
//! The app-envs are real: each is applied, most of them with nothing to run, some with a process that exits at once.
//! Readers who may act get a page of their own (uncached): it is rendered for each request, from a roll-up that is kept
//! while the journal stands still, for a second at most. Viewers share a rendered page as long.

mod ask;

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;

use self::ask::{Asked, Asking};
use super::{Common, Report, report::Limit};
use crate::{
    cmd,
    serving::{client::Client, process, server::Server},
};

/// Connections that ask at once.
const CONNECTIONS: u32 = 8;
/// App-envs whose process exits at once.
const BROKEN: u32 = 20;
/// Connections that apply app-envs at once.
const FILLERS: u32 = 4;
/// For every app-env to be reported and judged.
const SETTLED: Duration = Duration::from_secs(300);

/// Measures the overview of many app-envs.
#[derive(Args)]
pub(super) struct Overview {
    /// How many app-envs, several times for several sizes
    #[arg(long, default_values_t = [1000, 10_000], value_parser = clap::value_parser!(u32).range(100..=50_000))]
    envs: Vec<u32>,
    /// Seconds of each turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(overview: &Overview) -> Result<Report> {
    let vt = overview.common.vt()?;
    cmd::run(cmd::cargo().args(["build", "--release", "-p", "server", "--example", "same_bytes"]))?;
    let same_bytes = cmd::target_dir().join("release/examples/same_bytes");
    let folder = super::folder()?;
    let mut report = Report::new("The overview");
    for envs in &overview.envs {
        size(overview, *envs, &vt, &same_bytes, folder.path(), &mut report)?;
    }
    Ok(report)
}

fn size(
    overview: &Overview,
    envs: u32,
    vt: &Path,
    same_bytes: &Path,
    folder: &Path,
    report: &mut Report,
) -> Result<()> {
    let server = Server::start(vt, &folder.join(format!("data-{envs}")), &[])?;
    server.ready(Duration::from_secs(10))?;
    let admin = server.client()?;
    let begun = Instant::now();
    fill(&admin, envs)?;
    let filled = begun.elapsed().as_secs();
    rest(&server)?;
    cmd::say(format!("{envs} app-envs after {filled} s, at rest after {} s", begun.elapsed().as_secs()));
    let viewer = token(&admin, "viewer")?;
    let operator = token(&admin, "operator")?;
    let origin = admin.credentials().0;
    process::pin(std::process::id(), 1)?;
    process::pin(server.id(), 0)?;
    let page = folder.join("page.html");
    let (mut own, mut shared, mut first_own, mut first_shared) = (vec![], vec![], vec![], vec![]);
    let seconds = Duration::from_secs(u64::from(overview.seconds));
    for _ in 0..overview.common.runs {
        let ask = |bearer: &str| -> Result<(f64, Asked)> {
            let before = process::cpu(server.id())?;
            let asked =
                Asking { origin: &origin, path: "/", bearer, connections: CONNECTIONS }.go(seconds)?;
            let used = process::cpu(server.id())?.saturating_sub(before);
            Ok((f64::from(asked.answers()) / used.as_secs_f64(), asked))
        };
        let (by_operator, from_own) = ask(&operator)?;
        let (by_viewer, from_shared) = ask(&viewer)?;
        std::fs::write(&page, &from_shared.last)?;
        let from_memory = memory(same_bytes, &page, seconds)?;
        own.push(by_operator / from_memory);
        shared.push(by_viewer / from_memory);
        first_own.push(from_own.p99_ms());
        first_shared.push(from_shared.p99_ms());
    }
    server.stop(Duration::from_secs(60))?;
    let first = Limit::AtMost(if envs > 1000 { 100.0 } else { 50.0 });
    let name = |what: &str| format!("{envs} app-envs: {what}");
    report.add(name("first byte, p99, uncached"), "ms", first_own, first);
    report.add(name("first byte, p99, shared"), "ms", first_shared, first);
    report.add(name("requests a CPU-second ÷ from memory, uncached"), "", own, Limit::AtLeast(0.05, 0.05));
    report.add(name("requests a CPU-second ÷ from memory, shared"), "", shared, Limit::AtLeast(0.2, 0.5));
    Ok(())
}

/// Applies app-envs until there are as many, and waits until all of them are reported and judged.
fn fill(admin: &Client, envs: u32) -> Result<()> {
    std::thread::scope(|scope| {
        let some = |first: u32| {
            let mut each = (first..envs).step_by(FILLERS as usize);
            move || each.try_for_each(|n| apply(admin, n))
        };
        let all: Vec<_> = (0..FILLERS).map(|first| scope.spawn(some(first))).collect();
        all.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow::anyhow!("a filler panicked"))?)
    })?;
    let begun = Instant::now();
    loop {
        let counts = &admin.get("/api/v1/overview")?.good()?["counts"];
        let n = |name: &str| counts[name].as_u64().unwrap_or_default();
        // What has not been judged yet counts as unknown, and needs attention.
        if n("total") == u64::from(envs) && n("attention") + n("converging") <= u64::from(BROKEN) {
            return Ok(());
        }
        if begun.elapsed() > SETTLED {
            bail!("not every app-env was reported: {counts}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until nothing is done any more because of what was applied: receipts are followed after all is judged.
fn rest(server: &Server) -> Result<()> {
    let begun = Instant::now();
    let mut before = process::cpu(server.id())?;
    while begun.elapsed() < SETTLED {
        std::thread::sleep(Duration::from_secs(1));
        let now = process::cpu(server.id())?;
        if now.saturating_sub(before) < Duration::from_millis(100) {
            return Ok(());
        }
        before = now;
    }
    bail!("the server did not come to rest within {} s", SETTLED.as_secs())
}

fn apply(admin: &Client, n: u32) -> Result<()> {
    let (command, instances) = if n < BROKEN { ("[\"false\"]", 1) } else { ("[sleep, \"1000\"]", 0) };
    let manifest = format!(
        "app: app-{n}\nenv: prod\nprocesses:\n  web: {{ command: {command}, instances: {instances} }}\n"
    );
    let body = json!({ "manifest": manifest, "reason": "a benchmark" });
    admin.post("/api/v1/apply", &format!("overview-{n}"), &body)?.good().map(drop)
}

/// The bearer of somebody with this role.
fn token(admin: &Client, role: &str) -> Result<String> {
    let body = json!({ "name": role, "role": role });
    let made = admin.post("/api/v1/tokens", &format!("overview-{role}"), &body)?.good()?;
    Ok(format!("Bearer {}", made["secret"].as_str().context("no secret")?))
}

/// Requests a CPU-second where the page comes from memory.
fn memory(program: &Path, page: &Path, seconds: Duration) -> Result<f64> {
    let mut started = process::Started(Command::new(program).arg(page).stdout(Stdio::piped()).spawn()?);
    let stdout = started.0.stdout.take().context("no standard output")?;
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)?;
    let origin = line.trim().strip_prefix("listening on ").context("the yardstick does not listen")?;
    process::pin(started.0.id(), 0)?;
    let before = process::cpu(started.0.id())?;
    let asked = Asking { origin, path: "/", bearer: "", connections: CONNECTIONS }.go(seconds)?;
    let used = process::cpu(started.0.id())?.saturating_sub(before);
    Ok(f64::from(asked.answers()) / used.as_secs_f64())
}
