//! The clock of the machine jumps back by an hour, and forward again.

use std::path::Path;

use serde_json::Value;
use testkit::{Process, Response};

use super::{VT, converged, deploy, in_order};

/// Debian's place for it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_back_an_hour_leaves_the_journal_in_order_and_work_goes_on() {
    if !Path::new(FAKETIME).exists() {
        println!("skipped: libfaketime is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (data, clock) = (folder.path().join("data"), folder.path().join("clock"));
    std::fs::write(&clock, "+0").unwrap();
    let variables = [
        ("LD_PRELOAD", FAKETIME),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        // Only the wall clock jumps; time-outs go on.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let server = Process::start(VT, &data, &[], &variables);
    let admin = server.ready().await.admin();
    let date = async || admin.get::<Value>("/api/v1/overview").await.header("date").to_owned();
    assert_eq!(deploy(&admin, 1).await.status, 202);
    converged(&server, 1).await;
    let before = date().await;
    for (turn, offset) in [(2, "-1h"), (3, "+0")] {
        std::fs::write(&clock, offset).unwrap();
        let answer = deploy(&admin, turn).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        converged(&server, turn).await;
        let ready: Response = admin.get("/readyz").await;
        assert_eq!(ready.status, 200, "{}", ready.text());
        let events: Value = admin.read("/api/v1/events?limit=5").await;
        assert!(events.to_string().contains("seq"), "{events}");
    }
    assert_ne!(before, "", "answers carry their time");
    assert!(server.stop().1);
    in_order(&data.join("vantage.db"));
}
