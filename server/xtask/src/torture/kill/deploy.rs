//! Loops that change desired state as fast as they are answered, until the server dies under them.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::ledger::{Ledger, Sent};
use crate::serving::client::{Answer, Client};

/// The app that is deployed.
pub(super) const ENV: &str = "/api/v1/envs/torture:prod";
/// How many deploy at a time.
const WRITERS: u64 = 2;

/// What one round's loops differ in.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) vt: PathBuf,
    pub(super) mark: String,
    pub(super) round: u32,
    pub(super) seed: u64,
}

/// Starts the writers and one reader of events.
pub(super) fn start(
    client: &Client,
    ledger: &Arc<Ledger>,
    settings: &Settings,
) -> Vec<JoinHandle<Result<()>>> {
    let mut loops: Vec<JoinHandle<Result<()>>> = (0..WRITERS)
        .map(|writer| {
            let (client, ledger, settings) = (client.clone(), Arc::clone(ledger), settings.clone());
            thread::spawn(move || write(&client, &ledger, &settings, writer))
        })
        .collect();
    let (client, ledger) = (client.clone(), Arc::clone(ledger));
    loops.push(thread::spawn(move || read(&client, &ledger)));
    loops
}

/// Sends what was never answered once more; the server knows a repetition by its key. Answers how many there were.
pub(super) fn settle_lost(ledger: &Ledger, client: &Client) -> Result<u32> {
    let lost = std::mem::take(&mut ledger.book().lost);
    for sent in &lost {
        let answer = client.post(&sent.path, &sent.key, &sent.body)?;
        let first = taken(ledger, sent, answer)?;
        let again = taken(ledger, sent, client.post(&sent.path, &sent.key, &sent.body)?)?;
        if first.is_some() && first != again {
            bail!("one key has two answers: {first:?} and {again:?}");
        }
    }
    u32::try_from(lost.len()).context("fewer loops than that")
}

fn write(client: &Client, ledger: &Ledger, settings: &Settings, writer: u64) -> Result<()> {
    let mut dice = fastrand::Rng::with_seed(settings.seed.wrapping_add(writer));
    for turn in 0_u32.. {
        let sent = match dice.u32(..4) {
            0 => planned(client, "scale", &json!({ "process": "web", "instances": dice.u32(1..4) })),
            1 => planned(client, "restart", &json!({})),
            _ => Ok(Some(applied(settings, writer, turn))),
        };
        // A plan that got no answer wrote nothing.
        let Ok(sent) = sent else { return Ok(()) };
        let Some(mut sent) = sent else { continue };
        sent.key = format!("torture-{}-{writer}-{turn}-{:08x}", settings.round, dice.u32(..));
        match client.post(&sent.path, &sent.key, &sent.body) {
            Ok(answer) => drop(taken(ledger, &sent, answer)?),
            Err(_) => {
                ledger.book().lost.push(sent);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Notes an accepted write and answers its receipt; `None` for a conflict, which is what two writers are for.
fn taken(ledger: &Ledger, sent: &Sent, answer: Answer) -> Result<Option<String>> {
    match answer.status {
        200 | 202 => {
            ledger.accepted(&answer.body)?;
            let receipt = answer.body.get("receipt").unwrap_or(&answer.body);
            Ok(receipt["id"].as_str().map(str::to_owned))
        }
        409 => Ok(None),
        status => bail!("POST {} was answered with {status}: {}", sent.path, answer.body),
    }
}

fn applied(settings: &Settings, writer: u64, turn: u32) -> Sent {
    let environment =
        json!({ "TORTURE": settings.mark, "TURN": format!("{}-{writer}-{turn}", settings.round) });
    let web = json!([settings.vt, "demo-app", "--port", "$PORT"]);
    // Ignores TERM, and has a child that left its group and ignores it as well.
    let stubborn = json!(["sh", "-c", "trap '' TERM; setsid sleep 1000 & sleep 1000"]);
    let manifest = format!(
        "app: torture
env: prod
processes:
  web:
    command: {web}
    environment: {environment}
    instances: 2
    port: 8080
    health: {{ http: /healthz, interval: 100ms, timeout: 1s, failures: 3 }}
    restart: {{ from: 50ms, to: 500ms }}
    stop_grace: 500ms
  stubborn:
    command: {stubborn}
    environment: {environment}
    stop_grace: 500ms
rollout: {{ max_unavailable: 2 }}
"
    );
    let body = json!({ "manifest": manifest, "reason": "torture" });
    Sent { path: "/api/v1/apply".to_owned(), key: String::new(), body }
}

/// A change that is planned first; `None` where the plan is refused.
fn planned(client: &Client, verb: &str, ask: &Value) -> Result<Option<Sent>> {
    let answer = client.post(&format!("{ENV}/plans/{verb}"), "", ask)?;
    if matches!(answer.status, 400 | 404 | 409) {
        return Ok(None);
    }
    let plan = answer.good()?;
    let body = json!({
        "ask": ask, "generation": plan["expected_generation"], "plan_hash": plan["hash"], "reason": "torture",
    });
    Ok(Some(Sent { path: format!("{ENV}/actions/{verb}"), key: String::new(), body }))
}

/// Notes every event that the stream shows.
fn read(client: &Client, ledger: &Ledger) -> Result<()> {
    let Ok(stream) = client.stream("/api/v1/events?follow=true") else { return Ok(()) };
    for line in BufReader::new(stream).lines().map_while(Result::ok).filter(|line| !line.is_empty()) {
        // A line without its end was never shown.
        let Ok(event) = serde_json::from_str::<Value>(&line) else { break };
        let seq = event["seq"].as_i64().with_context(|| format!("an event without a place: {line}"))?;
        ledger.book().events.insert(seq, event["reason"].as_str().unwrap_or_default().to_owned());
    }
    Ok(())
}
