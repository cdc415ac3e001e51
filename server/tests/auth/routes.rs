//! Every documented route with every right.

use model::{EnvRef, ErrorCode, Role, Span, TokenId, Verb, plan::Ask};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Client, Fault, Response, TestApp, on_both_engines};

/// One documented operation, with every placeholder filled.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// As documented.
    pub(crate) name: String,
    pub(crate) path: String,
}

impl Route {
    pub(crate) fn is_write(&self) -> bool {
        // Reading a plan and asking which files are missing are questions with a body.
        self.method != Method::GET && !self.name.contains("/plans/")
    }

    pub(crate) async fn ask(&self, client: &Client) -> Response {
        client.write(self.method.clone(), &self.path, &body(&self.name)).await
    }
}

/// A body that each route understands. A new write has to be added here, with what it takes.
fn body(route: &str) -> Value {
    let hash = "0".repeat(64);
    match route.rsplit("/api/v1/").next().unwrap_or_default() {
        "apply" => json!({ "manifest": "app: a\nenv: b\nprocesses: { p: { command: [/bin/true] } }\n" }),
        "envs/{env}/plans/{verb}" => json!({}),
        "envs/{env}/actions/{verb}" => json!({ "generation": 1, "plan_hash": hash }),
        "blobs/missing" => json!({ "sha256": [hash] }),
        "waits" => json!({ "object": "env:env_x", "timeout_s": 5 }),
        "waits/{id}/extend" => json!({ "seconds": 60 }),
        "sources/{source}" | "sources/{source}/observations" => json!({}),
        "tokens" => json!({ "name": "another", "role": "viewer" }),
        "backup"
        | "restore"
        | "blobs/{sha256}"
        | "receipts/{id}/check"
        | "waits/{id}/stop"
        | "tokens/{id}" => json!({}),
        read => {
            let reads = [
                "overview",
                "envs",
                "objects",
                "events",
                "logs",
                "receipts",
                "waits",
                "audit",
                "search",
                "store",
                "sources",
                "openapi.json",
            ];
            assert!(reads.iter().any(|known| read.starts_with(known)), "what does a test send to {route}?");
            json!({})
        }
    }
}

/// Every operation of the document that the server publishes.
pub(crate) async fn documented(app: &TestApp, target: &EnvRef) -> Vec<Route> {
    let document: Value = app.admin().read("/api/v1/openapi.json").await;
    let mut routes = Vec::new();
    for (name, operations) in document["paths"].as_object().unwrap() {
        for (method, _) in operations.as_object().unwrap() {
            let path = name
                .replace("{env}", target.env_id.as_str())
                .replace("{verb}", Verb::Restart.as_str())
                .replace("{kind}", "env")
                .replace("{source}", "edge")
                .replace("{sha256}", &"0".repeat(64))
                .replace("{id}", TokenId::mint(7).as_str());
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            routes.push(Route { method, name: name.clone(), path });
        }
    }
    assert!(routes.len() >= 24, "the document lists {} operations", routes.len());
    routes
}

pub(crate) async fn deployed(app: &TestApp) -> EnvRef {
    let applied =
        app.operator().apply(&testkit::Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await;
    applied.good().release.target
}

async fn nobody_reads_or_writes_without_a_valid_token(app: TestApp) {
    let routes = documented(&app, &deployed(&app).await).await;
    let (revoked_id, revoked) = app.token("revoked", Role::Admin, None).await;
    let past = app.state().now() - Span::seconds(1);
    let (_, expired) = app.token("expired", Role::Admin, Some(past)).await;
    app.admin().revoke(&revoked_id).await;
    let nobody = app.anonymous();
    let mut strangers = vec![("anonymous", nobody.clone())];
    for (who, token) in [
        ("revoked", revoked.as_str()),
        ("expired", expired.as_str()),
        ("made up", "vt_made-up"),
        ("empty", ""),
    ] {
        strangers.push((who, nobody.with_token(token)));
    }
    strangers.push(("forged session", nobody.with_session("vt_forged")));
    for route in &routes {
        for (who, client) in &strangers {
            let answer = route.ask(client).await;
            assert_eq!(answer.status, 401, "{who} {} {}: {}", route.method, route.name, answer.text());
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            let _ = answer.problem(401, ErrorCode::Unauthenticated);
        }
    }
}

async fn a_viewer_changes_nothing_and_every_refused_action_is_audited(app: TestApp) {
    let target = deployed(&app).await;
    let viewer = app.viewer();
    let writes: Vec<Route> = documented(&app, &target).await.into_iter().filter(Route::is_write).collect();
    assert!(writes.len() >= 10);
    let before = app.store().read().await.unwrap().envs().await.unwrap();
    for route in &writes {
        let answer = route.ask(&viewer).await;
        assert_eq!(answer.status, 403, "viewer {} {}: {}", route.method, route.name, answer.text());
        let _ = answer.problem(403, ErrorCode::Forbidden);
    }
    for verb in Verb::ALL {
        let path = format!("/api/v1/envs/{}/actions/{}", target.env_id, verb.as_str());
        let answer: Response = viewer.post(&path, &json!({ "generation": 1, "plan_hash": "x" })).await;
        let _ = answer.problem(403, ErrorCode::Forbidden);
    }
    assert_eq!(app.store().read().await.unwrap().envs().await.unwrap(), before);
    let rows: Vec<Value> = app.admin().read("/api/v1/audit?limit=1000").await;
    for verb in Verb::ALL {
        let refused = rows.iter().filter(|row| row["actor"] == "viewer" && row["action"] == verb.as_str());
        let refused: Vec<_> = refused.collect();
        assert!(!refused.is_empty(), "a refused {} is not audited", verb.as_str());
        for row in refused {
            assert_eq!(row["target"], "web/prod");
            assert!(row["outcome"].as_str().unwrap().starts_with("refused"), "{row}");
        }
    }
}

async fn a_viewer_reads_everything_and_plans_say_what_the_role_forbids(app: TestApp) {
    let target = deployed(&app).await;
    let viewer = app.viewer();
    for route in documented(&app, &target).await.into_iter().filter(|route| !route.is_write()) {
        let answer = route.ask(&viewer).await;
        // Tokens and the audit log are not for everybody; a made-up id is not found.
        let expected: &[u16] = match route.name.as_str() {
            "/api/v1/tokens" | "/api/v1/audit" => &[403],
            name if name.contains("{id}") || name.contains("{source}") => &[404],
            _ => &[200],
        };
        assert!(expected.contains(&answer.status), "{}: {} {}", route.name, answer.status, answer.text());
    }
    let plan = viewer.plan(&target, Verb::Stop, &Ask::default()).await.good();
    assert!(plan.blocked().is_some_and(|why| why.contains("operator role")), "{plan:#?}");
}

async fn an_operator_manages_no_tokens(app: TestApp) {
    let operator = app.operator();
    let answer: Response = operator.get("/api/v1/tokens").await;
    let _ = answer.problem(403, ErrorCode::Forbidden);
    let answer: Response = operator.post("/api/v1/tokens", &json!({ "name": "me", "role": "admin" })).await;
    let _ = answer.problem(403, ErrorCode::Forbidden);
    let id = TokenId::mint(1);
    let answer: Response = operator.write(Method::DELETE, &format!("/api/v1/tokens/{id}"), &json!({})).await;
    let _ = answer.problem(403, ErrorCode::Forbidden);
}

on_both_engines! {
    nobody_reads_or_writes_without_a_valid_token,
    a_viewer_changes_nothing_and_every_refused_action_is_audited,
    a_viewer_reads_everything_and_plans_say_what_the_role_forbids,
    an_operator_manages_no_tokens,
}
