//! Copies of a store: taken while it is written to, put into its place, and moved to PostgreSQL.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::path::PathBuf;

use model::{Seq, Ts};
use place::Place;
use store::{Incoming, OpenError, Reader, Store, StoreError, StoreUrl};

#[path = "support/place.rs"]
#[allow(dead_code)]
pub mod place;

fn beside(place: &Place, suffix: &str) -> PathBuf {
    let StoreUrl::Sqlite(path) = &place.url else { panic!("only files have neighbours") };
    PathBuf::from(format!("{}{suffix}", path.display()))
}

async fn events(store: &Store, n: usize) {
    for i in 0..n {
        let at = Ts(store.head().0 * 1000 + i64::try_from(i).unwrap());
        let event = place::event(place::new_event(at, "ins_1"));
        store.ingest(vec![place::batch(store.now(), vec![event])]).await.unwrap();
    }
}

async fn all_events(mut reader: Reader) -> Vec<model::Event> {
    let head = reader.as_of();
    reader.events_between(Seq(0), head, 100_000).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_one_moment_of_a_store_that_goes_on() {
    let place = Place::sqlite();
    let store = place.ready().await;
    events(&store, 20).await;
    let writing = tokio::spawn({
        let store = store.clone();
        async move { events(&store, 200).await }
    });
    let to = place.url.outgoing().unwrap();
    let backup = store.backup(&to).await.unwrap();
    writing.await.unwrap();
    assert_eq!(backup.store_id, store.store_id());
    assert!(backup.head >= Seq(21) && backup.head <= store.head(), "{backup:?}");
    assert_eq!(backup.n_bytes, std::fs::metadata(&to).unwrap().len());
    let copy = Store::open(&StoreUrl::Sqlite(to), place.options()).await.unwrap();
    assert_eq!(copy.head(), backup.head);
    let (here, there) =
        (all_events(store.read().await.unwrap()).await, all_events(copy.read().await.unwrap()).await);
    assert_eq!(there[..], here[..there.len()], "a prefix of the journal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_store_has_a_new_id_and_the_old_one_is_kept_aside() {
    let place = Place::sqlite();
    let store = place.ready().await;
    events(&store, 5).await;
    let source = store.read().await.unwrap().source_of_kind("local").await.unwrap();
    let taken = store.backup(&place.url.outgoing().unwrap()).await.unwrap();
    events(&store, 7).await;
    let incoming = place.url.incoming().unwrap();
    std::fs::rename(place.url.outgoing().unwrap(), &incoming).unwrap();
    let ready = Incoming::prepare(&incoming).await.unwrap();
    assert!(place.url.is_served());
    let Err(OpenError::InUse { .. }) = ready.replace(&place.url).await else {
        panic!("a served store was replaced")
    };
    let (id, head) = (store.store_id().to_owned(), store.head());
    store.close().await;
    drop(store);
    assert!(!place.url.is_served());
    let restored = Incoming::prepare(&incoming).await.unwrap().replace(&place.url).await.unwrap();
    let store = place.open().await;
    assert_eq!((store.head(), store.store_id()), (taken.head, restored.store_id.as_str()));
    assert_ne!(store.store_id(), id);
    // The embedded platform of the store stays the same source, or its objects would never be heard of again.
    assert_eq!(store.read().await.unwrap().source_of_kind("local").await.unwrap(), source);
    assert!(source.is_some());
    store.close().await;
    drop(store);
    Incoming::undo(&place.url).unwrap();
    let store = place.open().await;
    assert_eq!((store.head(), store.store_id()), (head, id.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_server_left_in_its_log_is_kept_aside_too() {
    let place = Place::sqlite();
    let store = place.ready().await;
    let taken = store.backup(&place.url.outgoing().unwrap()).await.unwrap();
    events(&store, 7).await;
    // As a kill leaves it: the file, and a log that nobody brought into it.
    let folder = tempfile::tempdir().unwrap();
    let url = StoreUrl::Sqlite(folder.path().join("vantage.db"));
    for suffix in ["", "-wal"] {
        std::fs::copy(beside(&place, suffix), folder.path().join(format!("vantage.db{suffix}"))).unwrap();
    }
    assert!(std::fs::metadata(folder.path().join("vantage.db-wal")).unwrap().len() > 0);
    std::fs::copy(place.url.outgoing().unwrap(), url.incoming().unwrap()).unwrap();
    Incoming::prepare(&url.incoming().unwrap()).await.unwrap().replace(&url).await.unwrap();
    let restored = Store::open(&url, place.options()).await.unwrap();
    assert_eq!(restored.head(), taken.head);
    let kept = StoreUrl::Sqlite(folder.path().join("vantage.db.before-restore"));
    let kept = Store::open(&kept, place.options()).await.unwrap();
    assert_eq!(kept.head(), store.head(), "nothing that was committed is lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_whole_backup_of_ours_changes_nothing() {
    let place = Place::sqlite();
    let store = place.ready().await;
    events(&store, 2000).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "hello, this is a text and by no means a database of any kind").unwrap();
    assert!(matches!(Incoming::prepare(&file).await, Err(OpenError::NotAStore { .. })));
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "").unwrap();
    assert!(matches!(Incoming::prepare(&file).await, Err(OpenError::NotAStore { .. })));
    std::fs::remove_file(&file).unwrap();
    let backup = store.backup(&file).await.unwrap();
    // Half of a backup.
    std::fs::File::options().write(true).open(&file).unwrap().set_len(backup.n_bytes / 2).unwrap();
    let error = Incoming::prepare(&file).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Damaged { .. } | OpenError::NotAStore { .. } | OpenError::Store(_)),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_moves_to_postgres_whole_or_not_at_all() {
    let Some(there) = Place::postgres().await else { return };
    let here = Place::sqlite();
    let store = here.ready().await;
    events(&store, 1200).await;
    let mut instance = place::seen("ins_1", vec![]);
    instance.name = "ünï\u{1f600}'\"\\x".into();
    store.ingest(vec![place::batch(store.now(), vec![place::object(instance)])]).await.unwrap();
    let token = store::Token {
        id: model::TokenId::mint(1),
        name: "ci".into(),
        role: model::Role::Viewer,
        source: None,
        created_at: store.now(),
        expires_at: None,
        revoked_at: None,
    };
    store.token_insert(&token, [0xa7; 32]).await.unwrap();
    let expected = all_events(store.read().await.unwrap()).await;
    let (id, head) = (store.store_id().to_owned(), store.head());
    let busy = store::transfer(&here.url, &there.url, here.options(), |_| {}).await.unwrap_err();
    assert!(matches!(busy, OpenError::InUse { .. }), "{busy}");
    store.close().await;
    drop(store);

    let mut steps = Vec::new();
    let moved =
        store::transfer(&here.url, &there.url, here.options(), |step| steps.push(step)).await.unwrap();
    assert_eq!((moved.store_id.as_str(), moved.head), (id.as_str(), head));
    assert!(moved.rows.contains(&("events", 1200)), "{:?}", moved.rows);
    assert!(steps.iter().any(|step| step.table == "events" && step.done == 500 && step.all == 1200));
    let store = there.open().await;
    assert_eq!((store.store_id(), store.head()), (id.as_str(), head));
    assert_eq!(all_events(store.read().await.unwrap()).await, expected);
    assert_eq!(store.token_by_hash(&[0xa7; 32]).await.unwrap().unwrap().name, "ci");
    // It goes on where it was: the next row is the next number.
    events(&store, 1).await;
    assert!(store.head() > head);
    let refused = store.backup(&here.url.outgoing().unwrap()).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict { .. }), "{refused}");
    store.close().await;

    let again = store::transfer(&here.url, &there.url, here.options(), |_| {}).await.unwrap_err();
    assert!(matches!(again, OpenError::NotEmpty { .. }), "{again}");
    assert!(!again.to_string().contains("password"), "{again}");
    let back = store::transfer(&there.url, &there.url, here.options(), |_| {}).await.unwrap_err();
    assert!(matches!(back, OpenError::Store(StoreError::Conflict { .. })), "{back}");
}
