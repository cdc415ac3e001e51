//! Observations: how a platform without an adapter reports in, and what nobody may do with its token.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use model::{ErrorCode, ObjectKey, Verdict, view::ObjectView};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Client, Response, TestApp, on_both_engines, until};

/// A client that may report for a source, which is made with its token.
async fn reporter(app: &TestApp, source: &str) -> Client {
    let body = json!({ "name": format!("{source}-reporter"), "source": source });
    let made: Value = app.admin().post("/api/v1/tokens", &body).await.good();
    assert_eq!((&made["token"]["role"], made["token"]["source"].is_string()), (&Value::Null, true), "{made}");
    app.anonymous().with_token(made["secret"].as_str().unwrap())
}

async fn send(client: &Client, source: &str, lines: impl Into<reqwest::Body>) -> Response {
    let path = format!("/api/v1/sources/{source}/observations");
    client.send(client.request(Method::POST, &path).body(lines)).await
}

/// What was acknowledged: each line's result, and the sum.
fn acknowledged(answer: &Response) -> (Vec<String>, Value) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let mut lines: Vec<Value> =
        answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sum = lines.pop().unwrap();
    let mut results = Vec::new();
    for run in lines {
        for n in run["from"].as_u64().unwrap()..=run["to"].as_u64().unwrap() {
            assert!(run["result"] != "refused" || !run["reason"].as_str().unwrap().is_empty(), "{run}");
            results.push(format!("{n} {}", run["result"].as_str().unwrap()));
        }
    }
    (results, sum)
}

const MACHINE: &str = r#"{"type":"object","kind":"machine","id":"m-17","name":"worker-17","app":"edge","env":"prod","generation":4,"observed_generation":3,"desired":{"version":"1.9"},"current":{"version":"1.8"},"refs":[{"rel":"part_of","kind":"cluster","id":"c-1"}]}
{"type":"condition","kind":"machine","id":"m-17","condition":"Ready","status":"False","reason":"Upgrading","message":"draining","observed_generation":3,"at":"2026-02-18T12:00:00Z"}
{"type":"event","key":"8f31","at":"2026-02-18T12:00:01Z","controller":"upgrader","kind":"machine","id":"m-17","action":"Drain","outcome":"failed","reason":"PodDisruptionBudget","message":"cannot evict","attempt":3,"trace_id":"tr_88a"}
{"type":"log","kind":"machine","id":"m-17","stream":"stderr","line":"evict: 429"}
"#;

async fn machine(app: &TestApp) -> ObjectView {
    app.viewer().read("/api/v1/objects/machine/m-17").await
}

async fn every_type_of_line_is_stored_shown_and_judged(app: TestApp) {
    let edge = reporter(&app, "edge").await;
    let (results, sum) = acknowledged(&send(&edge, "edge", MACHINE).await);
    assert_eq!(results, ["1 stored", "2 stored", "3 stored", "4 stored"]);
    assert_eq!(sum, json!({ "done": true, "lines": 4, "stored": 4, "duplicate": 0, "refused": 0 }));
    let view = until("a verdict", Duration::from_secs(10), || async {
        let view = machine(&app).await;
        if view.judgement.verdict == Verdict::Unknown { Err(view.judgement) } else { Ok(view) }
    })
    .await;
    assert_eq!(view.object.name, "worker-17");
    assert_eq!(view.object.condition("Ready").unwrap().reason, "Upgrading");
    assert_eq!(view.events[0].app.as_deref(), Some("edge"), "an event is where its object is");
    assert_eq!(view.logs.unwrap()[0].line, "evict: 429");
    assert_eq!(view.observed_by.as_deref(), Some("edge"));
    let page: Response = app.viewer().get("/o/machine/m-17").await.has_status(200);
    assert!(page.text().contains("takes no orders from Vantage"), "the page does not say who acts");
    assert!(!page.text().contains("/actions/"), "an observed object offers actions");
}

async fn the_same_lines_again_are_duplicates_but_for_logs(app: TestApp) {
    let edge = reporter(&app, "edge").await;
    let _ = acknowledged(&send(&edge, "edge", MACHINE).await);
    let before = app.store().head();
    let (results, sum) = acknowledged(&send(&edge, "edge", MACHINE).await);
    assert_eq!(results, ["1 duplicate", "2 duplicate", "3 duplicate", "4 stored"]);
    assert_eq!((&sum["duplicate"], &sum["stored"]), (&json!(3), &json!(1)));
    let mut reader = app.store().read().await.unwrap();
    let events = reader.events_between(before, reader.as_of(), 100).await.unwrap();
    assert!(events.iter().all(|event| event.object.kind().as_str() != "machine"), "{events:?}");
    // Without a key, the content is the key; a line of another platform with the same content is its own.
    let event = r#"{"type":"event","at":"2026-02-18T12:00:01Z","kind":"machine","id":"x","action":"A","outcome":"done"}"#;
    let two = format!("{event}\n{event}");
    assert_eq!(acknowledged(&send(&edge, "edge", two.clone()).await).0, ["1 stored", "2 duplicate"]);
    let other = reporter(&app, "other").await;
    assert_eq!(acknowledged(&send(&other, "other", event.to_owned()).await).0, ["1 stored"]);
}

async fn a_line_that_is_refused_says_why_and_the_others_are_stored(app: TestApp) {
    let edge = reporter(&app, "edge").await;
    let long =
        format!(r#"{{"type":"log","kind":"machine","id":"m-17","line":"{}"}}"#, "x".repeat(1024 * 1024));
    let text = "y".repeat(70 * 1024);
    let lines = [
        MACHINE.lines().next().unwrap().to_owned(),
        "nonsense".to_owned(),
        String::new(),
        long,
        r#"{"type":"metric","metric":"errors","n":1}"#.to_owned(),
        r#"{"type":"condition","kind":"machine","id":"unheard-of","condition":"Ready","status":"True"}"#
            .to_owned(),
        format!(r#"{{"type":"log","kind":"machine","id":"m-17","line":"{text}"}}"#),
        r#"{"type":"log","kind":"machine","id":"m-17","line":"last, without an end"}"#.to_owned(),
    ];
    let answer = send(&edge, "edge", lines.join("\n")).await;
    let (results, sum) = acknowledged(&answer);
    let expected = ["1 stored", "2 refused", "4 refused", "5 refused", "6 refused", "7 refused", "8 stored"];
    assert_eq!(results, expected, "{}", answer.text());
    assert_eq!((&sum["stored"], &sum["refused"]), (&json!(2), &json!(5)));
    for why in ["not a line of ours", "256 KiB", "metric lines", "not reported before", "longer than 65536"] {
        assert!(answer.text().contains(why), "{why}: {}", answer.text());
    }
}

async fn a_full_snapshot_decides_what_is_gone_and_a_cut_off_one_does_not(app: TestApp) {
    let edge = reporter(&app, "edge").await;
    let object = |id: &str| format!("{{\"type\":\"object\",\"kind\":\"machine\",\"id\":\"{id}\"}}\n");
    let (begin, end) =
        ("{\"type\":\"snapshot_begin\",\"kinds\":[\"machine\"]}\n", "{\"type\":\"snapshot_end\"}\n");
    let other = reporter(&app, "other").await;
    let _ = acknowledged(&send(&other, "other", object("theirs")).await);
    let present = async || {
        let rows: Vec<Value> = app.viewer().read_all("/api/v1/objects?kind=machine").await;
        let mut ids: Vec<String> =
            rows.iter().map(|row| row["object"]["key"].as_str().unwrap().replace("machine:", "")).collect();
        ids.sort();
        ids
    };
    let _ = acknowledged(&send(&edge, "edge", object("a") + &object("b") + &object("c")).await);
    // Never ended; a line that could not be read; an end without a beginning.
    let _ = acknowledged(&send(&edge, "edge", format!("{begin}{}", object("a"))).await);
    assert_eq!(present().await, ["a", "b", "c", "theirs"]);
    let broken = format!("{begin}{}{{\"type\":\"object\",\"kind\":\"machine\"}}\n{end}", object("a"));
    assert_eq!(acknowledged(&send(&edge, "edge", broken).await).0[3], "4 refused");
    assert_eq!(acknowledged(&send(&edge, "edge", end).await).0, ["1 refused"]);
    assert_eq!(present().await, ["a", "b", "c", "theirs"]);
    // More lines than one batch holds.
    let many: String = (0..1500).map(|i| object(&format!("new-{i}"))).collect();
    let (results, _) = acknowledged(&send(&edge, "edge", format!("{begin}{}{many}{end}", object("a"))).await);
    assert!(results.iter().all(|result| result.ends_with("stored") || result.ends_with("duplicate")));
    let now = present().await;
    assert_eq!((now.len(), now.contains(&"b".to_owned())), (1502, false));
    assert!(now.contains(&"theirs".to_owned()) && now.contains(&"a".to_owned()));
    let (results, _) =
        acknowledged(&send(&edge, "edge", "{\"type\":\"gone\",\"kind\":\"machine\",\"id\":\"a\"}\n").await);
    assert_eq!(results, ["1 stored"]);
    assert!(!present().await.contains(&"a".to_owned()));
    let (results, _) = acknowledged(&send(&edge, "edge", format!("{begin}{end}")).await);
    assert_eq!(results, ["1 stored", "2 stored"]);
    assert_eq!(present().await, ["theirs"]);
}

async fn no_line_touches_an_object_of_another_source(app: TestApp) {
    let edge = reporter(&app, "edge").await;
    let other = reporter(&app, "other").await;
    let _ = acknowledged(&send(&edge, "edge", MACHINE).await);
    let before = machine(&app).await.object;
    let own = r#"{"type":"object","kind":"machine","id":"mine"}"#.to_owned();
    let mut lines: Vec<&str> = MACHINE.lines().collect();
    lines.push(r#"{"type":"gone","kind":"machine","id":"m-17"}"#);
    lines.push(&own);
    let (results, _) = acknowledged(&send(&other, "other", lines.join("\n")).await);
    let expected = ["1 refused", "2 refused", "3 refused", "4 refused", "5 refused", "6 stored"];
    assert_eq!(results, expected);
    // Not even when it is gone: its history stays its source's.
    let _ = send(&edge, "edge", r#"{"type":"gone","kind":"machine","id":"m-17"}"#).await;
    let (results, _) = acknowledged(&send(&other, "other", lines[0].to_owned()).await);
    assert_eq!(results, ["1 refused"]);
    let after = machine(&app).await;
    assert_eq!((after.object.source, after.events.len()), (before.source, 1));
    // What the embedded platform reports is nobody else's either.
    let key: ObjectKey = "instance:ins_test".parse().unwrap();
    let _ = app.record(&["from the platform"]).await;
    let line = r#"{"type":"event","at":"2026-02-18T12:00:01Z","kind":"instance","id":"ins_test","action":"A","outcome":"failed"}"#;
    assert_eq!(acknowledged(&send(&other, "other", line).await).0, ["1 refused"], "{key}");
}

async fn the_token_of_a_source_opens_nothing_else(app: TestApp) {
    let edge = reporter(&app, "edge").await;
    let _ = reporter(&app, "other").await;
    for source in ["other", "unheard-of", "local", "this%20machine"] {
        let answer = send(&edge, source, MACHINE).await;
        let problem = answer.problem(403, ErrorCode::Forbidden);
        assert_eq!(problem.title, "this token reports for another source", "{source}");
    }
    for path in [
        "/api/v1/overview",
        "/api/v1/sources",
        "/api/v1/sources/edge",
        "/api/v1/events?follow=true",
        "/api/v1/openapi.json",
    ] {
        let answer: Response = edge.get(path).await;
        let _ = answer.problem(403, ErrorCode::Forbidden);
    }
    let page: Response = edge.get("/").await;
    assert_eq!(page.status, 403, "{}", page.text());
    let origin = edge.origin.clone();
    assert_eq!(edge.live_from(Some(&origin)).await.err(), Some(403));
    let secret = edge.token.clone().unwrap();
    let answer = app.anonymous().form("/sign-in", &[("token", &secret)]).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (401, ""));
    for client in [app.viewer(), app.operator()] {
        let _ = send(&client, "edge", MACHINE).await.problem(403, ErrorCode::Forbidden);
    }
    let nobody = app.anonymous();
    let asked = nobody.request(Method::POST, "/api/v1/sources/edge/observations").body(MACHINE);
    let answer: Response = nobody.send(asked.header("origin", &nobody.origin)).await;
    let _ = answer.problem(401, ErrorCode::Unauthenticated);
    let _ = send(&app.admin(), "nobody", MACHINE).await.problem(404, ErrorCode::NotFound);
    let sources: Vec<Value> = app.admin().read("/api/v1/sources").await;
    let embedded = sources.iter().find(|source| source["kind"] != "observations").unwrap();
    let id = embedded["id"].as_str().unwrap();
    let _ = send(&app.admin(), id, MACHINE).await.problem(403, ErrorCode::Forbidden);
    // An administrator may report for any source that has no adapter.
    assert_eq!(acknowledged(&send(&app.admin(), "edge", MACHINE).await).1["stored"], 4);
}

async fn a_source_is_registered_once_and_by_administrators_only(app: TestApp) {
    let put = async |client: &Client, name: &str, body: Value| -> Response {
        client.write(Method::PUT, &format!("/api/v1/sources/{name}"), &body).await
    };
    let _ = put(&app.operator(), "edge", json!({})).await.problem(403, ErrorCode::Forbidden);
    let made = put(&app.admin(), "edge", json!({ "interval_s": 5 })).await.good();
    assert_eq!(
        (&made["name"], &made["interval"], &made["freshness"]["state"]),
        (&json!("edge"), &json!("5s"), &json!("stale"))
    );
    assert_eq!(put(&app.admin(), "edge", json!({})).await.good()["id"], made["id"]);
    for (name, body) in
        [("Edge", json!({})), ("edge", json!({ "interval_s": 0 })), ("edge", json!({ "x": 1 }))]
    {
        let _ = put(&app.admin(), name, body).await.problem(400, ErrorCode::Invalid);
    }
    let one: Value = app.viewer().read("/api/v1/sources/edge").await;
    assert_eq!(one["interval"], "5s");
    for body in [json!({ "name": "x" }), json!({ "name": "x", "role": "viewer", "source": "edge" })] {
        let answer: Response = app.admin().post("/api/v1/tokens", &body).await;
        let _ = answer.problem(400, ErrorCode::Invalid);
    }
    // A blank line is a sign of life.
    let (results, _) = acknowledged(&send(&app.admin(), "edge", "\n").await);
    assert!(results.is_empty());
    let one: Value = app.viewer().read("/api/v1/sources/edge").await;
    assert_eq!(one["freshness"]["state"], "live");
}

on_both_engines! {
    every_type_of_line_is_stored_shown_and_judged,
    the_same_lines_again_are_duplicates_but_for_logs,
    a_line_that_is_refused_says_why_and_the_others_are_stored,
    a_full_snapshot_decides_what_is_gone_and_a_cut_off_one_does_not,
    no_line_touches_an_object_of_another_source,
    the_token_of_a_source_opens_nothing_else,
    a_source_is_registered_once_and_by_administrators_only,
}
