//! Forgetting what is old, in small steps.

use model::{
    ConditionStatus, EventFilter, Observation, Span,
    fixtures::{self, NOON},
    observation::NewLogLine,
};
use serde_json::json;
use store::{Cutoffs, LogFilter};

use crate::place::{Place, batch, event, new_event, object, seen};

crate::on_both_engines!(
    old_events_go_in_steps_and_the_store_says_since_when_it_is_complete,
    log_lines_are_bounded_by_age_and_for_each_object,
    versions_and_segments_go_and_what_is_kept_can_still_be_read,
    keys_sessions_and_links_end,
);

async fn old_events_go_in_steps_and_the_store_says_since_when_it_is_complete(place: Place) {
    let store = place.ready().await;
    for _ in 0..5 {
        let now = place.pass(1);
        store
            .ingest(vec![batch(now, vec![event(new_event(now, "a")), event(new_event(now, "a"))])])
            .await
            .unwrap();
    }
    let cutoff = NOON + Span::seconds(4);
    let cutoffs = Cutoffs { events: Some(cutoff), limit: 4, ..Cutoffs::default() };
    let head = store.head();
    assert_eq!(store.retention(&cutoffs).await.unwrap().events, 4);
    assert_eq!(store.retention(&cutoffs).await.unwrap().events, 2);
    assert_eq!(store.retention(&cutoffs).await.unwrap().total(), 0);
    let mut reader = store.read().await.unwrap();
    assert_eq!((reader.as_of(), store.head()), (head, head));
    let left = reader.events(&EventFilter::default(), None, 99).await.unwrap();
    assert!(left.len() == 4 && left.iter().all(|event| event.recorded_at >= cutoff));
    assert_eq!(reader.recorded_since().await.unwrap(), cutoff);
    assert_eq!(reader.seq_at(cutoff - Span::seconds(1)).await.unwrap(), None);
    // Numbers go on where they were.
    let next =
        store.ingest(vec![batch(place.now(), vec![event(new_event(NOON, "a"))])]).await.unwrap().events;
    assert_eq!(next[0].0, head.0 + 1);
}

async fn log_lines_are_bounded_by_age_and_for_each_object(place: Place) {
    let store = place.ready().await;
    let line = |n: i64, id: &str| {
        Observation::Log(NewLogLine {
            at: NOON + Span::seconds(n),
            object: fixtures::object("instance", id).key,
            app: None,
            env: None,
            stream: "vt".into(),
            line: n.to_string(),
        })
    };
    let lines = (0..8).map(|n| line(n, if n == 3 { "b" } else { "a" })).collect();
    store.ingest(vec![batch(NOON, lines)]).await.unwrap();
    let cutoffs = Cutoffs {
        logs: Some(NOON + Span::seconds(2)),
        log_lines_per_object: Some(3),
        limit: 100,
        ..Cutoffs::default()
    };
    assert_eq!(store.retention(&cutoffs).await.unwrap().logs, 4);
    let left =
        store.read().await.unwrap().logs(&LogFilter { limit: 9, ..LogFilter::default() }).await.unwrap();
    assert_eq!(left.iter().map(|line| line.line.as_str()).collect::<String>(), "3567");
}

async fn versions_and_segments_go_and_what_is_kept_can_still_be_read(place: Place) {
    let store = place.ready().await;
    let key = fixtures::object("instance", "a").key;
    let mut expected = vec![];
    for n in 0..40 {
        let now = place.pass(1);
        let status = ConditionStatus::ALL[n % 2];
        let condition = model::Condition { since: now, ..fixtures::condition("Ready", status, "") };
        let mut report = seen("a", vec![condition]);
        report.current.insert("n".into(), json!(n));
        store.ingest(vec![batch(now, vec![object(report)])]).await.unwrap();
        expected.push((store.head(), now, store.read().await.unwrap().object(&key).await.unwrap()));
    }
    let cutoff = NOON + Span::seconds(21);
    let cutoffs = Cutoffs { versions: Some(cutoff), segments: Some(cutoff), limit: 7, ..Cutoffs::default() };
    let (mut n_versions, mut n_segments) = (0, 0);
    loop {
        let step = store.retention(&cutoffs).await.unwrap();
        assert!(step.versions <= 7 && step.segments <= 14);
        (n_versions, n_segments) = (n_versions + step.versions, n_segments + step.segments);
        if step.total() == 0 {
            break;
        }
    }
    assert_eq!((n_versions, n_segments), (16, 19));
    let mut reader = store.read().await.unwrap();
    for (seq, _, object) in expected.iter().filter(|(_, at, _)| *at >= cutoff) {
        assert_eq!(reader.object_at(&key, *seq).await.unwrap(), *object);
    }
    assert_eq!(reader.segments(&key, NOON, place.now()).await.unwrap().len(), 40 - 19);
}

async fn keys_sessions_and_links_end(place: Place) {
    let store = place.ready().await;
    store.env_submit(crate::desired::command(1, 0)).await.unwrap();
    store.link_insert([1; 32], NOON).await.unwrap();
    let later = Some(NOON + Span::seconds(1));
    let cutoffs = Cutoffs { idempotency: later, sessions: later, limit: 9, ..Cutoffs::default() };
    assert_eq!(store.retention(&cutoffs).await.unwrap().small, 2);
    assert_eq!(store.read().await.unwrap().receipt_by_key("mira", "key-1").await.unwrap(), None);
}
