//! Events: once each, in pages, ranges, counts and facets.

use model::{
    EventFilter, EventId, NewEvent, Outcome, Seq, Span,
    fixtures::{self, NOON},
};

use crate::place::{Place, batch, event, new_event};

crate::on_both_engines!(
    an_event_comes_back_as_it_was_given,
    the_same_event_is_recorded_once,
    pages_go_backwards_and_ranges_go_forwards,
    counts_and_facets_answer_under_the_other_filters,
    too_long_a_message_is_refused_and_the_rest_is_kept,
    a_full_sample_is_the_newest_ten_thousand_and_one,
);

async fn an_event_comes_back_as_it_was_given(place: Place) {
    let store = place.ready().await;
    let new = NewEvent {
        outcome: Outcome::Failed,
        reason: "Exited".into(),
        message: "exit code 1 \0 ÄÖ".into(),
        attempt: Some(4),
        trace_id: Some(model::TraceId::mint(3)),
        dedupe: Some("d".into()),
        ..new_event(NOON - Span::seconds(3), "ins_1")
    };
    let done = store.ingest(vec![batch(NOON, vec![event(new)])]).await.unwrap();
    let seq = done.events[0];
    let mut reader = store.read().await.unwrap();
    let stored = reader.event(EventId(seq)).await.unwrap().unwrap();
    let expected = model::Event {
        at: NOON - Span::seconds(3),
        recorded_at: NOON,
        outcome: Outcome::Failed,
        reason: "Exited".into(),
        message: "exit code 1 \u{fffd} ÄÖ".into(),
        attempt: Some(4),
        trace_id: Some(model::TraceId::mint(3)),
        ..fixtures::event(seq.0)
    };
    assert_eq!(stored, expected);
    assert_eq!(reader.event(EventId(Seq(seq.0 + 1))).await.unwrap(), None);
    assert_eq!(reader.last_event_at().await.unwrap(), Some(NOON - Span::seconds(3)));
}

async fn the_same_event_is_recorded_once(place: Place) {
    let store = place.ready().await;
    let new =
        |dedupe: Option<&str>| event(NewEvent { dedupe: dedupe.map(Into::into), ..new_event(NOON, "ins_1") });
    let first = batch(NOON, vec![new(Some("a")), new(Some("a")), new(None), new(None)]);
    let done = store.ingest(vec![first]).await.unwrap();
    assert_eq!((done.events.len(), done.duplicates.len()), (3, 1));
    let done = store.ingest(vec![batch(NOON, vec![new(Some("a")), new(Some("b"))])]).await.unwrap();
    assert_eq!((done.events.len(), done.duplicates.len()), (1, 1));
}

async fn pages_go_backwards_and_ranges_go_forwards(place: Place) {
    let store = place.ready().await;
    let before = store.head();
    let all = (0..10).map(|n| event(new_event(NOON, if n % 2 == 0 { "even" } else { "odd" }))).collect();
    let seqs = store.ingest(vec![batch(NOON, all)]).await.unwrap().events;
    let mut reader = store.read().await.unwrap();
    let any = EventFilter::default();
    let seqs_of = |events: Vec<model::Event>| events.into_iter().map(|event| event.seq).collect::<Vec<_>>();
    let newest = seqs_of(reader.events(&any, None, 4).await.unwrap());
    assert_eq!(newest, [seqs[9], seqs[8], seqs[7], seqs[6]]);
    assert_eq!(seqs_of(reader.events(&any, Some(seqs[6]), 2).await.unwrap()), [seqs[5], seqs[4]]);
    let even = EventFilter { object: vec![fixtures::object("instance", "even").key], ..any.clone() };
    assert_eq!(seqs_of(reader.events(&even, Some(seqs[8]), 2).await.unwrap()), [seqs[6], seqs[4]]);
    assert_eq!(seqs_of(reader.events_between(before, seqs[1], 9).await.unwrap()), [seqs[0], seqs[1]]);
    assert_eq!(seqs_of(reader.events_between(seqs[7], seqs[9], 1).await.unwrap()), [seqs[8]]);
}

async fn counts_and_facets_answer_under_the_other_filters(place: Place) {
    let store = place.ready().await;
    let of = |outcome, reason: &str, n: usize| {
        let new = NewEvent { outcome, reason: reason.into(), ..new_event(NOON, "ins_1") };
        std::iter::repeat_n(event(new), n)
    };
    let all = of(Outcome::Failed, "Exited", 3).chain(of(Outcome::Failed, "Pull", 1)).chain(of(
        Outcome::Done,
        "",
        2,
    ));
    store.ingest(vec![batch(NOON, all.collect())]).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let filter = EventFilter { reason: vec!["Exited".into()], ..EventFilter::default() };
    assert_eq!(reader.event_sample(&EventFilter::default()).await.unwrap().counts(), (6, 4));
    let sample = reader.event_sample(&filter).await.unwrap();
    assert_eq!(sample.counts(), (3, 3));
    let facets = &sample.facets;
    let brief = |facet: &str| facets[facet].iter().map(|f| (f.value.as_str(), f.n)).collect::<Vec<_>>();
    assert_eq!(brief("reason"), [("Exited", 3), ("Pull", 1)]);
    assert_eq!(brief("outcome"), [("failed", 3)]);
    assert_eq!(brief("app"), [("checkout", 3)]);
    assert_eq!((brief("kind"), brief("controller")), (vec![("instance", 3)], vec![("instance", 3)]));
}

async fn too_long_a_message_is_refused_and_the_rest_is_kept(place: Place) {
    let store = place.ready().await;
    let long = NewEvent { message: "x".repeat(70_000), ..new_event(NOON, "ins_1") };
    let done =
        store.ingest(vec![batch(NOON, vec![event(long), event(new_event(NOON, "ins_1"))])]).await.unwrap();
    assert_eq!((done.events.len(), done.refused.len(), done.refused[0].0), (1, 1, 0));
}

async fn a_full_sample_is_the_newest_ten_thousand_and_one(place: Place) {
    let store = place.ready().await;
    let of = |n: i64, app: &str| {
        let outcome = if n % 3 == 0 { Outcome::Failed } else { Outcome::Done };
        let at = NOON + Span::seconds(n);
        event(NewEvent { app: Some(app.into()), outcome, ..new_event(at, "ins_1") })
    };
    let mut seqs = Vec::new();
    for batch_no in 0..13 {
        let events = (0..2000).map(|n| of(batch_no * 1000 + n / 2, if n % 2 == 0 { "even" } else { "odd" }));
        let done = store.ingest(vec![batch(NOON, events.collect())]).await.unwrap();
        seqs.extend(done.events.into_iter().step_by(2));
    }
    let mut reader = store.read().await.unwrap();
    let filter = EventFilter { app: vec!["even".into()], env: vec!["prod".into()], ..EventFilter::default() };
    let sample = reader.event_sample(&filter).await.unwrap();
    assert_eq!(sample.counts(), (10_001, 3334));
    seqs.reverse();
    assert_eq!(sample.newest(None, 10_001).unwrap(), seqs[..10_001]);
    assert_eq!(
        sample.histogram(NOON, Span::seconds(5000)),
        [(0, 2001, 667), (1, 5000, 1667), (2, 3000, 1000)]
    );
    let apps: Vec<_> = sample.facets["app"].iter().map(|f| (f.value.as_str(), f.n)).collect();
    assert_eq!(apps, [("odd", 5001), ("even", 5000)], "the app's own values are counted among all");
}
