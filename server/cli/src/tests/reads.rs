//! Reads: problems, streams, hostile text.

use model::{
    ErrorCode, fixtures,
    view::{Counts, Overview},
};
use serde_json::{Value, json};

use super::{
    envs,
    fake::{Fake, cut, ok, vt},
    problem,
};

#[tokio::test]
async fn a_problem_becomes_an_exit_code_a_sentence_and_a_document() {
    for (code, exit) in [
        (ErrorCode::Invalid, 2),
        (ErrorCode::Unauthenticated, 3),
        (ErrorCode::NotFound, 4),
        (ErrorCode::StaleGeneration, 5),
        (ErrorCode::StoreUnavailable, 6),
        (ErrorCode::Internal, 7),
    ] {
        let server = Fake::default().on("GET /overview", move |_, _| problem(code)).start().await;
        let said = server.vt("status --all").await;
        assert_eq!((said.exit, said.out.as_str()), (exit, ""));
        assert!(said.err.starts_with("error: it did not work\n"), "{}", said.err);
        assert!(said.err.ends_with("trace_id: tr_9000000000\n"), "{}", said.err);
        let said = server.vt("status --all --json").await;
        let error = &said.json()["error"];
        assert_eq!((said.exit, said.err.as_str(), &error["code"]), (exit, "", &json!(code.as_str())));
        assert_eq!(
            (&error["trace_id"], &error["retryable"]),
            (&json!("tr_9000000000"), &json!(code.retryable()))
        );
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_end_however_many_pages_it_has() {
    let token =
        |name: &str| json!([{ "id": format!("tok_{name}"), "name": name, "role": "viewer" }]).to_string();
    let server = Fake::default()
        .on("GET /tokens?after=", move |_, _| ok(token("second")))
        .on("GET /tokens", move |_, _| {
            let mut first = ok(token("first"));
            let link = "</api/v1/tokens?after=tok_first>; rel=\"next\"";
            first.headers_mut().insert("link", link.parse().expect("a header"));
            first
        })
        .start()
        .await;
    let said = server.vt("token list --json").await;
    let said = said.json();
    let tokens = said["data"].as_array().expect("a list");
    assert_eq!(tokens.iter().map(|token| &token["name"]).collect::<Vec<_>>(), ["first", "second"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_transient() {
    let said = vt("http://127.0.0.1:1", "status --all --json").await;
    let error = &said.json()["error"];
    assert_eq!(
        (said.exit, &error["category"], &error["code"]),
        (6, &json!("transient"), &json!("unreachable"))
    );
}

#[tokio::test]
async fn a_tail_goes_on_after_a_cut_and_prints_every_event_once() {
    let line = |seq| serde_json::to_string(&fixtures::event(seq)).expect("serialises") + "\n";
    let half = line(13)[..30].to_owned();
    let server = Fake::default()
        .on("GET /events?follow=true", move |n, _| match n {
            0 => ok(cut(vec![line(11), "\n".to_owned(), line(12), half.clone()])),
            // A server that repeats itself is listened to all the same.
            1 => ok([line(12), line(13), line(14)].concat()),
            _ => problem(ErrorCode::Forbidden),
        })
        .json("GET /events?limit=1", &events_view())
        .start()
        .await;
    let said = server.vt("events tail --all --reason -Probe --json").await;
    assert_eq!(said.exit, 3, "{said:?}");
    let mut lines = said.out.lines();
    let seqs: Vec<Value> = lines
        .by_ref()
        .take(4)
        .map(|line| serde_json::from_str::<Value>(line).expect(line)["seq"].clone())
        .collect();
    assert_eq!(seqs, [11, 12, 13, 14]);
    let asked: Vec<String> = server.asked("GET /events?follow").into_iter().map(|asked| asked.line).collect();
    assert_eq!(
        asked,
        [10, 12, 14].map(|after| format!("GET /events?follow=true&after={after}&reason=-Probe"))
    );
    assert!(said.err.contains("trying again in 0.5 s after ev_12"), "{}", said.err);
    assert!(said.err.contains("connected again, going on after ev_12"), "{}", said.err);
}

fn events_view() -> Value {
    json!({ "groups": [], "total": 0, "failed": 0, "facets": {}, "older": null, "selected": null,
        "last_at": null, "recorded_since": "2026-02-18T12:00:00Z" })
}

#[tokio::test]
async fn hostile_text_reaches_no_terminal() {
    let overview = Overview {
        rows: vec![],
        only: None,
        verdict: model::Verdict::Idle,
        counts: Counts::default(),
        sources: vec![],
        changes: vec![],
        sentence: "\u{1b}]0;owned\u{7}\u{9b}2J all is \u{202e}well".into(),
    };
    let server = Fake::default().json("GET /overview", &overview).start().await;
    for line in ["status --all", "status --all --json"] {
        let said = server.vt(line).await;
        assert_eq!(said.exit, 0);
        let is_clean = said.out.chars().all(|c| c == '\n' || !crate::output::text::is_hostile(c));
        assert!(is_clean && said.out.contains("all is"), "{:?}", said.out);
    }
}

#[tokio::test]
async fn an_env_that_several_apps_have_is_a_usage_error() {
    let mut both = envs();
    let mut other = both[0].clone();
    (other.target.app_id, other.target.app) = (model::AppId::mint(2), "search".into());
    other.target.env_id = model::EnvId::mint(2);
    both.push(other);
    let server = Fake::default().json("GET /envs", &both).start().await;
    let said = server.vt("stop --env prod --json").await;
    assert_eq!(said.exit, 2, "{said:?}");
    let message = said.json()["error"]["message"].as_str().expect("a sentence").to_owned();
    assert!(message.contains("checkout/prod, search/prod"), "{message}");
}
