//! Every route with every right. The list of routes is the server's own register.

use std::collections::BTreeSet;

use model::{EnvRef, ErrorCode, Role, Span, Verb, Verdict, plan::Ask};
use reqwest::Method;
use serde_json::{Value, json};
use server::{http, secret};
use testkit::{Client, Fault, Response, TestApp, on_both_engines};

use super::matrix::{COLUMNS, MATRIX, Row, Sent};

/// What the rows ask about.
pub(crate) struct World {
    target: EnvRef,
    receipt: String,
    wait: String,
    source: String,
    source_token: String,
}

impl World {
    /// An env with a receipt and a wait, and a source with its token.
    pub(crate) async fn of(app: &TestApp) -> Self {
        let (operator, admin) = (app.operator(), app.admin());
        let applied =
            operator.apply(&testkit::Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await.good();
        let target = applied.release.target;
        // Only what was observed can be waited for.
        let _ = operator.has_verdict(&target, Verdict::Idle, std::time::Duration::from_secs(10)).await;
        let wait = json!({ "object": format!("env:{}", target.env_id), "timeout_s": 600 });
        let wait: Value = operator.post("/api/v1/waits", &wait).await.good();
        let made: Value =
            admin.post("/api/v1/tokens", &json!({ "name": "edge-reporter", "source": "edge" })).await.good();
        Self {
            receipt: applied.receipt.unwrap().id.to_string(),
            wait: wait["id"].as_str().unwrap().to_owned(),
            source: made["token"]["source"].as_str().unwrap().to_owned(),
            source_token: made["secret"].as_str().unwrap().to_owned(),
            target,
        }
    }

    /// A text of a row with its places filled. What can be used once only is made anew each time.
    async fn fill(&self, app: &TestApp, text: &str) -> String {
        let mut text = text.replace("{page}", &self.target.path());
        if text.contains("{token}") {
            let name = Client::key();
            text = text.replace("{token}", app.token(&name, Role::Viewer, None).await.0.as_str());
        }
        for (place, value) in [
            ("{env}", self.target.env_id.as_str()),
            ("{receipt}", &self.receipt),
            ("{wait}", &self.wait),
            ("{source}", &self.source),
            ("{fresh}", &Client::key()),
            // Of "abc".
            ("{hash}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            text = text.replace(place, value);
        }
        text
    }
}

impl Row {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.0, self.1)
    }

    /// Whether it changes something, or opens a socket.
    pub(crate) fn is_write(&self) -> bool {
        self.0 != "GET" || matches!(self.3, Sent::Upgrade)
    }

    /// Asks as this client, with this `Origin` and `Host`, and answers the status and the answer where there is one.
    pub(crate) async fn ask(
        &self,
        (app, world): (&TestApp, &World),
        client: &Client,
        origin: Option<&str>,
        host: Option<&str>,
    ) -> (u16, Option<Response>) {
        let path = world.fill(app, self.2).await;
        if matches!(self.3, Sent::Upgrade) && host.is_none() {
            return (client.live_from(origin).await.err().unwrap_or(101), None);
        }
        let method = Method::from_bytes(self.0.as_bytes()).unwrap();
        let mut request = client.request(method, &path).header("idempotency-key", Client::key());
        for (name, value) in [("origin", origin), ("host", host)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request = match self.3 {
            Sent::Nothing | Sent::Upgrade => request,
            Sent::Bytes(text) => request.body(text),
            Sent::Json(text) => {
                request.header("content-type", "application/json").body(world.fill(app, text).await)
            }
            Sent::Form(text) => {
                let fields = world.fill(app, text).await;
                request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(format!("{fields}&form_token={}", client.form_token))
            }
        };
        let answer = client.send(request).await;
        (answer.status, Some(answer))
    }
}

/// Somebody who asks: with a token, and with a session of a browser, where there can be one.
struct Asker {
    column: usize,
    with: &'static str,
    client: Client,
}

async fn askers(app: &TestApp, world: &World) -> Vec<Asker> {
    let nobody = app.anonymous();
    let past = app.state().now() - Span::seconds(1);
    let (_, expired) = app.token("expired", Role::Admin, Some(past)).await;
    let (revoked_id, revoked) = app.token("revoked", Role::Admin, None).await;
    let revoked_session = nobody.sign_in(&revoked).await;
    app.admin().revoke(&revoked_id).await;
    let (_, viewer) = app.token("reader", Role::Viewer, None).await;
    let (_, operator) = app.token("mira", Role::Operator, None).await;
    let (_, admin) = app.token("root", Role::Admin, None).await;
    let expired_session = {
        let session = store::Session {
            actor: model::Actor { name: "expired".to_owned(), role: Role::Admin },
            token: None,
            created_at: past - Span::minutes(60),
            expires_at: past,
        };
        let cookie = secret::mint();
        app.store().session_insert(&session, secret::hash(&cookie)).await.unwrap();
        let mut client = nobody.with_session(&cookie);
        client.form_token = secret::derive(&cookie, "form");
        client
    };
    let asker = |column, with, client| Asker { column, with, client };
    vec![
        asker(0, "nothing", nobody.clone()),
        asker(0, "a token that was made up", nobody.with_token("vt_made-up")),
        asker(0, "an empty token", nobody.with_token("")),
        asker(0, "a session that was made up", nobody.with_session("vt_forged")),
        asker(1, "a token", nobody.with_token(&expired)),
        asker(1, "a session", expired_session),
        asker(2, "a token", nobody.with_token(&revoked)),
        asker(2, "a session", revoked_session),
        asker(6, "a token", nobody.with_token(&world.source_token)),
        asker(3, "a token", nobody.with_token(&viewer)),
        asker(3, "a session", nobody.sign_in(&viewer).await),
        asker(4, "a token", nobody.with_token(&operator)),
        asker(4, "a session", nobody.sign_in(&operator).await),
        asker(5, "a token", nobody.with_token(&admin)),
        asker(5, "a session", nobody.sign_in(&admin).await),
    ]
}

fn expected(row: &Row, asker: &Asker, app: &TestApp) -> u16 {
    let expected = row.4[asker.column];
    // Whoever has a token has no page of ours that a form could come from.
    let signed_in_by_token = (3..6).contains(&asker.column) && asker.with == "a token";
    let open = row.4[0] != 401 || row.1 == "/sign-in";
    if signed_in_by_token && matches!(row.3, Sent::Form(_)) && !open {
        return 403;
    }
    // A store on PostgreSQL has tools of its own for this.
    let on_postgres = matches!(app.state().upkeep.url, store::StoreUrl::Postgres(_));
    if on_postgres && expected == 200 && row.1 == "/api/v1/backup" { 400 } else { expected }
}

#[test]
fn every_route_has_one_row_and_every_row_is_a_route() {
    let routes: Vec<String> =
        http::routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    let rows: Vec<String> = MATRIX.iter().map(Row::name).collect();
    let (there, written): (BTreeSet<_>, BTreeSet<_>) = (routes.iter().collect(), rows.iter().collect());
    assert_eq!((routes.len(), rows.len()), (there.len(), written.len()), "something is listed twice");
    let missing: Vec<_> = there.difference(&written).collect();
    assert!(missing.is_empty(), "no row says who may ask for {missing:?}");
    let gone: Vec<_> = written.difference(&there).collect();
    assert!(gone.is_empty(), "there is no such route: {gone:?}");
}

async fn every_route_answers_everybody_as_its_row_says(app: TestApp) {
    let world = World::of(&app).await;
    let (mut wrong, mut cells) = (vec![], 0);
    let askers = askers(&app, &world).await;
    let ours = app.anonymous().origin;
    for row in MATRIX {
        for asker in &askers {
            let expected = expected(row, asker, &app);
            let (status, answer) = row.ask((&app, &world), &asker.client, Some(&ours), None).await;
            cells += 1;
            if status != expected {
                let who = COLUMNS[asker.column];
                wrong.push(format!(
                    "{}: {who} with {} gets {status}, not {expected}",
                    row.name(),
                    asker.with
                ));
            }
            let Some(answer) = answer.filter(|_| row.1.starts_with("/api/")) else { continue };
            if status == 401 {
                assert_eq!(answer.header("www-authenticate"), "Bearer", "{}", row.name());
                let _ = answer.problem(401, ErrorCode::Unauthenticated);
            } else if status == 403 {
                let _ = answer.problem(403, ErrorCode::Forbidden);
            } else if status > 403 || status == 400 {
                let _ = answer.any_problem();
            }
        }
    }
    println!("{} routes, {cells} requests", MATRIX.len());
    assert!(wrong.is_empty(), "{} of {cells}:\n{}", wrong.len(), wrong.join("\n"));
    app.stop().await;
}

async fn a_head_request_gets_what_a_get_would(app: TestApp) {
    let world = World::of(&app).await;
    let (nobody, reader) = (app.anonymous(), app.viewer());
    for row in MATRIX.iter().filter(|row| row.0 == "GET" && !row.is_write()) {
        let path = world.fill(&app, row.2).await;
        for (client, column) in [(&nobody, 0), (&reader, 3)] {
            let answer: Response = client.send(client.request(Method::HEAD, &path)).await;
            assert_eq!(answer.status, row.4[column], "HEAD {path}");
            assert_eq!(answer.text(), "", "HEAD {path}");
        }
    }
    app.stop().await;
}

async fn a_viewer_changes_nothing_and_every_refused_action_is_audited(app: TestApp) {
    let world = World::of(&app).await;
    let target = &world.target;
    let viewer = app.viewer();
    let before = app.store().read().await.unwrap().envs().await.unwrap();
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
    let plan = viewer.plan(target, Verb::Stop, &Ask::default()).await.good();
    assert!(plan.blocked().is_some_and(|why| why.contains("operator role")), "{plan:#?}");
    app.stop().await;
}

on_both_engines! {
    every_route_answers_everybody_as_its_row_says,
    a_head_request_gets_what_a_get_would,
    a_viewer_changes_nothing_and_every_refused_action_is_audited,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_that_is_open_to_everybody_opens_nothing_but_what_a_viewer_reads() {
    let open = |serve: &mut server::config::Serve| serve.anonymous = Some("viewer".to_owned());
    let app = TestApp::start_with(env!("CARGO_BIN_EXE_vt"), open).await;
    let world = World::of(&app).await;
    let (nobody, ours) = (app.anonymous(), app.anonymous().origin);
    let mut wrong = vec![];
    for row in MATRIX {
        let (status, _) = row.ask((&app, &world), &nobody, Some(&ours), None).await;
        let [nobody, .., viewer, _, _, _] = row.4;
        let fits = match (nobody, viewer) {
            // Nobody has signed in, or they have and are not enough: both are a refusal.
            (401, 403) => matches!(status, 401 | 403),
            // Signing out is for those who are in.
            (401, 303) => status == 401,
            (_, viewer) => status == viewer,
        };
        if !fits {
            wrong.push(format!("{}: {status}, where a viewer gets {viewer}", row.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    app.stop().await;
}
