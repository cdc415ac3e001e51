//! The journal: order, holes, snapshots, time; and how a store is opened.

use model::{Seq, Span, fixtures::NOON};
use store::{JournalKind, OpenError, Store, StoreUrl};

use crate::place::{Place, audit, batch, event, new_event, object, seen};

crate::on_both_engines!(
    concurrent_writers_leave_no_hole_and_readers_skip_nothing,
    a_reader_is_one_snapshot,
    a_commit_wakes_whoever_watches,
    recorded_time_never_goes_backwards_not_even_after_a_restart,
    a_reopened_store_is_the_same_store,
    rows_name_object_and_env,
);

async fn concurrent_writers_leave_no_hole_and_readers_skip_nothing(place: Place) {
    let store = place.ready().await;
    let before = store.head();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..12 {
                    let events = (0..3).map(|_| event(new_event(NOON, &format!("w{writer}")))).collect();
                    store.ingest(vec![batch(NOON, events)]).await.unwrap();
                    if n % 4 == 0 {
                        // Fails after it took its place in the row, and must leave no hole.
                        let write = crate::desired::command(1, 500);
                        assert!(
                            store
                                .env_submit(write)
                                .await
                                .is_ok_and(|s| matches!(s, store::Submitted::Stale { .. }))
                        );
                        store.audit_insert(audit("x", None)).await.unwrap();
                    }
                }
            })
        })
        .collect();
    let mut watch = store.watch();
    let expected = 8 * (12 * 3 + 3);
    let mut cursor = before;
    let mut n_read = 0;
    while n_read < expected {
        watch.changed().await.unwrap();
        let rows = store.read().await.unwrap().journal(cursor, 10_000).await.unwrap();
        for row in rows {
            assert_eq!(row.seq, Seq(cursor.0 + 1), "a hole, or a row that was committed after a later one");
            cursor = row.seq;
            n_read += 1;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(store.head(), cursor);
}

async fn a_reader_is_one_snapshot(place: Place) {
    let store = place.ready().await;
    let mut reader = store.read().await.unwrap();
    let as_of = reader.as_of();
    store
        .ingest(vec![batch(NOON, vec![object(seen("a", vec![])), event(new_event(NOON, "a"))])])
        .await
        .unwrap();
    assert_eq!(reader.journal(as_of, 9).await.unwrap(), []);
    assert_eq!(reader.objects(&store::ObjectFilter::default()).await.unwrap(), []);
    assert_eq!(reader.last_event_at().await.unwrap(), None);
    drop(reader);
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.as_of(), store.head());
    assert_eq!(reader.journal(as_of, 9).await.unwrap().len(), 2);
}

async fn a_commit_wakes_whoever_watches(place: Place) {
    let store = place.ready().await;
    let mut watch = store.watch();
    watch.borrow_and_update();
    let seq = store.audit_insert(audit("x", None)).await.unwrap();
    assert!(watch.has_changed().unwrap());
    assert_eq!(*watch.borrow_and_update(), seq);
    store.ping().await.unwrap();
    assert_eq!(store.refresh_head().await.unwrap(), seq);
    assert!(!watch.has_changed().unwrap());
    let now = place.pass(5);
    store.read().await.unwrap();
    assert_eq!((store.last_read_at(), store.now()), (now, now));
}

async fn recorded_time_never_goes_backwards_not_even_after_a_restart(place: Place) {
    let store = place.ready().await;
    let late = place.pass(60);
    store.audit_insert(audit("x", None)).await.unwrap();
    place.set(NOON);
    store.audit_insert(audit("x", None)).await.unwrap();
    store.close().await;
    drop(store);
    let store = place.open().await;
    store.audit_insert(audit("x", None)).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let times: Vec<_> = reader.journal(Seq(0), 9).await.unwrap().iter().map(|row| row.recorded_at).collect();
    assert_eq!(times, [NOON, late, late, late]);
    assert_eq!(reader.now(), late);
    assert_eq!(reader.seq_at(late - Span::seconds(1)).await.unwrap(), Some(Seq(1)));
    assert_eq!(reader.seq_at(late).await.unwrap(), Some(Seq(4)));
    assert_eq!(reader.recorded_since().await.unwrap(), NOON);
}

async fn a_reopened_store_is_the_same_store(place: Place) {
    let store = place.ready().await;
    let (id, head) = (store.store_id().to_owned(), store.head());
    assert_eq!((id.len(), head), (32, Seq(1)));
    if let StoreUrl::Sqlite(_) = place.url {
        let second = Store::open(&place.url, place.options()).await;
        let Err(OpenError::InUse { pid, .. }) = second else { panic!("{second:?}") };
        assert_eq!(pid, std::process::id().to_string());
    }
    // Whoever still has the closed one (a task on its way out) keeps nobody from opening it.
    store.close().await;
    let again = place.open().await;
    assert_eq!((again.store_id(), again.head()), (id.as_str(), head));
    assert!(store.read().await.is_err(), "a closed store reads nothing");
}

async fn rows_name_object_and_env(place: Place) {
    let store = place.ready().await;
    store.env_submit(crate::desired::command(1, 0)).await.unwrap();
    let before = store.head();
    store
        .ingest(vec![batch(NOON, vec![object(seen("a", vec![])), event(new_event(NOON, "a"))])])
        .await
        .unwrap();
    let rows = store.read().await.unwrap().journal(before, 9).await.unwrap();
    let key = model::fixtures::object("instance", "a").key;
    let env = model::fixtures::env_ref().env_id;
    for (row, kind) in rows.iter().zip([JournalKind::Object, JournalKind::Event]) {
        assert_eq!((row.kind, row.object.as_ref(), row.env.as_ref()), (kind, Some(&key), Some(&env)));
    }
}
