//! Foreign hosts and foreign pages.

use model::{ErrorCode, Role};
use reqwest::Method;
use testkit::{Response, TestApp, on_both_engines};

use super::routes::{deployed, documented};

async fn a_foreign_host_name_is_answered_by_nothing_at_all(app: TestApp) {
    let admin = app.admin();
    let port = app.address.port();
    let rebound = format!("evil.example:{port}");
    for host in ["evil.example", &rebound, "127.0.0.1", "localhost.evil.example", "127.0.0.1:1"] {
        for path in ["/", "/healthz", "/sign-in", "/api/v1/overview", "/live", "/assets/main.css"] {
            let answer: Response = admin.send(admin.request(Method::GET, path).header("host", host)).await;
            assert_eq!(answer.status, 403, "{host} {path}: {}", answer.text());
            let _ = answer.problem(403, ErrorCode::ForeignOrigin);
        }
    }
    for host in [format!("localhost:{port}"), format!("LOCALHOST:{port}"), format!("[::1]:{port}")] {
        let answer: Response = admin.send(admin.request(Method::GET, "/healthz").header("host", &host)).await;
        assert_eq!(answer.status, 200, "{host}");
    }
}

/// Pages that are not ours: another host, another port, another scheme, nobody, and look-alikes.
fn foreign(port: u16) -> [String; 6] {
    [
        "https://evil.example".to_owned(),
        "http://127.0.0.1:1".to_owned(),
        format!("https://127.0.0.1:{port}"),
        "null".to_owned(),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://evil.example#127.0.0.1:{port}"),
    ]
}

async fn no_write_and_no_socket_is_taken_from_a_foreign_page(app: TestApp) {
    let routes = documented(&app, &deployed(&app).await).await;
    let (_, secret) = app.token("browser", Role::Admin, None).await;
    let browser = app.anonymous().sign_in(&secret).await;
    let before = app.store().read().await.unwrap().envs().await.unwrap();
    for origin in foreign(app.address.port()) {
        for client in [&browser, &app.admin()] {
            for route in routes.iter().filter(|route| route.method != Method::GET) {
                let request = client.request(route.method.clone(), &route.path).header("origin", &origin);
                let answer: Response = client.send(request.header("idempotency-key", "k").body("{}")).await;
                assert_eq!(answer.status, 403, "{origin} {} {}: {}", route.method, route.name, answer.text());
                let _ = answer.problem(403, ErrorCode::ForeignOrigin);
            }
            assert_eq!(client.live_from(Some(&origin)).await.err(), Some(403), "{origin} opened a socket");
        }
        for path in [
            "/sign-in",
            "/sign-out",
            "/settings",
            "/actions/stop",
            "/receipts/rc_x/check",
            "/waits/wt_x/stop",
        ] {
            let fields = [("form_token", browser.form_token.as_str())];
            let answer = browser.form_from(path, Some(&origin), &fields).await;
            let _ = answer.problem(403, ErrorCode::ForeignOrigin);
        }
    }
    assert_eq!(app.store().read().await.unwrap().envs().await.unwrap(), before);
    // All of that has ended no session.
    let _ = browser.get::<serde_json::Value>("/api/v1/overview").await.good();
}

async fn a_write_with_a_cookie_and_without_an_origin_is_refused(app: TestApp) {
    let routes = documented(&app, &deployed(&app).await).await;
    let browser = app.anonymous().sign_in(app.admin_token()).await;
    for path in ["/sign-out", "/settings", "/actions/stop", "/waits/wt_x/extend"] {
        let fields = [("form_token", browser.form_token.as_str())];
        let _ = browser.form_from(path, None, &fields).await.problem(403, ErrorCode::ForeignOrigin);
    }
    for route in routes.iter().filter(|route| route.method != Method::GET) {
        let request = browser.request(route.method.clone(), &route.path).header("idempotency-key", "k");
        let answer: Response = browser.send(request.body("{}")).await;
        let _ = answer.problem(403, ErrorCode::ForeignOrigin);
    }
    assert_eq!(browser.live_from(None).await.err(), Some(403));
    assert_eq!(app.admin().live_from(None).await.err(), Some(403));
}

async fn nobody_opens_a_socket_without_signing_in(app: TestApp) {
    let nobody = app.anonymous();
    let origin = nobody.origin.clone();
    assert_eq!(nobody.live_from(Some(&origin)).await.err(), Some(401));
    assert_eq!(nobody.with_token("vt_no").live_from(Some(&origin)).await.err(), Some(401));
}

on_both_engines! {
    a_foreign_host_name_is_answered_by_nothing_at_all,
    no_write_and_no_socket_is_taken_from_a_foreign_page,
    a_write_with_a_cookie_and_without_an_origin_is_refused,
    nobody_opens_a_socket_without_signing_in,
}
