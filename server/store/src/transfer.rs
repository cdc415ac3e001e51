//! Moving a store from SQLite to PostgreSQL: table by table, all or nothing.
//!
//! Everything is copied in one transaction and counted before it commits, so a move that was interrupted left nothing
//! and is simply begun again. The store keeps its id, because it is the same store. The file is only read.

use model::Seq;
use serde_json::{Map, Value};
use sqlx::{
    Column as _, Row as _, TypeInfo as _, ValueRef as _, postgres::PgConnectOptions, sqlite::SqliteRow,
};

use crate::{
    OpenError, Options, Store, StoreError, StoreUrl, migrate,
    pool::{Pool, Tx, exec, row},
    store::{META, Meta},
    text::to_json,
    write::LOCK,
};

const OP: &str = "move the store";
/// Rows of one step.
const BATCH: i64 = 500;

struct Table {
    name: &'static str,
    read: &'static str,
    write: &'static str,
    count: &'static str,
    clear: &'static str,
}

macro_rules! tables {
    ($($name:literal),* $(,)?) => {
        &[$(Table {
            name: $name,
            read: concat!("SELECT rowid AS vt_row, * FROM ", $name, " WHERE rowid > $1 ORDER BY rowid LIMIT $2"),
            write: concat!("INSERT INTO ", $name, " SELECT * FROM jsonb_populate_recordset(NULL::", $name, ", $1::jsonb)"),
            count: concat!("SELECT count(*) FROM ", $name),
            clear: concat!("DELETE FROM ", $name),
        }),*]
    };
}

/// Every table but `migrations`, those that others refer to first. A test compares it with the schema.
const TABLES: &[Table] = tables![
    "meta",
    "journal_head",
    "journal",
    "sources",
    "recording_gaps",
    "object_keys",
    "objects",
    "object_refs",
    "object_versions",
    "condition_segments",
    "verdicts",
    "verdict_segments",
    "events",
    "apps",
    "envs",
    "releases",
    "receipts",
    "waits",
    "idempotency_keys",
    "audit",
    "tokens",
    "sessions",
    "sign_in_links",
    "log_lines",
];

/// How far a move has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Which table.
    pub table: &'static str,
    /// Which of how many tables.
    pub n_table: usize,
    /// How many tables there are.
    pub n_tables: usize,
    /// Rows of this table that were copied.
    pub done: i64,
    /// Rows that it has.
    pub all: i64,
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The store's id, there and here.
    pub store_id: String,
    /// The head of its journal.
    pub head: Seq,
    /// Rows by table.
    pub rows: Vec<(&'static str, i64)>,
}

/// Copies a SQLite store that nobody serves into an empty PostgreSQL database.
///
/// # Errors
/// [`OpenError::InUse`] while a server has the file open, [`OpenError::NotEmpty`] where a store is at the other end.
/// After any error the other end holds no store.
pub async fn transfer(
    from: &StoreUrl,
    to: &StoreUrl,
    options: Options,
    mut progress: impl FnMut(Step),
) -> Result<Moved, OpenError> {
    let StoreUrl::Postgres(url) = to else {
        return Err(StoreError::refused(OP, "a store moves to postgres://…").into());
    };
    let StoreUrl::Sqlite(path) = from else {
        return Err(StoreError::refused(OP, "it is on PostgreSQL already").into());
    };
    if !path.exists() {
        return Err(OpenError::NotAStore { path: path.display().to_string() });
    }
    let parsed: PgConnectOptions =
        url.parse().map_err(|error: sqlx::Error| OpenError::Address(error.into()))?;
    let now = (options.clock)();
    let store = Store::open(from, options).await?;
    let pool = Pool::postgres(parsed, 1).await?;
    let moved = async {
        migrate::look(&pool).await?;
        migrate::run(&pool, now, store.store_id()).await?;
        let mut here = store.inner.pool.snapshot().await.map_err(|error| StoreError::of(OP, error))?;
        let mut there = pool.begin().await.map_err(|error| StoreError::of(OP, error))?;
        // Whoever else would write there waits until we are done.
        row!(&mut there, OP, (), LOCK)?;
        let Meta { seq, recorded_at, last_log, .. } =
            row!(&mut there, OP, Meta, META)?.ok_or_else(|| StoreError::damaged(OP, "the identity"))?;
        if (seq, recorded_at, last_log) != (0, 0, 0) {
            return Err(OpenError::NotEmpty { place: to.to_string() });
        }
        let mut rows = Vec::new();
        for (n, table) in TABLES.iter().enumerate() {
            let step =
                |done, all| Step { table: table.name, n_table: n + 1, n_tables: TABLES.len(), done, all };
            rows.push((
                table.name,
                copy(table, &mut here, &mut there, |done, all| progress(step(done, all))).await?,
            ));
        }
        let Meta { store_id, seq, .. } =
            row!(&mut there, OP, Meta, META)?.ok_or_else(|| StoreError::damaged(OP, "the identity"))?;
        if (store_id.as_str(), Seq(seq)) != (store.store_id(), store.head()) {
            return Err(StoreError::damaged(OP, "the copied journal's head").into());
        }
        there.commit().await.map_err(|error| StoreError::of(OP, error))?;
        Ok(Moved { store_id, head: Seq(seq), rows })
    }
    .await;
    pool.close().await;
    store.close().await;
    moved
}

async fn copy(
    table: &Table,
    here: &mut Tx,
    there: &mut Tx,
    mut progress: impl FnMut(i64, i64),
) -> Result<i64, OpenError> {
    let all = count(here, table).await?;
    // What migrating an empty database put there comes from the store itself.
    exec!(there, OP, table.clear)?;
    let (mut done, mut last) = (0, 0);
    progress(done, all);
    loop {
        let Tx::Sqlite(conn) = &mut *here else { return Err(StoreError::damaged(OP, "the engine").into()) };
        let rows = sqlx::query(table.read).bind(last).bind(BATCH).fetch_all(&mut **conn).await;
        let rows = rows.map_err(|error| StoreError::of(OP, error))?;
        let Some(newest) = rows.last() else { break };
        last = newest.try_get("vt_row").map_err(|error| StoreError::of(OP, error))?;
        let objects: Result<Vec<Value>, sqlx::Error> = rows.iter().map(object).collect();
        let objects = objects.map_err(|error| StoreError::of(OP, error))?;
        exec!(there, OP, table.write, to_json(&objects))?;
        done += i64::try_from(objects.len()).expect("a batch is small");
        progress(done, all);
    }
    let arrived = count(there, table).await?;
    if arrived != all {
        return Err(OpenError::Miscounted { table: table.name, sent: all, arrived });
    }
    Ok(all)
}

async fn count(tx: &mut Tx, table: &Table) -> Result<i64, StoreError> {
    Ok(row!(tx, OP, (i64,), table.count)?.map_or(0, |(n,)| n))
}

/// A row as PostgreSQL reads rows: bytes in hex behind a backslash.
fn object(row: &SqliteRow) -> Result<Value, sqlx::Error> {
    let mut object = Map::new();
    for column in row.columns().iter().filter(|column| column.name() != "vt_row") {
        let at = column.ordinal();
        let raw = row.try_get_raw(at)?;
        let ty = if raw.is_null() { "NULL".to_owned() } else { raw.type_info().name().to_owned() };
        let value = match ty.as_str() {
            "NULL" => Value::Null,
            "INTEGER" => row.try_get::<i64, _>(at)?.into(),
            "REAL" => row.try_get::<f64, _>(at)?.into(),
            "BLOB" => {
                let bytes: Vec<u8> = row.try_get(at)?;
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("\\x{hex}").into()
            }
            _ => row.try_get::<String, _>(at)?.into(),
        };
        object.insert(column.name().to_owned(), value);
    }
    Ok(Value::Object(object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::rows;

    #[tokio::test]
    async fn every_table_of_the_schema_is_moved() {
        let folder = tempfile::tempdir().unwrap();
        let pool = Pool::sqlite(&folder.path().join("vantage.db"), 1).await.unwrap();
        migrate::run(&pool, model::Ts(0), "x").await.unwrap();
        let mut tx = pool.snapshot().await.unwrap();
        let found = rows!(
            &mut tx,
            "look",
            (String,),
            "SELECT name FROM sqlite_schema WHERE type = 'table' \
            AND name NOT LIKE 'sqlite_%' AND name <> 'migrations' ORDER BY name"
        )
        .unwrap();
        let found: Vec<String> = found.into_iter().map(|(name,)| name).collect();
        let mut listed: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        listed.sort_unstable();
        assert_eq!(found, listed, "a new table is listed in transfer.rs, after those that it refers to");
    }
}
