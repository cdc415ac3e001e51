//! Two who change the same thing at once.
#![allow(clippy::unwrap_used)]

use model::Release;
use testkit::{Apply, Fault, TestApp, on_both_engines};

async fn app_files_that_arrive_together_all_become_releases(app: TestApp) {
    let operator = app.operator();
    let files: Vec<Apply> = (0..6)
        .map(|n| {
            Apply::of(&app.manifest("web/prod", n % 3, Fault::Healthy).replace("1s", &format!("{}s", n + 1)))
        })
        .collect();
    let applied = futures::future::join_all(files.iter().map(|file| operator.apply(file))).await;
    let mut generations = Vec::new();
    let mut target = None;
    for answer in applied {
        assert_eq!(answer.status, 202, "{}", answer.text());
        let applied = answer.good();
        generations.push(applied.receipt.unwrap().generation);
        target = Some(applied.release.target);
    }
    generations.sort_unstable();
    assert_eq!(generations, [1, 2, 3, 4, 5, 6], "each is a change of its own, over the one before");
    let path = format!("/api/v1/envs/{}/releases", target.unwrap().env_id);
    let releases: Vec<serde_json::Value> = operator.read(&path).await;
    let mut numbers: Vec<i64> = releases
        .into_iter()
        .map(|row| row.get("release").cloned().unwrap_or(row))
        .map(|release| serde_json::from_value::<Release>(release).unwrap().number)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    app.stop().await;
}

on_both_engines!(app_files_that_arrive_together_all_become_releases);
