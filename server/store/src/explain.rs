//! The plans of hot queries: each of them is driven by an index, and none sorts what an index has in order.
//!
//! SQLite is asked, because its planner decides without looking at the data; PostgreSQL has the same indexes.

use model::{EventFilter, Outcome, fixtures};
use sqlx::{QueryBuilder, Sqlite};

use crate::{
    Store, StoreUrl, desired,
    events::{self, Lead, Route},
    objects, overview,
    pool::Tx,
    receipts, search, verdicts, waits,
};

async fn plan(mut query: QueryBuilder<Sqlite>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let url = StoreUrl::Sqlite(folder.path().join("vantage.db"));
    let store = Store::open(&url, crate::Options::new(std::sync::Arc::new(|| fixtures::NOON))).await.unwrap();
    let Ok(Tx::Sqlite(mut tx)) = store.inner.pool.snapshot().await else { panic!("a file was opened") };
    let rows: Vec<(i64, i64, i64, String)> = query.build_query_as().fetch_all(&mut *tx).await.unwrap();
    rows.into_iter().map(|(.., detail)| detail + "\n").collect()
}

async fn plan_of_events(filter: EventFilter) -> String {
    let mut query = QueryBuilder::new(format!("EXPLAIN QUERY PLAN {}", events::KEYS));
    events::page(&mut query, &filter, Route::by(Lead::Planner), 1_000_000, 100);
    plan(query).await
}

async fn plan_of_sample(filter: EventFilter, lead: Lead) -> String {
    let mut query = QueryBuilder::new("EXPLAIN QUERY PLAN ");
    events::sampled(&mut query, &filter, Route::by(lead), None);
    plan(query).await
}

#[tokio::test]
async fn envs_that_have_moved_are_found_in_what_is_new_in_the_journal() {
    let plan = plan(QueryBuilder::new(format!("EXPLAIN QUERY PLAN {}", desired::ENVS_MOVED))).await;
    assert!(plan.contains("SEARCH j USING INTEGER PRIMARY KEY (rowid>?)"), "{plan}");
    assert!(!plan.contains("SCAN"), "{plan}");
}

#[tokio::test]
async fn events_of_one_object_come_from_its_index_in_order() {
    let object = vec![fixtures::object("instance", "ins_1").key];
    let plan = plan_of_events(EventFilter { object, ..EventFilter::default() }).await;
    assert!(plan.contains("events_by_object (object=? AND seq<?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
}

#[tokio::test]
async fn events_of_one_env_come_from_its_index_in_order() {
    let filter =
        EventFilter { app: vec!["checkout".into()], env: vec!["prod".into()], ..EventFilter::default() };
    let plan = plan_of_events(filter).await;
    assert!(plan.contains("events_by_env (app=? AND env=? AND seq<?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
}

#[tokio::test]
async fn a_sample_of_one_env_comes_from_an_index_that_has_all_of_it_whatever_else_is_asked() {
    let text = vec!["x".to_owned()];
    let any = EventFilter { app: text.clone(), env: text.clone(), ..EventFilter::default() };
    for filter in [
        any.clone(),
        EventFilter { controller: text.clone(), ..any.clone() },
        EventFilter { reason: text.clone(), ..any.clone() },
        EventFilter { kind: vec!["machine".parse().unwrap()], ..any.clone() },
        EventFilter { outcome: vec![Outcome::Done], ..any.clone() },
        EventFilter { outcome: vec![Outcome::Failed], ..any.clone() },
        EventFilter { from: Some(fixtures::NOON), ..any.clone() },
    ] {
        let plan = plan_of_sample(filter.clone(), Lead::Key).await;
        assert!(plan.contains("USING COVERING INDEX events_by_env (app=? AND env=?"), "{filter:?}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        let page = plan_of_events(filter).await;
        assert!(page.contains("USING COVERING INDEX events_"), "{page}");
    }
}

#[tokio::test]
async fn events_of_one_reason_come_from_its_index_in_order() {
    let plan = plan_of_events(EventFilter { reason: vec!["Exited".into()], ..EventFilter::default() }).await;
    assert!(plan.contains("events_by_reason (reason=? AND seq<?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[tokio::test]
async fn events_of_one_value_of_a_facet_come_from_its_index_in_order() {
    let (text, any) = (vec!["x".to_owned()], EventFilter::default());
    for (filter, index) in [
        (EventFilter { app: text.clone(), ..any.clone() }, "events_by_app (app=?"),
        (EventFilter { env: text.clone(), ..any.clone() }, "events_by_env_name (env=?"),
        (EventFilter { controller: text.clone(), ..any.clone() }, "events_by_controller (controller=?"),
        (EventFilter { kind: vec!["machine".parse().unwrap()], ..any.clone() }, "events_by_kind (kind=?"),
        (EventFilter { outcome: vec![Outcome::Done], ..any.clone() }, "events_by_outcome (outcome=?"),
    ] {
        for plan in [plan_of_events(filter.clone()).await, plan_of_sample(filter, Lead::Planner).await] {
            assert!(plan.contains(index), "{plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN e"), "{plan}");
        }
    }
}

#[tokio::test]
async fn a_sample_of_what_failed_comes_from_an_index_that_has_all_of_it_whatever_else_is_asked() {
    let (text, failed) = (vec!["x".to_owned()], vec![Outcome::Failed]);
    let any = EventFilter { outcome: failed, ..EventFilter::default() };
    for filter in [
        any.clone(),
        EventFilter { app: text.clone(), ..any.clone() },
        EventFilter { env: text.clone(), ..any.clone() },
        EventFilter { controller: text.clone(), ..any.clone() },
        EventFilter { reason: text.clone(), ..any.clone() },
        EventFilter { kind: vec!["machine".parse().unwrap()], ..any.clone() },
        EventFilter { from: Some(fixtures::NOON), ..any.clone() },
    ] {
        let plan = plan_of_sample(filter.clone(), Lead::Key).await;
        assert!(plan.contains("USING COVERING INDEX events_failed (outcome=?"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        let page = plan_of_events(filter).await;
        assert!(page.contains("USING COVERING INDEX events_"), "{page}");
    }
    // One object has fewer events than ever failed.
    let object = EventFilter { object: vec![fixtures::object("instance", "ins_1").key], ..any };
    let plan = plan_of_sample(object, Lead::Planner).await;
    assert!(plan.contains("events_by_object (object=?"), "{plan}");
}

#[tokio::test]
async fn a_sample_of_a_narrow_range_comes_from_the_index_of_time_and_one_of_a_wide_range_from_the_key() {
    let range =
        EventFilter { from: Some(fixtures::NOON), to: Some(fixtures::NOON), ..EventFilter::default() };
    let narrow = plan_of_sample(range.clone(), Lead::Time).await;
    assert!(narrow.contains("events_by_at (at>? AND at<?)"), "{narrow}");
    let wide = plan_of_sample(range.clone(), Lead::Key).await;
    assert!(!wide.contains("events_by_at") && !wide.contains("TEMP B-TREE"), "{wide}");
    // Where the keys of the range are known, the index of a facet does not go beyond them.
    let facet = EventFilter { outcome: vec![Outcome::Done], ..range.clone() };
    let mut query = QueryBuilder::new("EXPLAIN QUERY PLAN ");
    events::sampled(&mut query, &facet, Route { lead: Lead::Key, keys: Some((1, 9)) }, None);
    let facet = plan(query).await;
    assert!(facet.contains("events_by_outcome (outcome=? AND seq>? AND seq<?)"), "{facet}");
    // Free text may be rare: the range bounds what is looked at.
    let text = EventFilter { q: Some("x".into()), to: None, ..range };
    let text = plan_of_sample(text, Lead::Time).await;
    assert!(text.contains("events_by_at (at>?)"), "{text}");
}

#[tokio::test]
async fn the_newest_events_come_in_the_order_of_their_key() {
    let plan = plan_of_events(EventFilter::default()).await;
    assert!(plan.contains("SEARCH e USING INTEGER PRIMARY KEY (rowid<?)"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[tokio::test]
async fn what_has_to_be_judged_is_found_without_looking_at_every_object() {
    let plan = plan(QueryBuilder::new(format!("EXPLAIN QUERY PLAN {}", verdicts::DUE))).await;
    assert!(
        plan.contains("objects_unjudged") && plan.contains("verdicts_next_check (next_check_at"),
        "{plan}"
    );
    assert!(!plan.lines().any(|line| line == "SCAN o" || line == "SCAN v" || line == "SCAN k"), "{plan}");
}

#[tokio::test]
async fn windows_and_counts_of_the_overview_come_from_an_index() {
    let heads = plan(QueryBuilder::new(format!("EXPLAIN QUERY PLAN {}", overview::HEADS))).await;
    assert!(heads.contains("COVERING INDEX envs_by_place (place>? AND place<?)"), "{heads}");
    assert!(!heads.contains("SCAN e") && !heads.contains("SCAN r"), "{heads}");
    let named = plan(QueryBuilder::new(format!("EXPLAIN QUERY PLAN {}", overview::NAMED))).await;
    assert!(named.contains("INDEX envs_by_name (app=?)"), "{named}");
    assert!(!named.contains("SCAN e") && !named.contains("SCAN r"), "{named}");
    let counts = plan(QueryBuilder::new(format!("EXPLAIN QUERY PLAN {}", overview::COUNTS))).await;
    assert!(counts.contains("COVERING INDEX envs_by_place") && !counts.contains("TEMP B-TREE"), "{counts}");
}

#[tokio::test]
async fn what_is_open_and_what_a_source_has_are_found_without_walking_the_rest() {
    for (text, index) in [
        (receipts::OPEN, "SCAN r USING INDEX receipts_open"),
        (receipts::OPEN_IDS, "SCAN r USING INDEX receipts_open"),
        (waits::OPEN_IDS, "SCAN w USING INDEX waits_open"),
        (waits::OPEN, "SCAN w USING INDEX waits_open"),
        (waits::OPEN_OF, "SEARCH w USING INDEX waits_open (env=?)"),
        (objects::OF_SOURCE, "SEARCH o USING INDEX objects_by_source (source=?)"),
    ] {
        let plan = plan(QueryBuilder::new(format!("EXPLAIN QUERY PLAN {text}"))).await;
        assert!(plan.contains(index), "{text}: {plan}");
    }
}

#[tokio::test]
async fn search_is_driven_by_an_index() {
    for (text, index) in [
        (search::BY_ID.sqlite, "object_keys_by_ext"),
        (search::BY_BEGIN.sqlite, "objects_by_name"),
        (search::ENVS.sqlite, "objects_by_kind"),
        (search::RECEIPTS, "receipts_by_trace"),
        (search::AUDIT, "audit_by_trace"),
        (search::EVENTS, "events_by_trace"),
    ] {
        let plan = plan(QueryBuilder::new(format!("EXPLAIN QUERY PLAN {text}"))).await;
        assert!(plan.contains(index) && !plan.contains("SCAN"), "{text}: {plan}");
    }
}
