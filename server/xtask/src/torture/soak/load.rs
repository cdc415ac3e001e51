//! What a day of work looks like to the server, all at once: a platform that reports, pages that are open, people
//! who look around.

use std::{
    sync::atomic::Ordering,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use model::live::Topic;
use serde_json::json;

use super::Running;
use crate::serving::{client::Client, live::Live, now};

/// How many reports a second carry the events.
const REPORTS: u32 = 10;
/// Of how many machines.
const MACHINES: u64 = 500;
/// Between two page loads.
const LOOK: Duration = Duration::from_millis(500);
/// A socket is silent for five seconds at most.
const SILENCE: Duration = Duration::from_secs(15);

/// A platform that reports so many events a second. Its clock is right for half of them, an hour off for the others.
pub(super) fn report(client: &Client, running: &Running, rate: u32) -> Result<JoinHandle<Result<()>>> {
    client.put("/api/v1/sources/soak", "soak-register", &json!({ "interval_s": 10 }))?.good()?;
    let (client, running) = (client.clone(), running.clone());
    Ok(thread::spawn(move || {
        let begun = Instant::now();
        for turn in 0_u32.. {
            if !running.goes_on() {
                break;
            }
            let lines: String = (0..rate / REPORTS).map(|n| lines(turn, n)).collect();
            let acknowledged = client.lines("/api/v1/sources/soak/observations", lines)?;
            let refused = acknowledged.iter().find(|line| line["status"] == "refused");
            if let Some(refused) = refused {
                bail!("a line was refused: {refused}");
            }
            running.counts.stored.fetch_add(u64::from(rate / REPORTS), Ordering::Relaxed);
            let due = Duration::from_secs(1) * (turn + 1) / REPORTS;
            thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        Ok(())
    }))
}

/// One event, and now and then the object that it is about.
fn lines(turn: u32, n: u32) -> String {
    let id = (u64::from(turn) * 31 + u64::from(n) * 7) % MACHINES;
    let machine = format!("m-{id}");
    let skew = if n.is_multiple_of(2) { 0 } else { 3600 - 7200 * i64::from(turn % 2) };
    let event = json!({
        "type": "event", "key": format!("{turn}-{n}"), "at": now(skew).to_string(), "controller": "upgrader", "kind": "machine",
        "id": machine, "action": "Drain", "outcome": if n.is_multiple_of(5) { "failed" } else { "done" },
        "reason": "PodDisruptionBudget", "message": format!("cannot evict in turn {turn}"), "attempt": 1,
    });
    let mut text = format!("{event}\n");
    if n == 0 {
        let object = json!({
            "type": "object", "kind": "machine", "id": machine, "name": machine, "app": "edge", "env": "prod",
            "generation": turn, "observed_generation": turn, "desired": { "turn": turn }, "current": { "turn": turn },
        });
        text.push_str(&format!("{object}\n"));
    }
    text
}

/// Somebody who looks around.
pub(super) fn pages(client: &Client, running: &Running) -> JoinHandle<Result<()>> {
    let (client, running) = (client.clone(), running.clone());
    thread::spawn(move || {
        let all = [
            "/",
            "/events",
            "/receipts",
            "/waits",
            "/events?outcome=failed",
            "/o/machine/m-7",
            "/api/v1/overview",
        ];
        for path in all.iter().cycle() {
            if !running.goes_on() {
                break;
            }
            let answer = client.get(path)?;
            if answer.status != 200 && answer.status != 404 {
                bail!("GET {path} was answered with {}: {}", answer.status, answer.body);
            }
            running.counts.pages.fetch_add(1, Ordering::Relaxed);
            thread::sleep(LOOK);
        }
        Ok(())
    })
}

/// A page that is open: follows the overview and every event, and comes back when it is told to.
pub(super) fn follow(client: &Client, running: &Running) -> Result<JoinHandle<Result<()>>> {
    let mut live = open(client)?;
    let (client, running) = (client.clone(), running.clone());
    Ok(thread::spawn(move || {
        while running.goes_on() {
            match live.read() {
                Ok(Some(_)) => drop(running.counts.frames.fetch_add(1, Ordering::Relaxed)),
                Ok(None) | Err(_) if running.goes_on() => {
                    running.counts.broken.fetch_add(1, Ordering::Relaxed);
                    live = open(&client)?;
                }
                _ => {}
            }
        }
        Ok(())
    }))
}

fn open(client: &Client) -> Result<Live> {
    let (origin, bearer) = client.credentials();
    let topics = vec![Topic::Overview, Topic::Events { query: String::new() }];
    let (live, _) = Live::follow(&origin, &bearer, topics, None)?;
    live.set_patience(SILENCE)?;
    Ok(live)
}
