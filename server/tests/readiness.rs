//! Starting and ending: how long until the server can be used, what a second one over the same data is told, and
//! what is left afterwards.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use model::{EnvRecord, Receipt};
use serde_json::{Value, json};
use server::wiring;
use testkit::{Fault, Response, TestApp, until};

const VT: &str = env!("CARGO_BIN_EXE_vt");
/// What a person should wait for at most; a busy machine gets the second figure.
const WANTED: Duration = Duration::from_millis(300);
const BOUND: Duration = Duration::from_millis(1500);

async fn is_ready(app: &TestApp) {
    let client = app.anonymous();
    until("readiness", Duration::from_secs(5), || async {
        let answer: Response = client.get("/readyz").await;
        if answer.status == 200 { Ok(()) } else { Err(answer.text().to_owned()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_server_is_ready_in_a_moment() {
    let begin = Instant::now();
    let app = TestApp::start(VT).await;
    let first: Response = app.anonymous().get("/healthz").await.has_status(200);
    assert_eq!(first.text(), "ok\n");
    let answers = begin.elapsed();
    is_ready(&app).await;
    let ready = begin.elapsed();
    println!("answers after {answers:?}, ready after {ready:?}, wanted within {WANTED:?}");
    assert!(ready < BOUND, "ready after {ready:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_names_nothing_but_itself_to_strangers() {
    let app = TestApp::start(VT).await;
    is_ready(&app).await;
    let ready: Response = app.anonymous().get("/readyz").await;
    assert_eq!(ready.good(), json!({ "ready": true, "store": true, "waiting_for": [] }));
    let _ = app.anonymous().get::<Value>("/api/v1/schemas/vantage.yaml.json").await.good();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_over_the_same_data_is_told_who_has_it() {
    let app = TestApp::start(VT).await;
    let second = wiring::start(&app.serve, app.folder(), VT.as_ref()).await;
    let Err(error) = second else { panic!("two servers share one store") };
    let told = format!("{error:#}");
    assert!(told.contains(&std::process::id().to_string()), "{told}");
    assert!(told.contains("vantage.db"), "{told}");
    // The first one does not notice.
    let _ = app.viewer().get::<Value>("/api/v1/overview").await.good();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_again_knows_everything_and_runs_it_again() {
    let mut app = TestApp::start(VT).await;
    let applied = app.operator().apply_and_converge(&app.manifest("web/prod", 2, Fault::Healthy)).await;
    let target = applied.release.target;
    let (envs, receipts): (Vec<EnvRecord>, Vec<Receipt>) =
        (app.operator().read("/api/v1/envs").await, app.operator().read("/api/v1/receipts").await);
    let (token, link) = (app.admin_token().to_owned(), app.sign_in_link().to_owned());
    let store_id = app.store().store_id().to_owned();
    app.restart().await;
    assert_eq!(app.store().store_id(), store_id);
    assert_eq!(app.admin_token(), token, "the administrator's token stays");
    assert_ne!(app.sign_in_link(), link, "a sign-in link is for one start");
    let operator = app.operator();
    assert_eq!(operator.read::<Vec<EnvRecord>>("/api/v1/envs").await, envs);
    let after: Vec<Receipt> = operator.read("/api/v1/receipts").await;
    assert_eq!(after[0].id, receipts[0].id);
    until("two new instances", Duration::from_secs(10), || async {
        let view = operator.converged(&target).await;
        let ready = view.instances.iter().filter(|row| row.state == "running").count();
        if ready == 2 { Ok(()) } else { Err(view.instances) }
    })
    .await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_private_in_the_data_folder_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let app = TestApp::start(VT).await;
    let path = app.folder().join("admin.token");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), app.admin_token());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_open_to_read_is_open_to_nothing_else() {
    let app = TestApp::start_with(VT, |serve| serve.anonymous = Some("viewer".to_owned())).await;
    let nobody = app.anonymous();
    let _ = nobody.get::<Value>("/api/v1/overview").await.good();
    let page: Response = nobody.get("/").await.has_status(200);
    assert!(page.text().contains("<h1"));
    let answer: Response = nobody.post("/api/v1/apply", &json!({ "manifest": "" })).await;
    let _ = answer.problem(401, model::ErrorCode::Unauthenticated);
    let answer: Response = nobody.get("/api/v1/tokens").await;
    let _ = answer.problem(401, model::ErrorCode::Unauthenticated);
    let answer: Response = nobody.get("/api/v1/audit").await;
    let _ = answer.problem(401, model::ErrorCode::Unauthenticated);
    assert_eq!(nobody.form("/sign-out", &[("form_token", "")]).await.status, 401);
    // A token that is no good is not "nobody": whoever sent it learns that.
    nobody.with_token("vt_no").is_turned_away().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_url_is_the_only_origin_and_its_cookies_are_secure() {
    let app =
        TestApp::start_with(VT, |serve| serve.public_url = Some("https://vantage.example".to_owned())).await;
    let nobody = app.anonymous();
    assert!(app.sign_in_link().starts_with("https://vantage.example/sign-in?link="));
    let fields = [("token", app.admin_token())];
    assert_eq!(
        nobody.form("/sign-in", &fields).await.status,
        403,
        "the listen address is no origin of pages now"
    );
    let answer = nobody.form_from("/sign-in", Some("https://vantage.example"), &fields).await.has_status(303);
    assert!(answer.header("set-cookie").contains("; Secure"), "{}", answer.header("set-cookie"));
    let request = nobody.request(reqwest::Method::GET, "/healthz").header("host", "vantage.example");
    let answer: Response = nobody.send(request).await;
    assert_eq!(answer.status, 200);
}
