//! The filter in SQL and the filter in the model ask the same question.

use std::collections::BTreeMap;

use model::{
    EventFilter, NewEvent, ObjectKey, Outcome, Span,
    fixtures::{self, NOON},
};
use proptest::{
    collection::vec, option, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner,
};

use crate::place::{Place, batch, event, new_event};

crate::on_both_engines!(sql_and_model_agree_about_every_filter);

fn word() -> impl Strategy<Value = String> {
    select(vec![
        "", "web", "Web", "Exited", "ÄÖ", "äö", "ßs", "İi", "ΣΑΣ", "σας", "%", "_", "\\", "a_b", "x%", "'",
        "K",
    ])
    .prop_map(str::to_owned)
}

fn key() -> impl Strategy<Value = ObjectKey> {
    (select(vec!["instance", "env"]), select(vec!["a", "b", "Ä:x", "A_B"]))
        .prop_map(|(kind, id)| fixtures::object(kind, id).key)
}

prop_compose! {
    fn any_event()(app in option::of(word()), env in option::of(word()), object in key(), controller in word(),
        action in word(), reason in word(), message in vec(word(), 0..4), second in 0_i64..20,
        outcome in select(Outcome::ALL.to_vec())) -> NewEvent {
        NewEvent { app, env, object, controller, action, reason, message: message.join(" "), outcome,
            ..new_event(NOON + Span::seconds(second), "x") }
    }
}

prop_compose! {
    fn any_filter()(app in vec(word(), 0..3), env in vec(word(), 0..2), object in vec(key(), 0..3),
        controller in vec(word(), 0..2), reason in vec(word(), 0..3), not_reason in vec(word(), 0..2),
        outcome in vec(select(Outcome::ALL.to_vec()), 0..3), q in option::of(word()), nul in 0..12,
        from in option::of(0_i64..20), to in option::of(0_i64..20)) -> EventFilter {
        let q = if nul == 0 { Some("a\0".to_owned()) } else { q };
        let at = |second: Option<i64>| second.map(|second| NOON + Span::seconds(second));
        // Most filters ask little, or nothing would ever match.
        EventFilter {
            app: if nul % 3 == 1 { app } else { vec![] },
            env: if nul % 4 == 2 { env } else { vec![] },
            kind: if nul % 5 == 3 { vec!["env".parse().unwrap()] } else { vec![] },
            object: if nul % 4 == 1 { object } else { vec![] },
            controller: if nul % 6 == 5 { controller } else { vec![] },
            reason: if nul % 3 == 2 { reason } else { vec![] },
            not_reason, outcome: if nul % 2 == 0 { outcome } else { vec![] }, q, from: at(from), to: at(to),
        }
    }
}

async fn sql_and_model_agree_about_every_filter(place: Place) {
    let store = place.ready().await;
    let mut runner = TestRunner::deterministic();
    let events = vec(any_event(), 300).new_tree(&mut runner).unwrap().current();
    store.ingest(vec![batch(NOON, events.into_iter().map(event).collect())]).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let all = reader.events(&EventFilter::default(), None, 1000).await.unwrap();
    assert_eq!(all.len(), 300);
    let mut n_matched = 0;
    for _ in 0..400 {
        let filter = any_filter().new_tree(&mut runner).unwrap().current();
        let expected: Vec<_> = all.iter().filter(|event| filter.matches(event)).cloned().collect();
        let found = reader.events(&filter, None, 1000).await.unwrap();
        assert_eq!(found, expected, "{filter:?}");
        let failed = expected.iter().filter(|event| event.outcome == Outcome::Failed).count();
        let sample = reader.event_sample(&filter).await.unwrap();
        assert_eq!(sample.counts(), (expected.len().try_into().unwrap(), failed.try_into().unwrap()));
        let (from, step) = (NOON + Span::seconds(4), Span::seconds(7));
        let mut bars: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for event in expected.iter().filter(|event| event.at >= from) {
            let bar = bars.entry((event.at - from).0 / step.0).or_default();
            *bar = (bar.0 + 1, bar.1 + i64::from(event.outcome == Outcome::Failed));
        }
        let bars: Vec<_> = bars.into_iter().map(|(bar, (n, failed))| (bar, n, failed)).collect();
        assert_eq!(sample.histogram(from, step), bars, "{filter:?}");
        let seqs: Vec<_> = expected.iter().map(|event| event.seq).take(7).collect();
        let chosen = sample.newest(None, 7).unwrap();
        assert_eq!(chosen, seqs, "{filter:?}");
        assert_eq!(reader.events_listed(&chosen).await.unwrap(), expected[..seqs.len()]);
        n_matched += expected.len();
    }
    assert!(n_matched > 1000, "the filters are too narrow to say anything: {n_matched}");
}
