//! Condition timelines and the time that nobody watched.

use model::{
    Condition, ConditionStatus, ObjectKey, Observation, Span, Ts,
    fixtures::{self, NOON},
};
use store::{GapReason, Store, StoredSegment};

use crate::place::{Place, batch, object, seen};

crate::on_both_engines!(
    segments_follow_the_status_and_keep_the_last_reason,
    a_silent_source_leaves_a_gap_and_what_still_holds_begins_anew,
    a_restarted_server_leaves_a_gap_of_its_own,
    a_gone_object_has_no_open_segment,
    many_lanes_are_read_at_once,
);

fn key() -> ObjectKey {
    fixtures::object("instance", "ins_1").key
}

fn ready(status: ConditionStatus, reason: &str, since: Ts) -> Observation {
    let condition = Condition { since, ..fixtures::condition("Ready", status, reason) };
    object(seen("ins_1", vec![condition]))
}

async fn lanes(store: &Store) -> Vec<StoredSegment> {
    let (from, to) = (NOON - Span::minutes(9), NOON + Span::minutes(9));
    store.read().await.unwrap().segments(&key(), from, to).await.unwrap()
}

fn brief(lanes: &[StoredSegment]) -> Vec<(String, i64, Option<i64>)> {
    let seconds = |at: Ts| (at - NOON).as_seconds();
    lanes.iter().map(|s| (format!("{} {}", s.status, s.reason), seconds(s.from), s.to.map(seconds))).collect()
}

async fn segments_follow_the_status_and_keep_the_last_reason(place: Place) {
    let store = place.ready().await;
    use ConditionStatus as S;
    let reports =
        [(S::False, "Starting", 0), (S::False, "Probing", 2), (S::True, "Up", 4), (S::True, "Up", 6)];
    for (status, reason, second) in reports {
        place.set(NOON + Span::seconds(second));
        store.ingest(vec![batch(place.now(), vec![ready(status, reason, place.now())])]).await.unwrap();
    }
    assert_eq!(
        brief(&lanes(&store).await),
        [("False Probing".into(), 0, Some(4)), ("True Up".into(), 4, None)]
    );
    // The source says when it flipped, which is before it told us.
    place.pass(2);
    store
        .ingest(vec![batch(place.now(), vec![ready(S::Unknown, "Lost", NOON + Span::seconds(7))])])
        .await
        .unwrap();
    assert_eq!(
        brief(&lanes(&store).await)[1..],
        [("True Up".into(), 4, Some(7)), ("Unknown Lost".into(), 7, None)]
    );
    place.pass(1);
    store.ingest(vec![batch(place.now(), vec![object(seen("ins_1", vec![]))])]).await.unwrap();
    assert_eq!(brief(&lanes(&store).await)[2], ("Unknown Lost".into(), 7, Some(9)));
    let narrow = store.read().await.unwrap().segments(&key(), NOON, NOON + Span::seconds(1)).await.unwrap();
    assert_eq!(narrow.len(), 1);
}

async fn a_silent_source_leaves_a_gap_and_what_still_holds_begins_anew(place: Place) {
    let store = place.ready().await;
    store.ingest(vec![batch(NOON, vec![ready(ConditionStatus::True, "Up", NOON)])]).await.unwrap();
    place.set(NOON + Span::seconds(10));
    store.ingest(vec![batch(place.now(), vec![Observation::Alive])]).await.unwrap();
    place.set(NOON + Span::seconds(60));
    store.ingest(vec![batch(place.now(), vec![Observation::Alive])]).await.unwrap();
    assert_eq!(brief(&lanes(&store).await), [("True Up".into(), 0, Some(10)), ("True Up".into(), 60, None)]);
    // Both ends of a silence can be in one call.
    place.set(NOON + Span::seconds(120));
    let flipped = ready(ConditionStatus::False, "Down", NOON + Span::seconds(100));
    let late =
        [(90, Observation::Alive), (120, flipped)].map(|(s, o)| batch(NOON + Span::seconds(s), vec![o]));
    store.ingest(late.to_vec()).await.unwrap();
    let all = brief(&lanes(&store).await);
    assert_eq!(all[1], ("True Up".into(), 60, Some(60)));
    assert_eq!(all.last(), Some(&("False Down".into(), 120, None)));
    let mut reader = store.read().await.unwrap();
    let gaps = reader.recording_gaps(&fixtures::source(), NOON, NOON + Span::minutes(9)).await.unwrap();
    let brief: Vec<_> =
        gaps.iter().map(|g| ((g.from - NOON).as_seconds(), (g.to - NOON).as_seconds(), g.reason)).collect();
    assert_eq!(
        brief,
        [(10, 60, GapReason::Silent), (60, 90, GapReason::Silent), (90, 120, GapReason::Silent)]
    );
    assert_eq!(reader.recording_gaps(&fixtures::source(), NOON, NOON + Span::seconds(9)).await.unwrap(), []);
}

async fn a_restarted_server_leaves_a_gap_of_its_own(place: Place) {
    let store = place.ready().await;
    store.ingest(vec![batch(NOON, vec![ready(ConditionStatus::True, "Up", NOON)])]).await.unwrap();
    let said = model::Judgement {
        verdict: model::Verdict::Converged,
        since: NOON,
        sentence: "fine".into(),
        because: vec![],
    };
    store.verdict_put(&key(), &said, store.head(), None).await.unwrap();
    store.close().await;
    drop(store);
    place.set(NOON + Span::seconds(90));
    let store = place.open().await;
    let now = place.pass(2);
    store.ingest(vec![batch(now, vec![ready(ConditionStatus::True, "Up", NOON)])]).await.unwrap();
    let lanes = lanes(&store).await;
    let twice = |what: &str| [(what.to_owned(), 0, Some(0)), (what.to_owned(), 92, None)];
    assert_eq!(brief(&lanes), [twice("converged "), twice("True Up")].concat());
    let gaps = store.read().await.unwrap().recording_gaps(&fixtures::source(), NOON, now).await.unwrap();
    assert_eq!((gaps.len(), gaps[0].reason), (1, GapReason::ServerDown));
}

async fn a_gone_object_has_no_open_segment(place: Place) {
    let store = place.ready().await;
    store.ingest(vec![batch(NOON, vec![ready(ConditionStatus::True, "Up", NOON)])]).await.unwrap();
    let now = place.pass(3);
    store.ingest(vec![batch(now, vec![Observation::Gone(key())])]).await.unwrap();
    assert_eq!(brief(&lanes(&store).await), [("True Up".into(), 0, Some(3))]);
}

async fn many_lanes_are_read_at_once(place: Place) {
    let store = place.ready().await;
    let with =
        |id: &str, ty: &str| object(seen(id, vec![fixtures::condition(ty, ConditionStatus::True, "")]));
    store
        .ingest(vec![batch(NOON, vec![with("a", "Ready"), with("b", "Degraded"), with("c", "Ready")])])
        .await
        .unwrap();
    let keys = ["a", "b"].map(|id| fixtures::object("instance", id).key);
    let found = store.read().await.unwrap().segments_of(&keys, NOON, NOON).await.unwrap();
    let found: Vec<_> = found.iter().map(|s| (s.object.id(), s.condition.as_str(), s.generation)).collect();
    assert_eq!(found, [("a", "Ready", Some(1)), ("b", "Degraded", Some(1))]);
}
