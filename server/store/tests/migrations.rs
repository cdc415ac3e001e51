//! Migrations: from nothing, twice, on a copy first, never backwards.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::{path::PathBuf, time::Instant};

use model::{Seq, Ts};
use place::Place;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use store::{OpenError, Options, Store, StoreUrl};

#[path = "support/place.rs"]
#[allow(dead_code)]
pub mod place;

on_both_engines!(
    a_new_store_is_migrated_and_a_second_start_changes_nothing,
    a_store_that_is_newer_is_refused_with_both_versions,
    an_altered_migration_is_refused_by_its_number,
);

/// Runs a statement behind the store's back.
async fn behind(place: &Place, sql: &'static str) {
    match &place.url {
        StoreUrl::Sqlite(path) => {
            let url = format!("sqlite:{}", path.display());
            let mut conn = SqliteConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
        }
        StoreUrl::Postgres(url) => {
            let mut conn = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
            conn.close().await.unwrap();
        }
    }
}

async fn close(store: Store) {
    store.close().await;
}

async fn a_new_store_is_migrated_and_a_second_start_changes_nothing(place: Place) {
    let started = Instant::now();
    let store = place.open().await;
    println!("a new store was open after {:?}", started.elapsed());
    let id = store.store_id().to_owned();
    assert_eq!(store.head(), Seq(0));
    close(store).await;
    let store = place.open().await;
    assert_eq!(store.store_id(), id);
    close(store).await;
}

async fn a_store_that_is_newer_is_refused_with_both_versions(place: Place) {
    close(place.open().await).await;
    behind(&place, "INSERT INTO migrations VALUES (9000, 'later', 'x', '7.8.9', 0)").await;
    let error = Store::open(&place.url, place.options()).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { store_schema: 9000, .. }), "{error}");
    assert!(
        error.to_string().contains("7.8.9") && error.to_string().contains(env!("CARGO_PKG_VERSION")),
        "{error}"
    );
}

async fn an_altered_migration_is_refused_by_its_number(place: Place) {
    close(place.open().await).await;
    behind(&place, "UPDATE migrations SET hash = 'x' WHERE number = 2").await;
    let error = Store::open(&place.url, place.options()).await.unwrap_err();
    assert!(matches!(error, OpenError::Altered { number: 2 }), "{error}");
}

fn beside(place: &Place, suffix: &str) -> PathBuf {
    let StoreUrl::Sqlite(path) = &place.url else { panic!("only files have neighbours") };
    PathBuf::from(format!("{}{suffix}", path.display()))
}

#[tokio::test]
async fn a_file_is_migrated_on_a_copy_first_and_the_copy_from_before_stays_until_the_next_start() {
    let place = Place::sqlite();
    let store = place.ready().await;
    let id = store.store_id().to_owned();
    close(store).await;
    behind(&place, "DELETE FROM migrations WHERE number = 9; DROP TABLE log_lines").await;
    let store = place.open().await;
    assert_eq!((store.store_id(), store.head()), (id.as_str(), Seq(1)));
    assert!(beside(&place, ".before-migration").exists());
    assert!(!beside(&place, ".trial").exists());
    close(store).await;
    close(place.open().await).await;
    assert!(!beside(&place, ".before-migration").exists());
}

#[tokio::test]
async fn a_migration_that_fails_on_the_copy_does_not_touch_the_store() {
    let place = Place::sqlite();
    close(place.ready().await).await;
    // The table is there already, so that making it fails.
    behind(&place, "DELETE FROM migrations WHERE number = 9").await;
    let error = Store::open(&place.url, place.options()).await.unwrap_err();
    assert!(matches!(error, OpenError::Trial(_)), "{error}");
    assert!(beside(&place, ".before-migration").exists() && !beside(&place, ".trial").exists());
    behind(&place, "DROP TABLE log_lines").await;
    close(place.open().await).await;
}

#[tokio::test]
async fn a_database_that_is_not_there_cannot_be_opened_and_the_password_is_not_said() {
    let url = StoreUrl::parse("postgres://vt:hunter2@127.0.0.1:x/db?password=hunter2");
    assert!(!format!("{url:?} {url}").contains("hunter2"), "{url:?}");
    let options = Options::new(std::sync::Arc::new(|| Ts(0)));
    let error = Store::open(&url, options).await.unwrap_err();
    assert!(matches!(error, OpenError::Address(_)), "{error}");
    assert_eq!(StoreUrl::parse("sqlite:a/b.db"), StoreUrl::Sqlite("a/b.db".into()));
    assert_eq!(StoreUrl::parse("a/b.db").to_string(), "sqlite:a/b.db");
}
