//! Every page of the console as a browser without script gets it: it answers, its policy fits it, and text from
//! outside stays text.
#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, time::Duration};

use model::{EnvRef, ObjectKey, Receipt, Verb, Verdict, Wait, object::object_path, plan::Ask};
use serde_json::json;
use testkit::{Apply, Client, Fault, Response, TestApp, on_both_engines, until};

const HOSTILE: &str =
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u{202e}gnp.exe\u{0}\u{1b}[31m</style></title>";

struct World {
    target: EnvRef,
    receipt: Receipt,
    wait: Wait,
    objects: Vec<ObjectKey>,
    source: String,
    browser: Client,
}

/// An app that is stuck, with a receipt, a wait, and hostile words in every place that takes words.
async fn world(app: &TestApp) -> World {
    let operator = app.operator();
    let first = operator.apply_and_converge(&app.manifest("web/prod", 1, Fault::Healthy)).await;
    let target = first.release.target;
    let broken = app.manifest("web/prod", 1, Fault::CrashAtStart);
    let broken = Apply { reason: HOSTILE.to_owned(), ..Apply::of(&broken) };
    let receipt = operator.apply(&broken).await.good().receipt.unwrap();
    app.record(&[HOSTILE]).await;
    let wait = json!({ "object": ObjectKey::env(&target.env_id), "timeout_s": 600 });
    let wait: Wait = operator.post("/api/v1/waits", &wait).await.good();
    let view = operator.has_verdict(&target, Verdict::Stuck, Duration::from_secs(10)).await;
    let instance = view.instances.iter().find_map(|row| row.object.clone()).unwrap();
    let app_key = format!("app:{}", target.app_id).parse().unwrap();
    let objects = vec![instance, app_key, ObjectKey::release(&receipt.plan.intent.release.clone().unwrap())];
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    let page: Response = browser.get("/sources").await.has_status(200);
    let source = page.text().split("/sources/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let source = format!("/sources/{source}");
    World { target, receipt, wait, objects, source, browser }
}

fn paths(world: &World) -> Vec<String> {
    let World { target, receipt, wait, objects, .. } = world;
    let mut paths = vec![
        "/".to_owned(),
        target.path(),
        format!("{}?open=rollback", target.path()),
        format!("{}/releases", target.path()),
        format!("/o/env/{}", target.env_id),
        "/events".to_owned(),
        "/events?outcome=failed&q=alert".to_owned(),
        "/receipts".to_owned(),
        receipt.path(),
        "/waits".to_owned(),
        wait.path(),
        "/sources".to_owned(),
        world.source.clone(),
        "/audit".to_owned(),
        "/audit?verb=apply&result=accepted".to_owned(),
        "/settings".to_owned(),
        "/doctor".to_owned(),
        "/help/keys".to_owned(),
        "/codes".to_owned(),
        "/api".to_owned(),
        "/search".to_owned(),
        "/search?q=web".to_owned(),
        format!("/search?q={}", receipt.trace_id),
    ];
    paths.extend(objects.iter().map(|key| format!("/o/{}/{}", key.kind().as_str(), key.id())));
    let plans = Verb::ALL.iter().filter(|verb| **verb != Verb::Deploy);
    paths.extend(plans.map(|verb| format!("/actions/{}/plan?env={}", verb.as_str(), target.env_id)));
    let release = &world.receipt.plan.intent.release;
    let release = release.as_ref().unwrap();
    paths.push(format!("/actions/deploy/plan?env={}&release={release}", target.env_id));
    paths
}

/// The policy allows what the page has, and nothing else.
fn is_a_sound_page(page: &Response, path: &str) {
    let html = page.text();
    assert!(page.header("content-type").starts_with("text/html"), "{path}");
    assert_eq!(html.matches("<h1").count(), 1, "{path}: one heading");
    assert_eq!(page.header("cache-control"), "private, no-cache", "{path}");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{path}: {part} is missing in {policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
    let nonce = policy.split_once("'nonce-").and_then(|(_, rest)| rest.split('\'').next()).unwrap();
    for script in html.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        if tag.contains("type=\"application/json\"") {
            continue; // Data is not run.
        }
        assert!(
            tag.contains(&format!("nonce=\"{nonce}\"")),
            "{path}: a script without the nonce: {tag:.200}"
        );
    }
    assert!(
        !html.contains(" style=\"") && !html.contains("<style"),
        "{path}: the policy forbids inline styles"
    );
    let lower = html.to_lowercase();
    assert!(!lower.contains(" onclick=") && !lower.contains("javascript:"), "{path}: inline script");
}

/// Hostile text is there to be read, and does nothing.
fn is_inert(page: &Response, path: &str) {
    let html = page.text();
    for live in ["<script>alert", "<img src=x", "</style></title>"] {
        assert!(!html.contains(live), "{path}: {live} is markup");
    }
    // In data for islands, and in a field that gives a query back, it may stand as it is; as a part of the page it
    // would turn what follows around.
    for (name, c) in [("right-to-left override", '\u{202e}'), ("escape", '\u{1b}'), ("NUL", '\u{0}')] {
        let text = outside_of_data(html);
        let at = text.find(c).map(|at| text.get(at.saturating_sub(200)..at));
        assert!(at.is_none(), "{path}: a raw {name} after {at:?}");
    }
}

/// A page without its JSON and without the values of its fields.
fn outside_of_data(html: &str) -> String {
    let without = |html: &str, begin: &str, end: &str| {
        let mut pieces = html.split(begin);
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |text, piece| text + piece.split_once(end).map_or("", |(_, rest)| rest))
    };
    without(&without(html, "<script", "</script>"), " value=\"", "\"")
}

async fn every_page_answers_with_its_heading_and_a_policy_that_fits_it(app: TestApp) {
    let world = world(&app).await;
    for path in paths(&world) {
        let page: Response = world.browser.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {:.2000}", page.text());
        is_a_sound_page(&page, &path);
        is_inert(&page, &path);
    }
    let sign_in: Response = app.anonymous().get("/sign-in").await.has_status(200);
    is_a_sound_page(&sign_in, "/sign-in");
    app.stop().await;
}

async fn hostile_words_are_shown_as_words(app: TestApp) {
    let world = world(&app).await;
    for path in ["/events", &world.receipt.path()] {
        let page: Response = world.browser.get(path).await.has_status(200);
        assert!(page.text().contains("&lt;script&gt;alert(1)"), "{path}: the words are not there to be read");
        assert!(page.text().contains("U+202E"), "{path}: the mark that turns the direction is not named");
        is_inert(&page, path);
    }
    let marks = "%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE";
    for path in [
        format!("/events?q={marks}"),
        format!("/search?q={marks}"),
        format!("/audit?actor={marks}&{marks}=1"),
        format!("/sources/{marks}"),
        format!("/events?surprise={marks}"),
        format!("/events?sel={marks}"),
        format!("/?at={marks}"),
        format!("/o/{marks}/{marks}"),
        format!("/a/{marks}/{marks}"),
        format!("/receipts/{marks}"),
        format!("/waits/{marks}"),
        format!("/{marks}"),
        format!("/actions/{marks}/plan"),
        format!("/actions/stop/plan?env={marks}"),
        format!("/sign-in?return_to={marks}&link={marks}"),
    ] {
        for client in [&world.browser, &app.anonymous()] {
            let page: Response = client.get(&path).await;
            assert!(page.status < 500, "{path}: {}", page.status);
            is_inert(&page, &path);
        }
    }
    app.stop().await;
}

async fn pages_that_do_not_exist_say_so_as_pages(app: TestApp) {
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    for (path, status) in [
        ("/nothing", 404),
        ("/a/web/prod", 404),
        ("/o/instance/ins_x", 404),
        ("/o/non sense/x", 404),
        ("/receipts/rc_x", 404),
        ("/waits/x", 404),
        ("/actions/explode/plan?env=env_x", 404),
        ("/actions/stop/plan?env=env_x", 404),
        ("/actions/scale/plan?env=env_x&instances=many", 400),
        ("/?at=2020-01-01T00:00:00Z", 400),
    ] {
        let page: Response = browser.get(path).await;
        assert_eq!(page.status, status, "{path}: {:.500}", page.text());
        is_a_sound_page(&page, path);
    }
}

async fn every_page_of_the_overview_begins_with_the_verdict_of_all_app_envs(app: TestApp) {
    let world = world(&app).await;
    for path in ["/", "/?view=grid", "/?show=attention", "/?show=motion", "/?show=quiet"] {
        let page: Response = world.browser.get(path).await.has_status(200);
        let heading = page.text().split("<h1").nth(1).and_then(|rest| rest.split('>').next()).unwrap();
        assert!(heading.contains("data-verdict=\"stuck\""), "{path}: {heading}");
    }
    app.stop().await;
}

async fn names_in_paths_lead_to_the_page_of_the_id(app: TestApp) {
    let applied = app.operator().apply(&Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await.good();
    let target = applied.release.target;
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    let answer: Response = browser.get("/a/web/prod?from=-1h").await.has_status(308);
    assert_eq!(answer.header("location"), format!("{}?from=-1h", target.path()));
    let wrong_slug = format!("/a/{}~old/{}~name", target.app_id, target.env_id);
    let answer: Response = browser.get(&wrong_slug).await.has_status(308);
    assert_eq!(answer.header("location"), target.path());
}

async fn a_viewers_page_shows_what_is_forbidden_and_why(app: TestApp) {
    let applied = app.operator().apply_and_converge(&app.manifest("web/prod", 1, Fault::Healthy)).await;
    let target = applied.release.target;
    let (_, secret) = app.token("reader", model::Role::Viewer, None).await;
    let reader = app.anonymous().sign_in(&secret).await;
    let path = format!("/actions/restart/plan?env={}", target.env_id);
    let page: Response = reader.get(&path).await.has_status(200);
    assert!(page.text().contains("needs the operator role"), "the plan does not say what it takes");
    let plan = reader.plan(&target, Verb::Restart, &Ask::default()).await.good();
    let fields = [
        ("env", target.env_id.as_str()),
        ("generation", &plan.expected_generation.to_string()),
        ("plan_hash", &plan.hash),
        ("idempotency_key", "k"),
        ("form_token", &reader.form_token),
    ];
    let answer = reader.form("/actions/restart", &fields).await;
    assert_eq!(answer.status, 403, "{:.500}", answer.text());
    until("the refusal in the audit log", Duration::from_secs(2), || async {
        let rows: Vec<serde_json::Value> = app.admin().read("/api/v1/audit").await;
        if rows.iter().any(|row| row["actor"] == "reader" && row["action"] == "restart") {
            Ok(())
        } else {
            Err(rows)
        }
    })
    .await;
    app.stop().await;
}

async fn the_audit_log_is_for_operators_and_can_be_taken_along(app: TestApp) {
    let broken = app.manifest("web/prod", 0, Fault::Healthy);
    let _ = app.operator().apply(&Apply { reason: "=cmd()".to_owned(), ..Apply::of(&broken) }).await.good();
    let (_, secret) = app.token("reader", model::Role::Viewer, None).await;
    let reader = app.anonymous().sign_in(&secret).await;
    for path in ["/audit", "/audit.csv", "/audit.json"] {
        let page: Response = reader.get(path).await.has_status(403);
        is_a_sound_page(&page, path);
        assert!(page.text().contains("These have it") && page.text().contains("admin"), "{path}");
    }
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    let csv: Response = browser.get("/audit.csv?result=accepted").await.has_status(200);
    assert!(csv.header("content-disposition").contains("vantage-audit.csv"));
    let (head, rows) = csv.text().split_once("\r\n").unwrap();
    assert!(head.starts_with("seq,time,actor") && rows.contains(",web/prod,accepted,\"'=cmd()\""), "{rows}");
    let rows: Vec<model::audit::AuditLine> = browser.read("/audit.json?target=web/prod").await;
    assert_eq!(rows[0].reason, "=cmd()");
    let _: Response = browser.get("/audit.csv?actr=mira").await.has_status(400);
    let api: Vec<model::audit::AuditLine> = app.admin().read("/api/v1/audit?target=web/prod").await;
    assert_eq!(api, rows);
    app.stop().await;
}

async fn a_search_finds_ids_first_and_says_when_there_is_nothing(app: TestApp) {
    let receipt = app.operator().apply(&Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await.good();
    let receipt = receipt.receipt.unwrap();
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    for (q, group, href) in [
        (receipt.id.to_string(), "Exact id", receipt.path()),
        (receipt.target.env_id.to_string(), "Exact id", object_path(&ObjectKey::env(&receipt.target.env_id))),
        (receipt.trace_id.to_string(), "Exact trace id", receipt.path()),
        ("eb/pr".to_owned(), "App-envs", object_path(&ObjectKey::env(&receipt.target.env_id))),
        ("stale_gen".to_owned(), "Error codes", "/codes#stale_generation".to_owned()),
        ("doct".to_owned(), "Pages", "/doctor".to_owned()),
    ] {
        let found = || async {
            let found: model::search::Found = app.viewer().read(&format!("/api/v1/search?q={q}")).await;
            let first = found.hits.first().map(|hit| (hit.group.clone(), hit.href.clone()));
            if first == Some((group.to_owned(), href.clone())) { Ok(()) } else { Err(found) }
        };
        until(&q, Duration::from_secs(5), found).await;
        let page: Response = browser.get(&format!("/search?q={q}")).await.has_status(200);
        assert!(page.text().contains(&format!("href=\"{href}\"")), "{q}");
    }
    let page: Response = browser.get("/search?q=zzz").await.has_status(200);
    assert!(page.text().contains("Nothing has this name or id that you may see."));
    app.stop().await;
}

async fn receipts_continue_on_pages_of_older_ones(app: TestApp) {
    let operator = app.operator();
    for n in 0..205 {
        let _ =
            operator.apply(&Apply::of(&app.manifest(&format!("web/e{n}"), 0, Fault::Healthy))).await.good();
    }
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    let (mut path, mut found) = ("/receipts".to_owned(), BTreeSet::new());
    for heading in ["The newest receipts ·", "Older receipts ·"] {
        let page: Response = browser.get(&path).await.has_status(200);
        is_a_sound_page(&page, &path);
        assert!(page.text().contains(heading), "{path}");
        let rows = page.text().split("<th scope=\"row\"").skip(1);
        found.extend(
            rows.filter_map(|row| row.split_once("/receipts/")?.1.split('"').next()).map(str::to_owned),
        );
        let tags = page.text().split("<a ").filter_map(|rest| rest.split('>').next());
        let next =
            tags.filter(|tag| tag.contains("rel=\"next\"")).find_map(|tag| tag.split("href=\"").nth(1));
        path = next.and_then(|href| href.split('"').next()).unwrap_or_default().to_owned();
    }
    assert_eq!((path.as_str(), found.len()), ("", 205));
    let last: Vec<Receipt> = operator.read("/api/v1/receipts?limit=1000").await;
    let page: Response = browser.get(&format!("/receipts?after={}", last.last().unwrap().id)).await;
    assert!(page.text().contains("There are no older receipts."));
    for list in ["receipts", "waits"] {
        let strange: Response = browser.get(&format!("/{list}?after=ev_1")).await.has_status(400);
        assert!(strange.text().contains("ev_1 names no row of this list"), "{list}");
    }
    app.stop().await;
}

async fn a_session_that_has_ended_says_so_and_comes_back(app: TestApp) {
    let page: Response = app.anonymous().with_session("ended").get("/doctor?x=1").await.has_status(401);
    assert!(page.text().contains("Your session has ended"), "{:.500}", page.text());
    assert!(page.text().contains("value=\"/doctor?x=1\""));
    let page: Response = app.anonymous().get("/doctor").await.has_status(401);
    assert!(!page.text().contains("Your session has ended"));
    app.stop().await;
}

async fn what_one_person_chose_is_right_in_the_first_byte(app: TestApp) {
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    let chosen =
        [("theme", "dark"), ("keys", "off"), ("motion", "none"), ("times", "local"), ("density", "x")];
    let answer: Response = browser.form("/settings", &chosen).await.has_status(303);
    let cookies =
        answer.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(cookies.len(), 4, "an unknown value is not stored: {cookies:?}");
    let line = cookies.iter().map(|c| c.split(';').next().unwrap()).collect::<Vec<_>>().join("; ");
    let request = browser.request(reqwest::Method::GET, "/settings").header("cookie", line);
    let page: Response = app.anonymous().send(request).await;
    for part in ["data-theme=\"dark\"", "data-keys=\"off\"", "data-motion=\"none\"", "data-times=\"local\""] {
        assert!(page.text().contains(part), "{part}: {:.400}", page.text());
    }
}

on_both_engines! {
    every_page_answers_with_its_heading_and_a_policy_that_fits_it,
    hostile_words_are_shown_as_words,
    pages_that_do_not_exist_say_so_as_pages,
    every_page_of_the_overview_begins_with_the_verdict_of_all_app_envs,
    names_in_paths_lead_to_the_page_of_the_id,
    a_viewers_page_shows_what_is_forbidden_and_why,
    the_audit_log_is_for_operators_and_can_be_taken_along,
    a_search_finds_ids_first_and_says_when_there_is_nothing,
    receipts_continue_on_pages_of_older_ones,
    a_session_that_has_ended_says_so_and_comes_back,
    what_one_person_chose_is_right_in_the_first_byte,
}
