//! `/doctor`: is our own plumbing fine? Never about an app.
//!
//! A check measures and says what it found; where something is wrong it ends with one sentence about what to do.
//! What only a browser can tell is listed and measured there.

use std::path::Path;

use app::api::{Page, PageError, Viewer};
use control::TaskStatus;
use model::{
    Span, Ts,
    doctor::{Check, DoctorView, Outcome},
    source::SourceRow,
};
use tokio::time::Instant;

use super::{Pages, sources};

/// A store that needs longer for a look is slow.
const SLOW_STORE_MS: u128 = 100;
/// A session that ends sooner is worth saying.
const ENDS_SOON: Span = Span::minutes(30);
/// A reconciler that has not finished a pass for so long hangs; the slowest runs once a minute.
const HANGS: Span = Span::minutes(3);
/// Less free space than this is worth saying, in bytes; a tenth of it fails.
const LITTLE_SPACE: u64 = 1_000_000_000;

impl Pages {
    pub(super) async fn load_doctor(&self, who: &Viewer) -> Result<Page<DoctorView>, PageError> {
        let failed = |error| self.failed(&error);
        let (state, now) = (&self.state, self.state.now());
        let begin = Instant::now();
        state.store.ping().await.map_err(failed)?;
        let took = begin.elapsed();
        let mut reader = self.reader().await?;
        let rows = sources::rows(&mut reader, now).await.map_err(failed)?;
        let build_id = state.site.names().build_id;
        let tasks: Vec<TaskStatus> = state.tasks.iter().map(|task| task.borrow().clone()).collect();
        let mut checks = vec![build(&build_id), session(who.ends_at, now), store(took.as_millis())];
        let head = format!("{} rows, the newest at {}", reader.as_of(), reader.recorded_at());
        checks.push(Check::fine("journal", "Journal", head));
        checks.push(reconcilers(&tasks, now));
        checks.extend(rows.iter().map(|row| source(row, now)));
        checks.push(space(&state.data));
        let open = state.sockets.count();
        checks.push(Check::fine("sockets", "Live sockets", format!("{open} open")));
        checks.extend(in_browser());
        checks.sort_by_key(|check| check.outcome);
        let view = DoctorView { version: env!("CARGO_PKG_VERSION").to_owned(), build_id, at: now, checks };
        self.page(&mut reader, who, view).await
    }
}

fn build(build_id: &str) -> Check {
    let version = concat!("vt ", env!("CARGO_PKG_VERSION"), ", API v1");
    let check = Check::fine("build", "Server and console", format!("{version}, build {build_id}"));
    match build_id {
        "unbuilt" => check.but(
            Outcome::Fails,
            "The browser half is missing, so nothing is live: build with `cargo xtask build`.",
        ),
        _ => check,
    }
}

fn session(ends_at: Option<Ts>, now: Ts) -> Check {
    let Some(ends_at) = ends_at else {
        return Check::fine("session", "Session", "valid, without an end");
    };
    let check = Check::fine("session", "Session", format!("valid, {} left", (ends_at - now).words()));
    match ends_at - now < ENDS_SOON {
        true => check.but(Outcome::Look, "Sign out and in again before you begin something long."),
        false => check,
    }
}

fn store(took_ms: u128) -> Check {
    let check = Check::fine("store", "Store", format!("answered in {took_ms} ms"));
    match took_ms > SLOW_STORE_MS {
        true => {
            check.but(Outcome::Look, "Look at the load and the disk of the machine that holds the store.")
        }
        false => check,
    }
}

fn reconcilers(tasks: &[TaskStatus], now: Ts) -> Check {
    let hangs = |task: &&TaskStatus| task.ended_at.is_none_or(|ended| now - ended > HANGS);
    let errs = |task: &&TaskStatus| {
        task.details
            .get("errors")
            .and_then(|errors| errors.as_array())
            .is_some_and(|errors| !errors.is_empty())
    };
    let names = |tasks: Vec<&TaskStatus>| tasks.iter().map(|task| task.name).collect::<Vec<_>>().join(", ");
    let (hanging, erring) =
        (tasks.iter().filter(hangs).collect::<Vec<_>>(), tasks.iter().filter(errs).collect::<Vec<_>>());
    let said = tasks.iter().map(|task| {
        let ended = task.ended_at.map_or_else(
            || "no pass yet".to_owned(),
            |at| match (now - at).words() {
                age if age == "now" => "just now".to_owned(),
                age => format!("{age} ago"),
            },
        );
        format!("{} {ended} in {} ms", task.name, task.elapsed_ms)
    });
    let check = Check::fine("reconcilers", "Reconcilers", said.collect::<Vec<_>>().join(" · "));
    if !hanging.is_empty() {
        let fix = format!(
            "{} finished no pass for {}: restart the server and keep its log.",
            names(hanging),
            HANGS.words()
        );
        return check.but(Outcome::Fails, fix);
    }
    if !erring.is_empty() {
        let fix = format!(
            "The last pass of {} met errors: search the server's log for “reconciler”.",
            names(erring)
        );
        return check.but(Outcome::Look, fix);
    }
    check
}

fn source(row: &SourceRow, now: Ts) -> Check {
    let id = row.state.id.as_str();
    let title = format!("Source {}", row.state.name);
    let last = match row.state.last_seen_at {
        Some(at) if !row.is_silent(now) => {
            format!("reports every {}, last at {}", row.state.interval.exact(), at.clock())
        }
        Some(at) => format!("silent for {}, since {at}", (now - at).words()),
        None => "never reported".to_owned(),
    };
    let check = Check::fine(id, &title, last);
    match (&row.state.error, row.is_silent(now)) {
        (Some(error), _) => {
            let fix = format!("It says: {error}. Its page has the details.");
            check.but(Outcome::Fails, fix)
        }
        (None, true) => check.but(
            Outcome::Fails,
            "Look whether it runs and may reach this server; what it owns is unknown until it speaks.",
        ),
        (None, false) => check,
    }
}

fn space(data: &Path) -> Check {
    let stat = match rustix::fs::statvfs(data) {
        Ok(stat) => stat,
        Err(error) => {
            return Check::fine("space", "Data folder", format!("cannot be looked at: {error}")).but(
                Outcome::Fails,
                "Look whether the data folder still exists and belongs to the server's account.",
            );
        }
    };
    let (free, all) =
        (stat.f_bavail.saturating_mul(stat.f_frsize), stat.f_blocks.saturating_mul(stat.f_frsize));
    let gigabytes = |bytes: u64| format!("{}.{}", bytes / 1_000_000_000, bytes % 1_000_000_000 / 100_000_000);
    let check = Check::fine(
        "space",
        "Data folder",
        format!("{} GB of {} GB are free", gigabytes(free), gigabytes(all)),
    );
    match free {
        0..100_000_000 => check.but(Outcome::Fails, "Free some space now: a full disk refuses every write."),
        _ if free < LITTLE_SPACE => {
            check.but(Outcome::Look, "Free some space: a full disk refuses every write.")
        }
        _ => check,
    }
}

/// Measured in the browser, where script runs.
fn in_browser() -> [Check; 3] {
    [
        ("wasm", "Script and WebAssembly"),
        ("socket", "Websocket round trip"),
        ("clock", "Clock of this browser"),
    ]
    .map(|(name, title)| Check { outcome: Outcome::Browser, ..Check::fine(name, title, "needs JavaScript") })
}
