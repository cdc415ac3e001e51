//! What breaks under a server: its disk, its folder, its file, its database, its clock. Reads go on or say why not,
//! writes are refused with a code, and when it is mended everything goes on by itself, with the journal in order.
//!
//! Some of it needs root on Linux; where that is not so, the test says why it was skipped.
#![allow(clippy::unwrap_used)]

#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/database.rs"]
mod database;
#[path = "faults/disk.rs"]
mod disk;

use std::{path::Path, process::Command, time::Duration};

use model::ErrorCode;
use serde_json::{Value, json};
use testkit::{Client, Process, Response, until};

const VT: &str = env!("CARGO_BIN_EXE_vt");
/// For real processes and for what repeats by itself, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Deploys the next release of one small app.
async fn deploy(client: &Client, turn: u32) -> Response<Value> {
    let vt = json!(VT);
    let manifest = format!(
        "app: web\nenv: prod\nprocesses:\n  web:\n    command: [{vt}, demo-app, --port, \"$PORT\"]\n    environment: {{ TURN: \"{turn}\" }}\n    port: 80\n    health: {{ http: /healthz, interval: 200ms, timeout: 1s, failures: 3 }}\n    stop_grace: 1s\n"
    );
    client.post("/api/v1/apply", &json!({ "manifest": manifest })).await
}

/// Deploys until it is accepted: whoever is refused tries again, and need do nothing else.
async fn deployed_again(client: &Client, turn: u32) {
    until("a write to be accepted again", PATIENCE, || async {
        let answer = deploy(client, turn).await;
        if answer.status == 202 { Ok(()) } else { Err(answer.text().to_owned()) }
    })
    .await;
}

async fn converged(server: &Process, release: u32) {
    let admin = server.admin();
    until(&format!("r-{release} to converge; log: {}", server.said()), PATIENCE, || async {
        let view: Response<Value> = admin.get("/api/v1/envs/web:prod").await;
        if view.status != 200 {
            return Err(view.text().to_owned());
        }
        let view = view.good();
        let (verdict, releases) =
            (&view["judgement"]["verdict"], view["releases"].as_array().map_or(0, Vec::len));
        let all = usize::try_from(release).unwrap();
        if verdict == "converged" && releases == all { Ok(()) } else { Err(view["judgement"].to_string()) }
    })
    .await;
}

/// A refused write: 5xx, a code that says which, and that it may be tried again.
async fn refused(client: &Client, status: u16, code: ErrorCode) {
    let answer = deploy(client, 99).await;
    assert_eq!(answer.status, status, "{}", answer.text());
    let problem = answer.problem(status, code);
    assert!(problem.retryable && problem.title.contains("nothing was written"), "{problem:?}");
}

/// Nothing is half written, and recorded times follow the order of the journal.
fn in_order(database: &Path) {
    let ask = |sql: &str| {
        let asked =
            Command::new("sqlite3").args(["-batch", "-readonly"]).arg(database).arg(sql).output().unwrap();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        String::from_utf8(asked.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(ask("PRAGMA integrity_check"), "ok");
    for (what, sql) in [
        ("holes", "SELECT max(seq) - min(seq) + 1 - count(*) FROM journal"),
        (
            "times that go back",
            "SELECT count(*) FROM journal a JOIN journal b ON b.seq = a.seq + 1 WHERE b.recorded_at < a.recorded_at",
        ),
        (
            "receipts without audit",
            "SELECT count(*) FROM receipts WHERE ext NOT IN (SELECT receipt FROM audit WHERE receipt IS NOT NULL)",
        ),
    ] {
        assert_eq!(ask(sql), "0", "{what}");
    }
}

/// Runs a program; `false`, and why, where it does not succeed.
fn may(program: &str, arguments: &[&str]) -> bool {
    let done = Command::new(program).args(arguments).output();
    match done {
        Ok(done) if done.status.success() => true,
        Ok(done) => {
            println!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&done.stderr).trim());
            false
        }
        Err(error) => {
            println!("{program}: {error}");
            false
        }
    }
}
