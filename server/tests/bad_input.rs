//! Everything that a client can get wrong: it is told what and where, in one form, and nothing is written.
#![allow(clippy::unwrap_used)]

use model::{ApiError, EnvRecord, ErrorCode, Receipt};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Apply, Client, Fault, Response, TestApp, on_both_engines};

/// App files that are refused, each with the place that has to be named.
const BAD_FILES: [(&str, &str); 9] = [
    ("", "1:1"),
    ("app: [", "1:"),
    ("app: web\nenv: prod\nprocesses: {}\n", "3:"),
    ("app: Web\nenv: prod\nprocesses: { p: { command: [/bin/true] } }\n", "1:6"),
    ("app: web\nenv: prod\nnonsense: 1\nprocesses: { p: { command: [/bin/true] } }\n", "3:"),
    ("app: web\nenv: prod\nprocesses:\n  p:\n    command: []\n", "5:"),
    ("app: web\nenv: prod\nprocesses:\n  p:\n    command: [/bin/true]\n    instances: 101\n", "6:16"),
    ("app: web\nenv: prod\nprocesses:\n  p: { command: [/bin/true] }\nvolumes: [{ name: a }]\n", "5:"),
    ("app: web\nenv: prod\nartefact: [../etc]\nprocesses: { p: { command: [/bin/true] } }\n", "3:12"),
];

async fn nothing_is_there(app: &TestApp) {
    let client = app.operator();
    assert!(client.read::<Vec<EnvRecord>>("/api/v1/envs").await.is_empty());
    assert!(client.read::<Vec<Receipt>>("/api/v1/receipts").await.is_empty());
    assert_eq!(client.read::<Value>("/api/v1/audit").await, json!([]));
}

async fn an_app_file_that_makes_no_sense_is_refused_with_line_and_column(app: TestApp) {
    let operator = app.operator();
    let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n".to_owned();
    let large = format!("app: {}\n", "x".repeat(300 * 1024));
    let others = [(laughs.as_str(), ""), (large.as_str(), "1:1"), ("\u{0}\u{feff}", "1:")];
    for (file, place) in BAD_FILES.into_iter().chain(others) {
        let error = operator.apply(&Apply::of(file)).await.problem(400, ErrorCode::Invalid);
        let first = error.details.first().unwrap_or_else(|| panic!("no details: {error:?}"));
        assert!(first.field.starts_with(place), "{file:.60}: {error:?}");
        for detail in &error.details {
            let (line, column) = detail.field.split_once(':').unwrap();
            assert!(line.parse::<u32>().unwrap() >= 1 && column.parse::<u32>().unwrap() >= 1);
            assert!(!detail.message.is_empty());
        }
    }
    nothing_is_there(&app).await;
}

async fn what_does_not_exist_is_not_found(app: TestApp) {
    let admin = app.admin();
    for path in [
        "envs/env_nope",
        "envs/nope",
        "envs/a:b",
        "envs/%00",
        "envs/%2e%2e%2f",
        "envs/env_nope/releases",
        "objects/instance/ins_nope",
        "objects/nonsense/x",
        "objects/a%20b/x",
        "receipts/rc_nope",
        "receipts/1%20OR%201=1",
        "waits/wt_nope",
        "waits/x?timeout=0",
        "receipts?env=env_nope",
        "nothing",
        "",
        "schemas/other.json",
    ] {
        let answer: Response = admin.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        let _ = answer.problem(404, ErrorCode::NotFound);
    }
    let act = json!({ "generation": 1, "plan_hash": "x" });
    for (path, body) in [
        ("envs/env_nope/actions/stop", &act),
        ("envs/env_nope/plans/stop", &json!({})),
        ("receipts/rc_nope/check", &json!({})),
        ("waits/wt_nope/stop", &json!({})),
        ("waits/wt_nope/extend", &json!({ "seconds": 1 })),
        ("waits", &json!({ "object": "env:env_nope", "timeout_s": 5 })),
    ] {
        let answer: Response = admin.post(&format!("/api/v1/{path}"), body).await;
        let _ = answer.problem(404, ErrorCode::NotFound);
    }
    let answer: Response = admin.write(Method::DELETE, "/api/v1/tokens/tok_nope", &json!({})).await;
    let _ = answer.problem(404, ErrorCode::NotFound);
}

async fn a_body_that_is_not_what_was_asked_for_is_refused(app: TestApp) {
    let applied = app.operator().apply(&Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await.good();
    let env = &applied.release.target.env_id;
    let admin = app.admin();
    let paths = [
        "apply".to_owned(),
        "waits".to_owned(),
        "tokens".to_owned(),
        "blobs/missing".to_owned(),
        format!("envs/{env}/plans/scale"),
        format!("envs/{env}/actions/scale"),
        "waits/wt_x/extend".to_owned(),
    ];
    for path in &paths {
        for body in ["", "{", "null", "[]x", "{\"surprise\":1}", "\u{1F980}", "{\"a\":\"\\ud800\"}", "1e999"]
        {
            let request = admin.request(Method::POST, &format!("/api/v1/{path}"));
            let request =
                request.header("content-type", "application/json").header("idempotency-key", Client::key());
            let answer: Response = admin.send(request.body(body)).await;
            assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
            let _ = answer.problem(400, ErrorCode::Invalid);
        }
        let request =
            admin.request(Method::POST, &format!("/api/v1/{path}")).header("idempotency-key", Client::key());
        let answer: Response = admin.send(request.body("{}")).await;
        let _ = answer.problem(400, ErrorCode::Invalid);
    }
    for seconds in [i64::MIN, -1, 0, 86_401] {
        let answer: Response = admin.post("/api/v1/waits/wt_x/extend", &json!({ "seconds": seconds })).await;
        let _ = answer.problem(400, ErrorCode::Invalid);
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let request = admin.request(Method::POST, "/api/v1/waits").header("content-type", "application/json");
    let answer: Response = admin.send(request.header("idempotency-key", "k").body(deep)).await;
    let _ = answer.problem(400, ErrorCode::Invalid);
}

async fn a_body_that_is_too_large_is_refused(app: TestApp) {
    let admin = app.admin();
    let text = "x".repeat(3 * 1024 * 1024);
    for (path, body) in [
        ("apply", json!({ "manifest": text })),
        ("blobs/missing", json!({ "sha256": [text] })),
        ("tokens", json!({ "name": text, "role": "viewer" })),
    ] {
        let answer: Response = admin.post(&format!("/api/v1/{path}"), &body).await;
        let _ = answer.problem(413, ErrorCode::TooLarge);
    }
    nothing_is_there(&app).await;
}

async fn a_write_without_a_usable_key_is_refused(app: TestApp) {
    let operator = app.operator();
    let applied = operator.apply(&Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await.good();
    let env = &applied.release.target.env_id;
    let before: Vec<EnvRecord> = operator.read("/api/v1/envs").await;
    for (path, body) in [
        ("apply".to_owned(), json!({ "manifest": app.manifest("web/prod", 1, Fault::Healthy) })),
        (format!("envs/{env}/actions/stop"), json!({ "generation": 1, "plan_hash": "x" })),
        ("waits".to_owned(), json!({ "object": format!("env:{env}"), "timeout_s": 5 })),
    ] {
        for key in [None, Some(String::new()), Some("k".repeat(201)), Some("ключ".to_owned())] {
            let mut request = operator.request(Method::POST, &format!("/api/v1/{path}")).json(&body);
            if let Some(key) = key {
                request = request.header("idempotency-key", key.as_bytes());
            }
            let answer: Response = operator.send(request).await;
            let error: ApiError = answer.problem(400, ErrorCode::Invalid);
            assert_eq!(error.details[0].field, "Idempotency-Key");
        }
    }
    assert_eq!(operator.read::<Vec<EnvRecord>>("/api/v1/envs").await, before);
}

async fn a_query_that_is_not_understood_is_refused_and_not_ignored(app: TestApp) {
    let admin = app.admin();
    for path in ["objects", "events", "logs", "receipts", "audit", "waits"] {
        let answer: Response = admin.get(&format!("/api/v1/{path}?surprise=1")).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        let error = answer.problem(400, ErrorCode::Invalid);
        assert!(error.title.contains("surprise"), "{}", error.title);
    }
    for query in [
        "receipts?limit=many",
        "receipts?limit=-1",
        "audit?limit=99999999999",
        "audit?before=x",
        "events?limit=x",
        "events?after=x&follow=true",
        "events?before=x",
        "events?outcome=maybe",
        "events?from=yesterday-ish",
        "logs?since=soon",
        "logs?since=9223372036854775807h",
        "logs?object=nocolon",
        "logs?limit=x",
        "objects?kind=a%20b",
        "waits?open=perhaps",
    ] {
        let answer: Response = admin.get(&format!("/api/v1/{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        let _ = answer.problem(400, ErrorCode::Invalid);
    }
    for query in
        ["receipts?limit=0", "events?limit=4294967295", "events?limit=0", "audit?before=-9223372036854775808"]
    {
        let _ = admin.get::<Value>(&format!("/api/v1/{query}")).await.good();
    }
}

async fn a_pinned_file_must_have_the_hash_that_names_it(app: TestApp) {
    let operator = app.operator();
    // Of "abc".
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let missing = async || {
        let asked = json!({ "sha256": [hash] });
        operator.post::<Value>("/api/v1/blobs/missing", &asked).await.good()["missing"]
            .as_array()
            .unwrap()
            .len()
    };
    let put = async |name: &str, body: &'static str| {
        let request = operator.request(Method::PUT, &format!("/api/v1/blobs/{name}"));
        operator.send::<Value>(request.body(body)).await
    };
    let _ = put(hash, "abcd").await.problem(400, ErrorCode::Invalid);
    for name in ["x", "..%2f..%2fetc%2fpasswd", &hash.to_uppercase(), &format!("{hash}0"), "%FF"] {
        let answer = put(name, "abc").await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text());
        let _ = answer.any_problem();
    }
    assert_eq!(missing().await, 1);
    let unsent = json!({
        "manifest": "app: a\nenv: b\nartefact: [run]\nprocesses: { p: { command: [run] } }\n",
        "files": { "run": { "sha256": hash, "executable": true } },
    });
    let answer: Response = operator.post("/api/v1/apply", &unsent).await;
    let error = answer.problem(400, ErrorCode::Invalid);
    assert!(error.title.contains("not sent"), "{}", error.title);
    let _ = put(hash, "abc").await.has_status(204);
    assert_eq!(missing().await, 0);
    nothing_is_there(&app).await;
}

async fn impossible_numbers_and_names_are_refused(app: TestApp) {
    let applied = app.operator().apply(&Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await.good();
    let env = &applied.release.target.env_id;
    let admin = app.admin();
    let object = format!("env:{env}");
    let nested = (0..6).fold(json!({ "until": "gone" }), |inner, _| json!({ "until": "all", "of": [inner] }));
    for (path, body) in [
        (format!("envs/{env}/plans/scale"), json!({ "instances": 101 })),
        (format!("envs/{env}/plans/scale"), json!({ "instances": 1, "process": "nope" })),
        (format!("envs/{env}/plans/deploy"), json!({ "release": "rel_nope" })),
        (format!("envs/{env}/plans/rollback"), json!({})),
        ("waits".to_owned(), json!({ "object": object, "timeout_s": 0 })),
        ("waits".to_owned(), json!({ "object": object, "timeout_s": i64::MAX })),
        ("waits".to_owned(), json!({ "object": object, "timeout_s": 5, "until": nested })),
        ("tokens".to_owned(), json!({ "name": "a b", "role": "viewer" })),
        ("tokens".to_owned(), json!({ "name": "", "role": "viewer" })),
        ("tokens".to_owned(), json!({ "name": "x", "role": "root" })),
        ("tokens".to_owned(), json!({ "name": "x", "role": "viewer", "expires_s": i64::MAX })),
        ("tokens".to_owned(), json!({ "name": "x", "role": "viewer", "expires_s": 0 })),
        ("tokens".to_owned(), json!({ "name": "viewer", "role": "viewer" })),
    ] {
        let answer: Response = admin.post(&format!("/api/v1/{path}"), &body).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text());
        let _ = answer.problem(400, ErrorCode::Invalid);
    }
    let answer: Response = admin.post(&format!("/api/v1/envs/{env}/actions/explode"), &json!({})).await;
    let _ = answer.any_problem();
}

async fn what_no_handler_sees_is_a_problem_document_too(app: TestApp) {
    let admin = app.admin();
    for (method, path, status) in [
        (Method::DELETE, "/api/v1/envs", 405),
        (Method::POST, "/api/v1/overview", 405),
        (Method::GET, "/api/v1/apply", 405),
        (Method::GET, "/api/v1/receipts/%FF", 400),
        (Method::GET, "/api/v2/envs", 404),
    ] {
        let answer: Response = admin.write(method.clone(), path, &json!({})).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        let _ = answer.any_problem();
    }
    let long = format!("/api/v1/envs/{}", "x".repeat(20_000));
    let answer: Response = admin.get(&long).await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
}

on_both_engines! {
    an_app_file_that_makes_no_sense_is_refused_with_line_and_column,
    what_does_not_exist_is_not_found,
    a_body_that_is_not_what_was_asked_for_is_refused,
    a_body_that_is_too_large_is_refused,
    a_write_without_a_usable_key_is_refused,
    a_query_that_is_not_understood_is_refused_and_not_ignored,
    a_pinned_file_must_have_the_hash_that_names_it,
    impossible_numbers_and_names_are_refused,
    what_no_handler_sees_is_a_problem_document_too,
}
