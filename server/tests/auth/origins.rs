//! Foreign hosts and foreign pages.

use model::{ErrorCode, Role};
use reqwest::Method;
use testkit::{Client, Response, TestApp, on_both_engines};

use super::{
    matrix::{MATRIX, Row, Sent},
    routes::World,
};

/// Names that are not ours: another, a look-alike in front and behind, another port, none, and one with a dot.
fn foreign_hosts(port: u16) -> [String; 6] {
    [
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        format!("localhost.evil.example:{port}"),
        format!("127.0.0.1:{port}.evil.example"),
        format!("localhost.:{port}"),
    ]
}

/// Pages that are not ours. The last one is a browser that sends none, which only a cookie gives away.
fn foreign_origins(port: u16) -> [Option<String>; 12] {
    [
        format!("http://evil.example:{port}"),
        // Sandboxed frames, files, and redirects across sites.
        "null".to_owned(),
        format!("http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("https://127.0.0.1:{port}"),
        format!("http://console.localhost:{port}"),
        format!("http://127.0.0.1:{port}.evil.test"),
        format!("http://127.0.0.1:{port}@evil.test"),
        // No browser writes it like this.
        format!("HTTP://LOCALHOST:{port}"),
        format!("http://localhost.:{port}"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port} http://evil.test"),
    ]
    .map(Some)
    .into_iter()
    .chain([None])
    .collect::<Vec<_>>()
    .try_into()
    .unwrap()
}

async fn a_foreign_host_name_is_answered_by_nothing_at_all(app: TestApp) {
    let world = World::of(&app).await;
    let (admin, ours) = (app.admin(), app.anonymous().origin);
    let port = app.address.port();
    let mut asked = 0;
    for host in foreign_hosts(port) {
        for row in MATRIX {
            let (status, answer) = row.ask((&app, &world), &admin, Some(&ours), Some(&host)).await;
            assert_eq!(status, 403, "{host}: {}", row.name());
            let _ = answer.unwrap().problem(403, ErrorCode::ForeignOrigin);
            asked += 1;
        }
    }
    println!("{asked} requests to foreign hosts");
    for host in [format!("localhost:{port}"), format!("LOCALHOST:{port}"), format!("[::1]:{port}")] {
        let answer: Response = admin.send(admin.request(Method::GET, "/healthz").header("host", &host)).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    app.stop().await;
}

async fn no_write_and_no_socket_is_taken_from_a_foreign_page(app: TestApp) {
    let world = World::of(&app).await;
    let (_, secret) = app.token("browser", Role::Admin, None).await;
    let browser = app.anonymous().sign_in(&secret).await;
    let before = app.store().read().await.unwrap().envs().await.unwrap();
    let audited = app.admin().read::<Vec<serde_json::Value>>("/api/v1/audit").await;
    let writes: Vec<&Row> = MATRIX.iter().filter(|row| row.is_write()).collect();
    let mut asked = 0;
    for origin in foreign_origins(app.address.port()) {
        // A program with a token sends no origin, and that is fine: no foreign page can send a header of ours.
        let clients: &[Client] = match &origin {
            Some(_) => &[browser.clone(), app.admin(), app.anonymous()],
            None => &[browser.clone(), app.anonymous()],
        };
        for client in clients {
            for row in &writes {
                // Nobody gets a socket either way; who has not signed in is told that first.
                let nobody = client.session.is_none() && client.token.is_none();
                let expected = if nobody && matches!(row.3, Sent::Upgrade) { 401 } else { 403 };
                let (status, answer) = row.ask((&app, &world), client, origin.as_deref(), None).await;
                assert_eq!(status, expected, "{origin:?}: {}", row.name());
                if let Some(answer) = answer {
                    let _ = answer.problem(403, ErrorCode::ForeignOrigin);
                }
                asked += 1;
            }
        }
    }
    println!("{} writes, {asked} requests from foreign pages", writes.len());
    assert_eq!(app.store().read().await.unwrap().envs().await.unwrap(), before);
    assert_eq!(app.admin().read::<Vec<serde_json::Value>>("/api/v1/audit").await, audited);
    // All of that has ended no session.
    let _ = browser.get::<serde_json::Value>("/api/v1/overview").await.good();
    app.stop().await;
}

async fn a_socket_needs_an_origin_from_programs_too(app: TestApp) {
    assert_eq!(app.admin().live_from(None).await.err(), Some(403));
    assert_eq!(app.anonymous().live_from(None).await.err(), Some(401));
}

on_both_engines! {
    a_foreign_host_name_is_answered_by_nothing_at_all,
    no_write_and_no_socket_is_taken_from_a_foreign_page,
    a_socket_needs_an_origin_from_programs_too,
}
