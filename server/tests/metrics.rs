//! `/metrics`: what happened is counted, for whoever may read.
#![allow(clippy::unwrap_used)]

use reqwest::Method;
use serde_json::json;
use testkit::{Response, TestApp, on_both_engines};

/// The value of one line.
async fn value(app: &TestApp, line: &str) -> f64 {
    let page: Response = app.viewer().get("/metrics").await.has_status(200);
    assert!(page.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = page.text();
    let found = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("{line} is missing in\n{text}")).parse().unwrap()
}

async fn what_happened_is_counted(app: TestApp) {
    let admin = app.admin();
    let of = |route: &str, status: u16| {
        format!("vantage_http_requests_total{{route=\"{route}\",method=\"GET\",status=\"{status}\"}}")
    };
    let head = app.store().head().0;
    for _ in 0..3 {
        let _: Response = admin.get("/api/v1/receipts/rc_nope").await.has_status(404);
        let _: Response = admin.get("/nothing/of/ours").await.has_status(404);
    }
    assert!((value(&app, &of("/api/v1/receipts/{id}", 404)).await - 3.0).abs() < 0.1);
    assert!((value(&app, &of("none", 404)).await - 3.0).abs() < 0.1);
    let _: Response = admin.write(Method::PUT, "/api/v1/sources/edge", &json!({})).await.has_status(200);
    let lines = "{\"type\":\"object\",\"kind\":\"machine\",\"id\":\"m\"}\n{\"type\":\"nonsense\"}\n";
    let request = admin.request(Method::POST, "/api/v1/sources/edge/observations").body(lines);
    let _: Response = admin.send(request).await.has_status(200);
    for (result, n) in [("stored", 1.0), ("refused", 1.0), ("duplicate", 0.0)] {
        let line = format!("vantage_observation_lines_total{{result=\"{result}\"}}");
        assert!((value(&app, &line).await - n).abs() < 0.1, "{result}");
    }
    assert!(value(&app, "vantage_sockets_open").await < 0.1);
    let socket = admin.live().await;
    assert!((value(&app, "vantage_sockets_open").await - 1.0).abs() < 0.1);
    drop(socket);
    assert!(value(&app, "vantage_journal_head").await > head as f64);
    for of in ["read", "write"] {
        let line = format!("vantage_store_seconds_count{{of=\"{of}\"}}");
        let (count, all) =
            (value(&app, &line).await, format!("vantage_store_seconds_bucket{{of=\"{of}\",le=\"+Inf\"}}"));
        assert!(count > 0.0 && value(&app, &all).await >= count, "{of}");
    }
    let passes = "vantage_reconciler_passes_total{reconciler=\"verdicts\"}";
    assert!(value(&app, passes).await > 0.0);
    app.stop().await;
}

on_both_engines! { what_happened_is_counted }
