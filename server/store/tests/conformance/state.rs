//! Objects: reported, unchanged, gone, earlier; verdicts; sources; log lines.

use model::{
    Because, Judgement, ObjectKey, ObjectKind, Observation, Ref, Seq, SourceId, Span, Verdict,
    fixtures::{self, NOON},
    observation::{NewLogLine, ObservedObject, SourceInfo},
};
use serde_json::json;
use store::{LogFilter, ObjectFilter, StoreError, VerdictPut};

use crate::place::{Place, batch, batch_of, event, new_event, object, seen, source_info};

crate::on_both_engines!(
    an_unchanged_report_leaves_only_the_watermark,
    a_full_set_decides_what_is_gone_and_a_missing_line_does_not,
    every_earlier_state_can_be_read,
    relations_are_found_from_the_other_side,
    objects_are_filtered_by_kind_app_and_env,
    a_source_has_all_of_its_objects_that_are_not_gone_however_many,
    a_verdict_is_kept_with_its_beginning_and_a_new_sentence_is_news,
    what_changed_or_is_due_has_to_be_judged,
    a_source_that_nobody_registered_is_refused_line_by_line,
    a_source_is_registered_errs_and_recovers,
    a_source_says_what_it_owns_and_how_late_it_was,
    log_lines_are_read_oldest_first_and_followed,
    text_that_the_engines_cannot_hold_is_stored_without_it,
);

fn key(id: &str) -> ObjectKey {
    fixtures::object("instance", id).key
}

async fn an_unchanged_report_leaves_only_the_watermark(place: Place) {
    let store = place.ready().await;
    let report = || {
        vec![object(seen("ins_1", vec![fixtures::condition("Ready", model::ConditionStatus::True, "Up")]))]
    };
    let done = store.ingest(vec![batch(NOON, report())]).await.unwrap();
    assert_eq!((done.changed, done.events.len()), (1, 0));
    let head = store.head();
    let later = place.pass(4);
    assert_eq!(store.ingest(vec![batch(later, report())]).await.unwrap().changed, 0);
    assert_eq!(store.head(), head);
    let mut reader = store.read().await.unwrap();
    let stored = reader.object(&key("ins_1")).await.unwrap().unwrap();
    assert_eq!((stored.created_at, stored.updated_at, stored.conditions[0].since), (NOON, NOON, NOON));
    assert_eq!(reader.source(&fixtures::source()).await.unwrap().unwrap().last_seen_at, Some(later));
    assert_eq!(reader.object(&key("ins_2")).await.unwrap(), None);
}

async fn a_full_set_decides_what_is_gone_and_a_missing_line_does_not(place: Place) {
    let store = place.ready().await;
    let other = SourceInfo { id: SourceId::mint(2), name: "other".into(), ..source_info() };
    store.source_register(&other).await.unwrap();
    let all = ["ins_1", "ins_2", "ins_3"].map(|id| object(seen(id, vec![]))).to_vec();
    store.ingest(vec![batch(NOON, all)]).await.unwrap();
    store.ingest(vec![batch_of(other.id.clone(), NOON, vec![object(seen("theirs", vec![]))])]).await.unwrap();
    store.ingest(vec![batch(NOON, vec![object(seen("ins_1", vec![]))])]).await.unwrap();
    let here = async || {
        let filter = ObjectFilter { kind: Some(ObjectKind::instance()), ..ObjectFilter::default() };
        let objects = store.read().await.unwrap().objects(&filter).await.unwrap();
        objects.into_iter().map(|object| object.name).collect::<Vec<_>>()
    };
    assert_eq!(here().await, ["ins_1", "ins_2", "ins_3", "theirs"]);
    let kinds = vec![ObjectKind::instance()];
    let full = Observation::Snapshot { kinds, objects: vec![seen("ins_2", vec![]), seen("ins_4", vec![])] };
    let later = place.pass(1);
    let done = store.ingest(vec![batch(later, vec![full])]).await.unwrap();
    assert_eq!(done.changed, 3);
    assert_eq!(here().await, ["ins_2", "ins_4", "theirs"]);
    let gone = store.read().await.unwrap().object(&key("ins_1")).await.unwrap().unwrap();
    assert_eq!(gone.gone_at, Some(later));
    store
        .ingest(vec![batch(later, vec![Observation::Gone(key("ins_2")), Observation::Gone(key("never"))])])
        .await
        .unwrap();
    store.ingest(vec![batch(later, vec![object(seen("ins_1", vec![]))])]).await.unwrap();
    assert_eq!(here().await, ["ins_1", "ins_4", "theirs"]);
}

async fn every_earlier_state_can_be_read(place: Place) {
    let store = place.ready().await;
    let mut expected = vec![];
    for n in 0..40 {
        let now = place.pass(1);
        let mut report = seen("ins_1", vec![]);
        report.current.insert("n".into(), json!(n));
        report.current.insert("none".into(), json!(null));
        if n % 3 == 0 {
            report.desired.insert("third".into(), json!({"n": [n]}));
        }
        store.ingest(vec![batch(now, vec![object(report)])]).await.unwrap();
        let mut reader = store.read().await.unwrap();
        expected.push((store.head(), now, reader.object(&key("ins_1")).await.unwrap()));
    }
    store.ingest(vec![batch(place.pass(1), vec![Observation::Gone(key("ins_1"))])]).await.unwrap();
    let mut reader = store.read().await.unwrap();
    for (seq, at, object) in expected {
        assert_eq!(reader.object_at(&key("ins_1"), seq).await.unwrap(), object);
        assert_eq!(reader.seq_at(at).await.unwrap(), Some(seq));
    }
    let newest = reader.object(&key("ins_1")).await.unwrap();
    let as_of = reader.as_of();
    assert_eq!(reader.object_at(&key("ins_1"), as_of).await.unwrap(), newest);
    assert_eq!(reader.object_at(&key("ins_1"), Seq(1)).await.unwrap(), None);
    assert_eq!(reader.seq_at(NOON - Span::seconds(1)).await.unwrap(), None);
}

async fn relations_are_found_from_the_other_side(place: Place) {
    let store = place.ready().await;
    let env = ObjectKey::env(&fixtures::env_ref().env_id);
    let mut part = seen("ins_1", vec![]);
    part.refs =
        vec![Ref { rel: "part_of".into(), to: env.clone() }, Ref { rel: "owned_by".into(), to: env.clone() }];
    store.ingest(vec![batch(NOON, vec![object(part.clone()), object(seen("ins_2", vec![]))])]).await.unwrap();
    let related = async || store.read().await.unwrap().objects_related_to(&env).await.unwrap();
    assert_eq!(related().await.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["ins_1"]);
    part.refs.clear();
    store.ingest(vec![batch(NOON, vec![object(part)])]).await.unwrap();
    assert_eq!(related().await, []);
}

async fn a_source_has_all_of_its_objects_that_are_not_gone_however_many(place: Place) {
    let store = place.ready().await;
    let other = SourceInfo { id: SourceId::mint(2), name: "other".into(), ..source_info() };
    store.source_register(&other).await.unwrap();
    let reports = (0..10_001).map(|n| object(seen(&format!("ins_{n}"), vec![]))).collect();
    store.ingest(vec![batch(NOON, reports)]).await.unwrap();
    let theirs = vec![object(seen("theirs", vec![]))];
    store.ingest(vec![batch_of(other.id.clone(), NOON, theirs)]).await.unwrap();
    store.ingest(vec![batch(place.pass(1), vec![Observation::Gone(key("ins_7"))])]).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let mine = reader.objects_of_source(&fixtures::source()).await.unwrap();
    assert_eq!((mine.len(), mine.contains(&key("ins_7"))), (10_000, false));
    assert_eq!(reader.objects_of_source(&other.id).await.unwrap(), [key("theirs")]);
}

async fn objects_are_filtered_by_kind_app_and_env(place: Place) {
    let store = place.ready().await;
    let mut reports = vec![];
    for (kind, id, app, env) in
        [("instance", "a", "shop", "prod"), ("env", "b", "shop", "dev"), ("env", "c", "blog", "prod")]
    {
        let mut report = seen(id, vec![]);
        report.key = fixtures::object(kind, id).key;
        (report.app, report.env) = (Some(app.into()), Some(env.into()));
        reports.push(object(report));
    }
    store
        .ingest(vec![
            batch(NOON, reports),
            batch(NOON, vec![Observation::Gone(fixtures::object("env", "c").key)]),
        ])
        .await
        .unwrap();
    let mut reader = store.read().await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let all = ObjectFilter { include_gone: true, ..ObjectFilter::default() };
    let cases = [
        (ObjectFilter::default(), "ba"),
        (all.clone(), "bca"),
        (ObjectFilter { limit: Some(2), ..all.clone() }, "bc"),
        (ObjectFilter { kind: Some(ObjectKind::env()), ..all.clone() }, "bc"),
        (ObjectFilter { app: text("shop"), ..all.clone() }, "ba"),
        (ObjectFilter { app: text("shop"), kind: Some(ObjectKind::env()), ..all.clone() }, "b"),
        (ObjectFilter { app: text("shop"), env: text("prod"), ..all.clone() }, "a"),
        (ObjectFilter { env: text("prod"), ..all.clone() }, "ca"),
        (ObjectFilter { env: text("prod"), kind: Some(ObjectKind::env()), ..ObjectFilter::default() }, ""),
    ];
    for (filter, expected) in cases {
        let found: String =
            reader.objects(&filter).await.unwrap().into_iter().map(|object| object.name).collect();
        assert_eq!(found, expected, "{filter:?}");
        // The same one by one, each behind the last.
        let (mut found, mut after) = (String::new(), None::<ObjectKey>);
        let one = ObjectFilter { limit: Some(1), ..filter.clone() };
        for _ in 0..expected.len() {
            let page = match &after {
                None => reader.objects(&one).await.unwrap(),
                Some(after) => reader.objects_after(&one, after).await.unwrap(),
            };
            found.push_str(&page[0].name);
            after = Some(page[0].key.clone());
        }
        assert_eq!(found, expected, "{filter:?}, page by page");
        if let Some(after) = after.filter(|_| filter.limit.is_none()) {
            assert_eq!(reader.objects_after(&one, &after).await.unwrap(), [], "{filter:?}");
        }
    }
    let keys = [fixtures::object("env", "c").key, fixtures::object("env", "nothing").key, key("a")];
    let found: String =
        reader.objects_by_keys(&keys).await.unwrap().into_iter().map(|object| object.name).collect();
    assert_eq!(found, "ca");
}

fn judgement(verdict: Verdict, sentence: &str) -> Judgement {
    let because = vec![Because { rule: "rule".into(), text: "nul \0".into(), evidence: vec![] }];
    Judgement { verdict, since: NOON, sentence: sentence.into(), because }
}

async fn a_verdict_is_kept_with_its_beginning_and_a_new_sentence_is_news(place: Place) {
    let store = place.ready().await;
    store.ingest(vec![batch(NOON, vec![object(seen("ins_1", vec![]))])]).await.unwrap();
    let key = key("ins_1");
    let put =
        async |judgement: &Judgement| store.verdict_put(&key, judgement, store.head(), None).await.unwrap();
    let first = judgement(Verdict::Converging, "starting");
    assert!(put(&first).await);
    assert!(!put(&first).await);
    let later = NOON + Span::seconds(9);
    place.set(later);
    let reworded = Judgement { since: later, ..judgement(Verdict::Converging, "still starting") };
    assert!(put(&reworded).await);
    let stored = store.read().await.unwrap().judgement(&key).await.unwrap().unwrap();
    assert_eq!((stored.since, stored.sentence.as_str()), (NOON, "still starting"));
    assert!(put(&Judgement { since: later, ..judgement(Verdict::Converged, "fine") }).await);
    let mut reader = store.read().await.unwrap();
    let other = ObjectKey::env(&fixtures::env_ref().env_id);
    let all = reader.judgements(&[key.clone(), other]).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[&key].verdict, all[&key].since), (Verdict::Converged, later));
    let lanes = reader.segments(&key, NOON, later).await.unwrap();
    let said: Vec<_> =
        lanes.iter().map(|s| (s.condition.as_str(), s.status.as_str(), s.message.as_str(), s.to)).collect();
    assert_eq!(
        said,
        [("Verdict", "converging", "still starting", Some(later)), ("Verdict", "converged", "fine", None)]
    );
    assert_eq!(reader.verdict_segments_of(std::slice::from_ref(&key), NOON, later).await.unwrap(), lanes);
}

async fn what_changed_or_is_due_has_to_be_judged(place: Place) {
    let store = place.ready().await;
    store
        .ingest(vec![batch(NOON, vec![object(seen("a", vec![])), object(seen("b", vec![]))])])
        .await
        .unwrap();
    let due = async |now| store.read().await.unwrap().due(now, 9).await.unwrap();
    assert_eq!(due(NOON).await, [key("a"), key("b")]);
    assert_eq!(store.read().await.unwrap().due(NOON, 1).await.unwrap(), [key("a")]);
    let put = |id: &str, seq, next_check_at| VerdictPut {
        key: key(id),
        judgement: judgement(Verdict::Converging, "moving"),
        judged_seq: seq,
        next_check_at,
    };
    let soon = NOON + Span::seconds(10);
    assert_eq!(
        store.verdicts_put(vec![put("a", store.head(), Some(soon)), put("b", Seq(1), None)]).await.unwrap(),
        [key("a"), key("b")]
    );
    assert_eq!(due(NOON).await, [key("b")]);
    store.verdicts_put(vec![put("b", store.head(), None)]).await.unwrap();
    assert_eq!(due(NOON).await, []);
    // An event is news about its object even where the object itself did not change.
    let before = store.head();
    store.ingest(vec![batch(NOON, vec![event(new_event(NOON, "b"))])]).await.unwrap();
    assert_eq!(due(NOON).await, [key("b")]);
    store.verdicts_put(vec![put("b", before, None)]).await.unwrap();
    assert_eq!(due(NOON).await, [key("b")]);
    store.verdicts_put(vec![put("b", store.head(), None)]).await.unwrap();
    assert_eq!(due(NOON).await, []);
    assert_eq!(due(soon).await, [key("a")]);
    store.ingest(vec![batch(NOON, vec![Observation::Gone(key("b"))])]).await.unwrap();
    assert_eq!(due(soon).await, [key("b"), key("a")]);
    store.verdicts_put(vec![put("b", store.head(), None)]).await.unwrap();
    assert_eq!(due(NOON).await, []);
}

async fn a_source_that_nobody_registered_is_refused_line_by_line(place: Place) {
    let store = place.ready().await;
    let stranger = batch_of(SourceId::mint(99), NOON, vec![Observation::Alive, object(seen("x", vec![]))]);
    let mut bad = seen("y", vec![fixtures::condition("", model::ConditionStatus::True, "")]);
    bad.name = "y".into();
    let done = store
        .ingest(vec![stranger, batch(NOON, vec![object(bad), object(seen("z", vec![]))])])
        .await
        .unwrap();
    assert_eq!(done.refused.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(done.changed, 1);
}

async fn a_source_is_registered_errs_and_recovers(place: Place) {
    let store = place.ready().await;
    let head = store.head();
    store.source_register(&source_info()).await.unwrap();
    assert_eq!(store.head(), head);
    store.source_register(&SourceInfo { name: "renamed".into(), ..source_info() }).await.unwrap();
    let id = fixtures::source();
    assert!(store.source_error(&id, Some("no route")).await.unwrap());
    assert!(!store.source_error(&id, Some("no route")).await.unwrap());
    let mut reader = store.read().await.unwrap();
    let state = reader.source(&id).await.unwrap().unwrap();
    assert_eq!(
        (state.name.as_str(), state.error.as_deref(), state.last_seen_at),
        ("renamed", Some("no route"), None)
    );
    assert_eq!(reader.sources().await.unwrap(), [state]);
    assert_eq!(reader.source(&SourceId::mint(9)).await.unwrap(), None);
    assert!(store.source_error(&id, None).await.unwrap());
    assert!(!store.source_error(&SourceId::mint(9), Some("x")).await.unwrap());
}

async fn a_source_says_what_it_owns_and_how_late_it_was(place: Place) {
    let store = place.ready().await;
    let other = SourceInfo { id: SourceId::mint(2), name: "other".into(), ..source_info() };
    store.source_register(&other).await.unwrap();
    let env = ObservedObject { name: "checkout/prod".into(), ..env_seen() };
    let late = event(model::NewEvent { at: NOON - Span::seconds(3), ..new_event(NOON, "ins_1") });
    let all = vec![object(env), object(seen("ins_1", vec![])), object(seen("ins_2", vec![])), late];
    store.ingest(vec![batch(NOON, all)]).await.unwrap();
    store.ingest(vec![batch(NOON, vec![Observation::Gone(key("ins_2"))])]).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let facts = reader.source_facts().await.unwrap();
    let fact = &facts[&fixtures::source()];
    let owned: Vec<_> = fact.objects.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
    assert_eq!(owned, [("env", 1), ("instance", 1)]);
    assert_eq!((fact.registered_at, fact.lag), (NOON, Some(Span::seconds(3))));
    assert_eq!((facts[&other.id].objects.len(), facts[&other.id].lag), (0, None));
    let envs = reader.source_envs(&fixtures::source(), 9).await.unwrap();
    assert_eq!(envs.iter().map(|env| env.name.as_str()).collect::<Vec<_>>(), ["checkout/prod"]);
    assert_eq!(envs[0].verdict, None);
    assert!(reader.source_envs(&other.id, 9).await.unwrap().is_empty());
}

/// The env of `checkout/prod`.
fn env_seen() -> ObservedObject {
    ObservedObject { key: fixtures::object("env", "env_1").key, ..seen("env_1", vec![]) }
}

async fn log_lines_are_read_oldest_first_and_followed(place: Place) {
    let store = place.ready().await;
    let mut raised = store.watch_logs();
    let line = |n: i64, id: &str, env: &str| {
        Observation::Log(NewLogLine {
            at: NOON + Span::seconds(n),
            object: key(id),
            app: Some("checkout".into()),
            env: Some(env.into()),
            stream: "stdout".into(),
            line: format!("line {n}"),
        })
    };
    let lines = vec![line(1, "a", "prod"), line(2, "b", "dev"), line(3, "a", "prod"), line(4, "b", "prod")];
    let head = store.head();
    store.ingest(vec![batch(NOON, lines)]).await.unwrap();
    assert_eq!(store.head(), head, "log lines are not in the journal");
    assert!(*raised.borrow_and_update() >= 4);
    let mut reader = store.read().await.unwrap();
    let all = LogFilter { limit: 9, ..LogFilter::default() };
    let text = |text: &str| Some(text.to_owned());
    let cases = [
        (all.clone(), "1234"),
        (LogFilter { limit: 2, ..all.clone() }, "34"),
        (LogFilter { after: Some(0), limit: 2, ..all.clone() }, "12"),
        (LogFilter { object: Some(key("a")), ..all.clone() }, "13"),
        (LogFilter { object: Some(key("b")), env: text("dev"), ..all.clone() }, "2"),
        (LogFilter { object: Some(key("none")), ..all.clone() }, ""),
        (LogFilter { app: text("checkout"), ..all.clone() }, "1234"),
        (LogFilter { app: text("checkout"), env: text("prod"), ..all.clone() }, "134"),
        (LogFilter { env: text("dev"), ..all.clone() }, "2"),
        (LogFilter { since: Some(NOON + Span::seconds(3)), ..all.clone() }, "34"),
    ];
    for (filter, expected) in cases {
        let found = reader.logs(&filter).await.unwrap();
        let found: String = found.iter().map(|line| line.line.trim_start_matches("line ")).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

async fn text_that_the_engines_cannot_hold_is_stored_without_it(place: Place) {
    let store = place.ready().await;
    let mut report =
        seen("ins_1", vec![fixtures::condition("Re\0ady", model::ConditionStatus::True, "a\0b")]);
    report.current.insert("nul\0".into(), json!("x\0y"));
    report.name = "n\0".into();
    let done = store.ingest(vec![batch(NOON, vec![object(report.clone())])]).await.unwrap();
    assert_eq!((done.changed, done.refused), (1, vec![]));
    let mut reader = store.read().await.unwrap();
    let stored = reader.object(&key("ins_1")).await.unwrap().unwrap();
    assert_eq!((stored.name.as_str(), stored.conditions[0].reason.as_str()), ("n\u{fffd}", "a\u{fffd}b"));
    assert_eq!(stored.current["nul\0"], json!("x\0y"));
    assert_eq!(store.ingest(vec![batch(NOON, vec![object(report)])]).await.unwrap().changed, 0);
    assert!(!matches!(reader.env_by_name("a\0", "b").await, Err(StoreError::Other { .. })));
}
