//! Sessions and the plain forms that need one.

use model::{Plan, Role, Span, Verb, Verdict, plan::Ask};
use testkit::{Client, Fault, Response, TestApp, on_both_engines};

/// The fields of a confirm form.
fn confirm(plan: &Plan, key: &str, form_token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("env", plan.target.env_id.to_string()),
        ("generation", plan.expected_generation.to_string()),
        ("plan_hash", plan.hash.clone()),
        ("idempotency_key", key.to_owned()),
        ("form_token", form_token.to_owned()),
        ("reason", "a test".to_owned()),
    ]
}

async fn submit(client: &Client, verb: Verb, fields: &[(&'static str, String)]) -> Response {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    client.form(&format!("/actions/{}", verb.as_str()), &fields).await
}

async fn a_form_without_the_sessions_own_token_writes_nothing(app: TestApp) {
    let applied =
        app.operator().apply(&testkit::Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await.good();
    let target = applied.release.target;
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    let other = app.anonymous().sign_in(app.admin_token()).await;
    let plan = app.admin().plan(&target, Verb::Restart, &Ask::default()).await.good();
    let before = app.store().read().await.unwrap().envs().await.unwrap();
    for token in ["", "x", &other.form_token] {
        let answer = submit(&browser, Verb::Restart, &confirm(&plan, "k", token)).await;
        assert_eq!(answer.status, 403, "{}", answer.text());
        let answer = browser.form("/sign-out", &[("form_token", token)]).await;
        assert_eq!(answer.status, 403);
    }
    assert_eq!(app.store().read().await.unwrap().envs().await.unwrap(), before);

    let answer =
        submit(&browser, Verb::Restart, &confirm(&plan, "k", &browser.form_token)).await.has_status(303);
    assert!(answer.header("location").starts_with("/receipts/rc_"), "{}", answer.header("location"));
    let after = app.store().read().await.unwrap().envs().await.unwrap();
    assert_eq!(after[0].generation, before[0].generation + 1);
    assert_eq!(after[0].changed_by, "admin");
}

async fn a_delete_form_needs_the_typed_name(app: TestApp) {
    let operator = app.operator();
    let applied =
        operator.apply(&testkit::Apply::of(&app.manifest("web/prod", 0, Fault::Healthy))).await.good();
    let target = applied.release.target;
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    let _ = operator.has_verdict(&target, Verdict::Idle, std::time::Duration::from_secs(10)).await;
    for typed in ["", "web/pro", "WEB/PROD"] {
        let plan = app.admin().plan(&target, Verb::Delete, &Ask::default()).await.good();
        let mut fields = confirm(&plan, "k", &browser.form_token);
        fields.push(("typed", typed.to_owned()));
        assert_eq!(submit(&browser, Verb::Delete, &fields).await.status, 409, "{typed:?}");
    }
    let plan = app.admin().plan(&target, Verb::Delete, &Ask::default()).await.good();
    let mut fields = confirm(&plan, "k", &browser.form_token);
    fields.push(("typed", "web/prod".to_owned()));
    let _ = submit(&browser, Verb::Delete, &fields).await.has_status(303);
}

async fn the_sign_in_link_works_once_and_opening_it_uses_nothing_up(app: TestApp) {
    let nobody = app.anonymous();
    let (path, link) = (app.sign_in_link().strip_prefix(&nobody.origin).unwrap(), app.sign_in_link());
    let link = link.split_once("link=").unwrap().1;
    for _ in 0..3 {
        let page: Response = nobody.get(path).await.has_status(200);
        assert!(page.text().contains("one-time link"));
        assert_eq!(page.header("set-cookie"), "");
    }
    let answer = nobody.form("/sign-in", &[("link", link)]).await.has_status(303);
    let browser = nobody.with_cookie_of(&answer).await;
    let _ = browser.get::<serde_json::Value>("/api/v1/tokens").await.good();
    let again = nobody.form("/sign-in", &[("link", link)]).await.has_status(401);
    assert_eq!(again.header("set-cookie"), "");
    let wrong = nobody.form("/sign-in", &[("token", "vt_wrong")]).await.has_status(401);
    assert_eq!(wrong.header("set-cookie"), "");
}

async fn signing_out_ends_the_session_and_no_other(app: TestApp) {
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    let other = app.anonymous().sign_in(app.admin_token()).await;
    let answer = browser.form("/sign-out", &[("form_token", &browser.form_token)]).await.has_status(303);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    browser.is_turned_away().await;
    let _ = other.get::<serde_json::Value>("/api/v1/overview").await.good();
}

async fn a_revoked_token_takes_its_sessions_along(app: TestApp) {
    let (id, secret) = app.token("guest", Role::Viewer, None).await;
    let browser = app.anonymous().sign_in(&secret).await;
    let _ = browser.get::<serde_json::Value>("/api/v1/overview").await.good();
    app.admin().revoke(&id).await;
    browser.is_turned_away().await;
    app.anonymous().with_token(&secret).is_turned_away().await;
    let again = app.anonymous().form("/sign-in", &[("token", &secret)]).await;
    assert_eq!(again.status, 401);
    let rows: Vec<serde_json::Value> = app.admin().read("/api/v1/audit").await;
    assert!(rows.iter().any(|row| row["action"] == "token.revoke" && row["target"] == id.as_str()));
}

async fn a_session_outlives_neither_its_day_nor_its_token(app: TestApp) {
    let now = app.state().now();
    for (name, ends, at_most) in [
        ("short", Some(now + Span::seconds(60)), 60),
        ("long", Some(now + Span::minutes(7 * 24 * 60)), 12 * 3600),
        ("endless", None, 12 * 3600),
    ] {
        let (_, secret) = app.token(name, Role::Viewer, ends).await;
        let answer = app.anonymous().form("/sign-in", &[("token", &secret)]).await.has_status(303);
        let cookie = answer.header("set-cookie");
        let age = cookie.split("Max-Age=").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
        let age: i64 = age.parse().unwrap();
        assert!((at_most - 30..=at_most).contains(&age), "{name}: {age} s");
        let value = cookie.split('=').nth(1).and_then(|rest| rest.split(';').next()).unwrap();
        let hash = server::secret::hash(value);
        let session = app.store().session_by_hash(&hash, now).await.unwrap().unwrap();
        assert_eq!((session.expires_at - session.created_at).as_seconds(), age, "{name}");
        let after = session.expires_at + Span::seconds(1);
        assert!(app.store().session_by_hash(&hash, after).await.unwrap().is_none(), "{name}");
    }
}

async fn pages_without_a_session_answer_401_with_the_form_that_leads_back(app: TestApp) {
    for path in [
        "/",
        "/events?q=x",
        "/receipts",
        "/waits",
        "/a/web/prod",
        "/o/env/env_x",
        "/actions/stop/plan?env=env_x",
    ] {
        let page: Response = app.anonymous().get(path).await.has_status(401);
        assert!(page.text().contains("action=\"/sign-in\""), "{path}: no form");
        let back = path.replace('&', "&amp;");
        assert!(page.text().contains(&format!("value=\"{back}\"")), "{path}: the form does not lead back");
    }
    for (path, fields) in [("/actions/stop", vec![("form_token", "x")]), ("/sign-out", vec![])] {
        assert_eq!(app.anonymous().form(path, &fields).await.status, 401, "{path}");
    }
}

async fn signing_in_leads_to_our_own_pages_only(app: TestApp) {
    let secret = app.admin_token();
    for (asked, led_to) in [
        ("/events?q=a%20b", "/events?q=a%20b"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\tevil", "/"),
        ("\r\nx: y", "/"),
    ] {
        let fields = [("token", secret), ("return_to", asked)];
        let answer = app.anonymous().form("/sign-in", &fields).await.has_status(303);
        assert_eq!(answer.header("location"), led_to, "{asked:?}");
        let browser = app.anonymous();
        let answer =
            browser.form("/settings", &[("theme", "dark"), ("return_to", asked)]).await.has_status(303);
        assert_eq!(answer.header("location"), led_to, "{asked:?}");
    }
}

on_both_engines! {
    a_form_without_the_sessions_own_token_writes_nothing,
    a_delete_form_needs_the_typed_name,
    the_sign_in_link_works_once_and_opening_it_uses_nothing_up,
    signing_out_ends_the_session_and_no_other,
    a_revoked_token_takes_its_sessions_along,
    a_session_outlives_neither_its_day_nor_its_token,
    pages_without_a_session_answer_401_with_the_form_that_leads_back,
    signing_in_leads_to_our_own_pages_only,
}
