//! How many events a second are recorded, durably, in batches of 1,000. Run by hand:
//! `cargo test --release -p store --test speed -- --ignored --nocapture`.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::time::Instant;

use model::{NewEvent, fixtures::NOON};
use place::{Place, batch, event, new_event};

#[path = "support/place.rs"]
#[allow(dead_code)]
pub mod place;

async fn measure(place: Place) {
    let store = place.ready().await;
    let n_batches = 50;
    let mut took = std::time::Duration::ZERO;
    for n in 0..n_batches {
        let events = (0..1000)
            .map(|i| {
                event(NewEvent {
                    reason: "Exited".into(),
                    message: format!("exit code 1, attempt {i} of the process that serves checkout"),
                    dedupe: Some(format!("{n}-{i}")),
                    ..new_event(NOON, &format!("ins_{}", i % 50))
                })
            })
            .collect();
        let started = Instant::now();
        assert_eq!(store.ingest(vec![batch(NOON, events)]).await.unwrap().events.len(), 1000);
        took += started.elapsed();
    }
    println!("{:.0} events/s", f64::from(n_batches) * 1000.0 / took.as_secs_f64());
}

#[tokio::test]
#[ignore = "a measurement"]
async fn events_per_second_on_sqlite() {
    measure(Place::sqlite()).await;
}

#[tokio::test]
#[ignore = "a measurement"]
async fn events_per_second_on_postgres() {
    if let Some(place) = Place::postgres().await {
        measure(place).await;
    }
}
