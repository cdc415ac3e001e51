//! Running Vantage: backup and restore with the real server and the real command line, settings, and its end.
#![allow(clippy::unwrap_used)]

use std::{path::Path, process::Output, time::Duration};

use model::{EnvRecord, Receipt};
use serde_json::{Value, json};
use testkit::{Database, Process, Response, run_vt, until};

const VT: &str = env!("CARGO_BIN_EXE_vt");
const PATIENCE: Duration = Duration::from_secs(20);

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

fn manifest(env: &str) -> Value {
    let text = format!(
        "app: web\nenv: {env}\nprocesses:\n  web:\n    command: [{}, demo-app, --port, \"$PORT\"]\n    port: 80\n    health: {{ http: /healthz, interval: 200ms, timeout: 1s, failures: 3 }}\n    stop_grace: 1s\n",
        json!(VT)
    );
    json!({ "manifest": text })
}

async fn converged(server: &Process, env: &str) {
    let admin = server.admin();
    until(&format!("web:{env} to converge"), PATIENCE, || async {
        let view: Response<Value> = admin.get(&format!("/api/v1/envs/web:{env}")).await;
        if view.status != 200 {
            return Err(view.text().to_owned());
        }
        let judgement = view.good()["judgement"].clone();
        if judgement["verdict"] == "converged" { Ok(()) } else { Err(judgement.to_string()) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_server_comes_back_into_it_and_its_app_runs_on() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("backup.db"));
    let server = Process::start(VT, &data, &[], &[]);
    let admin = server.ready().await.admin();
    let _ = admin.post::<Value>("/api/v1/apply", &manifest("prod")).await.good();
    converged(&server, "prod").await;
    let before: Value = admin.read("/api/v1/store").await;
    let receipts: Vec<Receipt> = admin.read("/api/v1/receipts").await;

    let saved = server.vt(&["backup", file.to_str().unwrap(), "--json"]);
    assert!(saved.status.success(), "{}", text(&saved));
    let saved = document(&saved);
    assert_eq!(saved["data"]["store_id"], before["store_id"]);
    assert_eq!(saved["data"]["n_bytes"], std::fs::metadata(&file).unwrap().len());
    let again = server.vt(&["backup", file.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2), "{}", text(&again));
    assert!(!data.join("vantage.db.backup").exists());

    // What comes after the backup is gone with the restore.
    let _ = admin.post::<Value>("/api/v1/apply", &manifest("later")).await.good();
    let asked = server.vt(&["restore", file.to_str().unwrap()]);
    assert_eq!(asked.status.code(), Some(2), "nobody confirmed: {}", text(&asked));
    let restored = server.vt(&["restore", file.to_str().unwrap(), "--yes", "--json"]);
    assert!(restored.status.success(), "{} {}", text(&restored), server.said());
    let after: Value = server.ready().await.admin().read("/api/v1/store").await;
    assert_eq!(after["store_id"], document(&restored)["data"]["store_id"]);
    assert_ne!(after["store_id"], before["store_id"], "old cursors are recognised");
    let admin = server.admin();
    let envs: Vec<EnvRecord> = admin.read("/api/v1/envs").await;
    assert_eq!(envs.iter().map(|env| env.target.title()).collect::<Vec<_>>(), ["web/prod"]);
    let restored: Vec<Receipt> = admin.read("/api/v1/receipts").await;
    assert_eq!(
        restored.iter().map(|r| &r.id).collect::<Vec<_>>(),
        receipts.iter().map(|r| &r.id).collect::<Vec<_>>()
    );
    converged(&server, "prod").await;
    assert!(data.join("vantage.db.before-restore").exists());
    let rows: Vec<Value> = admin.read("/api/v1/audit?limit=1000").await;
    assert!(
        rows.iter().all(|row| row["action"] != "store.restore"),
        "the audit row of it is in the old store"
    );
    assert!(server.stop().1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_backup_is_refused_and_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("text"));
    std::fs::write(&file, "a text that is no store").unwrap();
    let server = Process::start(VT, &data, &[], &[]);
    let before: Value = server.ready().await.admin().read("/api/v1/store").await;
    let refused = server.vt(&["restore", file.to_str().unwrap(), "--yes"]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(
        text(&refused).contains("this is not a backup of a store; nothing was changed"),
        "{}",
        text(&refused)
    );
    assert!(text(&refused).contains("trace_id: "), "{}", text(&refused));
    let after: Value = server.admin().read("/api/v1/store").await;
    assert_eq!(after["store_id"], before["store_id"]);
    assert!(!data.join("vantage.db.incoming").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_restored_where_no_server_runs_and_its_administrator_is_whoever_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    let file = folder.path().join("backup.db");
    let server = Process::start(VT, &data, &[], &[]);
    let _ = server.ready().await.admin().post::<Value>("/api/v1/apply", &manifest("prod")).await.good();
    assert!(server.vt(&["backup", file.to_str().unwrap()]).status.success());
    assert!(server.stop().1);
    let place = other.to_str().unwrap();
    let restored = run_vt(VT, &["restore", file.to_str().unwrap(), "--yes", "--data", place], &[]);
    assert!(restored.status.success(), "{}", text(&restored));
    let server = Process::start(VT, &other, &[], &[]);
    server.ready().await;
    converged(&server, "prod").await;
    assert!(server.stop().1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_moved_to_postgres_is_served_from_there_as_it_was() {
    let Some(database) = Database::fresh() else { return };
    let (folder, url) = (tempfile::tempdir().unwrap(), database.url());
    let data = folder.path().join("data");
    let server = Process::start(VT, &data, &[], &[]);
    let admin = server.ready().await.admin();
    let _ = admin.post::<Value>("/api/v1/apply", &manifest("prod")).await.good();
    converged(&server, "prod").await;
    let before: Value = admin.read("/api/v1/store").await;
    assert!(server.stop().1);
    let place = data.to_str().unwrap();
    let moved = run_vt(VT, &["migrate", "--to", &url, "--data", place, "--json"], &[]);
    assert!(moved.status.success(), "{}", text(&moved));
    assert_eq!(document(&moved)["data"]["store_id"], before["store_id"]);
    let again = run_vt(VT, &["migrate", "--to", &url, "--data", place], &[]);
    assert_eq!(again.status.code(), Some(5), "{}", text(&again));
    let server = Process::start(VT, &data, &["--database", &url], &[]);
    let after: Value = server.ready().await.admin().read("/api/v1/store").await;
    assert_eq!((&after["engine"], &after["store_id"]), (&json!("postgres"), &before["store_id"]));
    converged(&server, "prod").await;
    let refused = server.vt(&["backup", folder.path().join("x.db").to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
    assert!(
        text(&refused).contains("pg_dump") && !folder.path().join("x.db.part").exists(),
        "{}",
        text(&refused)
    );
    assert!(server.stop().1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_served_is_not_migrated_and_one_that_is_newer_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Process::start(VT, &data, &[], &[]);
    server.ready().await;
    let refused = server.vt(&["migrate", "--to", "postgres://nobody:hunter2@127.0.0.1:1/none", "--json"]);
    assert_eq!(refused.status.code(), Some(5), "{}", text(&refused));
    assert_eq!(document(&refused)["error"]["code"], "store_in_use");
    assert!(text(&refused).contains(&server.id().to_string()), "{}", text(&refused));
    assert!(!text(&refused).contains("hunter2"), "{}", text(&refused));
    let second = Process::try_start(VT, &data, &[], &[]).err().expect("two servers share one store");
    assert!(second.contains(&server.id().to_string()) && second.contains("hint: "), "{second}");
    assert!(server.stop().1);
    let database = data.join("vantage.db");
    let later = "INSERT INTO migrations VALUES (9000, 'later', 'x', '7.8.9', 0)";
    let changed = std::process::Command::new("sqlite3").arg(&database).arg(later).status();
    if !changed.is_ok_and(|status| status.success()) {
        println!("skipped: there is no sqlite3 here");
        return;
    }
    let said = Process::try_start(VT, &data, &[], &[]).err().expect("a newer store was opened");
    assert!(said.contains("7.8.9") && said.contains(env!("CARGO_PKG_VERSION")), "{said}");
    assert!(said.contains("hint: start the newer version"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn term_ends_workloads_and_sockets_and_leaves_one_file_of_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Process::start(VT, &data, &["--log-format", "json", "--log", "debug"], &[]);
    let admin = server.ready().await.admin();
    let _ = admin.post::<Value>("/api/v1/apply", &manifest("prod")).await.good();
    converged(&server, "prod").await;
    let mut stream = admin.lines("/api/v1/events?follow=true").await;
    let trace = admin.get::<Value>("/api/v1/store").await.header("x-trace-id").to_owned();
    until("the request to be logged", Duration::from_secs(5), || async {
        let said = server.said();
        let line = said.lines().find(|line| line.contains(&trace)).map(str::to_owned);
        line.ok_or(said.len())
    })
    .await;
    let said = server.said();
    for line in said.lines() {
        let _: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    let line: Value = serde_json::from_str(said.lines().find(|line| line.contains(&trace)).unwrap()).unwrap();
    assert_eq!(line["span"]["trace.id"], trace.as_str(), "{line}");
    assert_eq!((&line["http.path"], &line["http.status"]), (&json!("/api/v1/store"), &json!(200)));
    let (took, well) = server.stop();
    assert!(well && took < Duration::from_secs(10), "{took:?}");
    while stream.next_line(Duration::from_secs(1)).await.is_some() {}
    for suffix in ["-wal", "-shm"] {
        assert!(!data.join(format!("vantage.db{suffix}")).exists(), "the log was brought into the file");
    }
}

fn settings(flags: &[&str], variables: &[(&str, &str)]) -> Output {
    run_vt(VT, &[&["config", "show", "--json"], flags].concat(), variables)
}

fn setting(output: &Output, name: &str) -> (Value, Value) {
    assert!(output.status.success(), "{}", text(output));
    let document = document(output);
    let all = document["data"]["settings"].as_array().unwrap().clone();
    let found = all.iter().find(|setting| setting["name"] == name).unwrap();
    (found["value"].clone(), found["source"].clone())
}

fn file(folder: &Path, text: &str) -> String {
    let path = folder.join("vantage.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn every_setting_comes_from_a_flag_a_variable_or_the_file_in_this_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "listen = \"127.0.0.1:1\"\npublic_url = \"https://file.example\"\nkeep_logs = \"1d\"\ndemo = true\n\
         database = \"postgres://vt:hunter2@db/vantage\"\n",
    );
    let shown = settings(
        &["--config", &path, "--listen", "127.0.0.1:3"],
        &[("VT_LISTEN", "127.0.0.1:2"), ("VT_PUBLIC_URL", "https://variable.example")],
    );
    assert_eq!(setting(&shown, "listen"), (json!("127.0.0.1:3"), json!("flag")));
    assert_eq!(setting(&shown, "public_url"), (json!("https://variable.example"), json!("variable")));
    assert_eq!(setting(&shown, "keep_logs"), (json!("1d"), json!("file")));
    assert_eq!(setting(&shown, "demo"), (json!("true"), json!("file")));
    assert_eq!(setting(&shown, "stuck_after"), (json!("60s"), json!("default")));
    assert_eq!(setting(&shown, "database").0, json!("postgres://vt@db/vantage"));
    let table = run_vt(VT, &["config", "show", "--config", &path], &[]);
    assert!(text(&table).contains(&format!("keep_logs\t1d\t{path}:3")), "{}", text(&table));
    for said in [text(&shown), text(&table)] {
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_mistake_in_the_file_is_said_with_its_line_and_the_nearest_name_and_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "\npublic-url = \"https://a.example\"\n");
    for command in [vec!["config", "show"], vec!["serve", "--listen", "127.0.0.1:0"]] {
        let data = folder.path().join("data");
        let flags = ["--config", &path, "--data", data.to_str().unwrap()];
        let refused = run_vt(VT, &[&command[..], &flags].concat(), &[]);
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
        let said = text(&refused);
        assert!(said.contains(":2: there is no setting public-url; did you mean public_url?"), "{said}");
        assert!(said.contains("hint: "), "{said}");
        assert!(!data.exists(), "nothing was made");
    }
    let missing = run_vt(VT, &["config", "show", "--config", "/nowhere/vantage.toml"], &[]);
    assert!(text(&missing).contains("cannot read /nowhere/vantage.toml"), "{}", text(&missing));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_goes_by_its_file_and_believes_its_own_proxy_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "allowed_host = [\"vantage.example\"]\ntrusted_proxy = [\"127.0.0.1\"]\nanonymous = \"viewer\"\n",
    );
    let data = folder.path().join("data");
    let server = Process::start(VT, &data, &["--config", &path], &[]);
    let nobody = server.ready().await.anonymous();
    let ask = async |headers: &[(&'static str, &'static str)]| {
        let mut request = nobody.request(reqwest::Method::GET, "/api/v1/overview");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        nobody.send::<Value>(request).await.status
    };
    assert_eq!(ask(&[]).await, 200, "everybody may read");
    assert_eq!(ask(&[("host", "vantage.example")]).await, 200);
    assert_eq!(ask(&[("host", "evil.example")]).await, 403);
    assert_eq!(ask(&[("host", "inner"), ("x-forwarded-host", "vantage.example")]).await, 200);
    assert_eq!(ask(&[("x-forwarded-host", "evil.example")]).await, 403);
    assert!(server.stop().1);
    let server =
        Process::start(VT, &data, &["--allowed-host", "vantage.example", "--anonymous", "viewer"], &[]);
    let nobody = server.ready().await.anonymous();
    let request = nobody.request(reqwest::Method::GET, "/api/v1/overview");
    let request = request.header("host", "inner").header("x-forwarded-host", "vantage.example");
    assert_eq!(nobody.send::<Value>(request).await.status, 403, "nobody is trusted unless named");
}
