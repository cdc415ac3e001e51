//! What holds for every read of the API: `at`, the journal position, and lists in pages. Reads come from the document
//! that the server publishes, so that a new one is covered on the day it is added.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, time::Duration};

use model::{ErrorCode, ObjectKey, Span, Ts, Verdict};
use serde_json::{Value, json};
use testkit::{Apply, Client, Fault, Response, TestApp, on_both_engines, until};

/// Every documented read with its placeholders filled, and whether it is a list.
async fn reads(app: &TestApp) -> Vec<(String, bool)> {
    let operator = app.operator();
    let applied = operator.apply(&Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await.good();
    let target = applied.release.target;
    let _ = operator.has_verdict(&target, Verdict::Idle, Duration::from_secs(10)).await;
    let wait = json!({ "object": ObjectKey::env(&target.env_id), "timeout_s": 600 });
    let wait: Value = operator.post("/api/v1/waits", &wait).await.good();
    let sources: Vec<Value> = operator.read("/api/v1/sources").await;
    let document: Value = app.admin().read("/api/v1/openapi.json").await;
    let receipt = applied.receipt.unwrap().id.to_string();
    let mut reads = vec![("/api/v1/openapi.json".to_owned(), false)];
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(get) = operations.get("get") else { continue };
        let names: BTreeSet<&str> = get["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert!(names.contains("at"), "{path} does not document `at`");
        let headers = &get["responses"]["200"]["headers"];
        assert!(headers["X-Journal-Seq"].is_object(), "{path} does not document its position");
        let schema = &get["responses"]["200"]["content"]["application/json"]["schema"];
        let is_list = schema["type"] == "array";
        if is_list {
            assert!(names.contains("limit") && names.contains("after"), "{path} has no pages: {names:?}");
            assert!(headers["Link"].is_object(), "{path} does not document where it goes on");
        }
        let id = if path.contains("/waits/") { wait["id"].as_str().unwrap() } else { &receipt };
        let id = if path.contains("/objects/") { target.env_id.as_str() } else { id };
        let filled = path
            .replace("{env}", target.env_id.as_str())
            .replace("{kind}", "env")
            .replace("{source}", sources[0]["id"].as_str().unwrap())
            .replace("{id}", id);
        reads.push((filled, is_list));
    }
    assert!(reads.len() >= 15, "{reads:?}");
    reads
}

fn at(path: &str, at: impl std::fmt::Display) -> String {
    format!("{path}?at={at}")
}

async fn every_read_says_where_in_the_journal_it_was_read(app: TestApp) {
    let reads = reads(&app).await;
    let before = app.store().head().0;
    for (path, _) in &reads {
        let answer: Response = app.admin().get(path).await.has_status(200);
        let seq: i64 =
            answer.header("x-journal-seq").parse().unwrap_or_else(|_| panic!("{path} does not say"));
        assert!(seq >= before && seq <= app.store().head().0, "{path}: {seq}");
    }
    // What is open to everybody says nothing about the store.
    let schema: Response = app.anonymous().get("/api/v1/schemas/vantage.yaml.json").await;
    assert_eq!(schema.header("x-journal-seq"), "");
    println!("{} reads", reads.len());
    app.stop().await;
}

async fn every_read_takes_the_present_and_refuses_every_other_instant_by_its_edge(app: TestApp) {
    let reads = reads(&app).await;
    let admin = app.admin();
    for (path, _) in &reads {
        let now = app.state().now();
        for present in [now, now - Span::seconds(1), now + Span::seconds(2)] {
            let answer: Response = admin.get(&at(path, present)).await;
            assert_eq!(answer.status, 200, "{path} at {present}: {}", answer.text());
        }
        for other in [now - Span::minutes(60), Ts(0), now + Span::minutes(1)] {
            let answer: Response = admin.get(&at(path, other)).await;
            let error = answer.problem(400, ErrorCode::Invalid);
            assert_eq!(error.details[0].field, "at", "{path}");
            // It names an instant that can be asked for, or the present.
            let named = error.title.split([' ', ',', ';']).filter_map(|word| word.parse::<Ts>().ok()).nth(1);
            let named = named.unwrap_or_else(|| panic!("{path}: no edge in {}", error.title));
            assert!(named <= app.state().now() && named > now - Span::minutes(10), "{path}: {named}");
        }
        for strange in ["yesterday", "", "12", "2026-13-01T00:00:00Z", "%00", "%FF", "-1h", "now&at=now"] {
            let error = admin.get::<Value>(&at(path, strange)).await.problem(400, ErrorCode::Invalid);
            assert_eq!(error.details[0].field, "at", "{path} {strange}");
        }
        // Who may not read learns nothing about when something was recorded.
        for stranger in [app.anonymous(), app.anonymous().with_token("vt_no")] {
            let _ = stranger.get::<Value>(&at(path, Ts(0))).await.problem(401, ErrorCode::Unauthenticated);
        }
    }
    for stream in ["events", "logs"] {
        let path = format!("/api/v1/{stream}?follow=true&at={}", app.state().now());
        let _ = admin.get::<Value>(&path).await.problem(400, ErrorCode::Invalid);
    }
    app.stop().await;
}

/// The instant of the newest row is the oldest that can be asked for, however long ago that was.
async fn while_nothing_happens_the_edge_stays(app: TestApp) {
    let mut reader = app.store().read().await.unwrap();
    let _ = reader.envs().await.unwrap();
    let edge = reader.recorded_at();
    drop(reader);
    let answer: Response = app.admin().get(&at("/api/v1/store", app.state().now())).await;
    assert_eq!(answer.status, 200, "{edge}: {}", answer.text());
    app.stop().await;
}

/// Follows `Link` to the end, so many at a time.
async fn pages(client: &Client, path: &str, limit: usize) -> (Vec<Value>, usize) {
    let mut next = Some(format!("{path}{}limit={limit}", if path.contains('?') { '&' } else { '?' }));
    let (mut all, mut n) = (vec![], 0);
    while let Some(path) = next {
        let answer: Response = client.get(&path).await.has_status(200);
        next = answer.next_page();
        let items: Vec<Value> = answer.good().as_array().unwrap().clone();
        assert!(items.len() <= limit, "{path}: {} items", items.len());
        // Log lines always go on; their end is an empty page.
        next = next.filter(|_| !items.is_empty());
        all.extend(items);
        n += 1;
        assert!(n < 200, "{path} has no end");
    }
    (all, n)
}

async fn every_list_comes_in_pages_that_together_are_the_list(app: TestApp) {
    let reads = reads(&app).await;
    let (operator, admin) = (app.operator(), app.admin());
    for n in 0..5 {
        let file = app.manifest(&format!("web/e{n}"), 0, Fault::Healthy);
        let _ = operator.apply(&Apply::of(&file)).await.good();
        let _ = app.token(&format!("t{n}"), model::Role::Viewer, None).await;
        let target: Vec<model::EnvRecord> = operator.read("/api/v1/envs").await;
        let wait = json!({ "object": ObjectKey::env(&target[0].target.env_id), "timeout_s": 600 });
        until("an object to wait for", Duration::from_secs(5), || async {
            let answer: Response = operator.post("/api/v1/waits", &wait).await;
            if answer.status == 200 { Ok(()) } else { Err(answer.status) }
        })
        .await;
    }
    // Envs are recorded as objects and judged in their own time; a list must not move while it is read.
    until("a quiet journal", Duration::from_secs(15), || async {
        let before = app.store().head();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        if app.store().head() == before { Ok(()) } else { Err(before) }
    })
    .await;
    let lists: Vec<&String> = reads.iter().filter(|(_, is_list)| *is_list).map(|(path, _)| path).collect();
    for path in &lists {
        let whole: Vec<Value> = admin.read(path).await;
        for limit in [1, 2, 1000] {
            let (all, n) = pages(&admin, path, limit).await;
            let without_clock = |rows: &[Value]| {
                rows.iter()
                    .map(|row| {
                        let mut row = row.clone();
                        for key in ["freshness", "last_seen_at"] {
                            row.as_object_mut().map(|row| row.remove(key));
                        }
                        row
                    })
                    .collect::<Vec<_>>()
            };
            assert_eq!(without_clock(&all), without_clock(&whole), "{path} by {limit}");
            assert!(limit > 2 || whole.len() <= limit || n > 1, "{path}: {n} pages");
        }
        for cursor in ["nothing", "%00", "rc_nope", "99999999999999999999999"] {
            let answer: Response = admin.get(&format!("{path}?after={cursor}")).await;
            let _ = answer.problem(400, ErrorCode::Invalid);
        }
    }
    println!("{} lists", lists.len());
    app.stop().await;
}

on_both_engines! {
    every_read_says_where_in_the_journal_it_was_read,
    every_read_takes_the_present_and_refuses_every_other_instant_by_its_edge,
    while_nothing_happens_the_edge_stays,
    every_list_comes_in_pages_that_together_are_the_list,
}
