//! Two engines behind one face: pools, transactions, and the macros that send one text to either.
//!
//! A text that both engines understand is a `&'static str`; where they must differ it is a [`Sql`] with both
//! side by side. No text is ever made from data: lists travel as one JSON parameter.

use std::{path::Path, time::Duration};

use sqlx::{
    ConnectOptions, PgPool, Postgres, Sqlite, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::StoreError;

/// How long anybody waits for a connection, or for a lock of SQLite.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a connection to SQLite keeps of its file, in KiB below zero. Readers are many, and find in the page cache of
/// the machine what they do not keep.
const WRITER_CACHE: &str = "-32000";
const READER_CACHE: &str = "-2000";

/// One text for each engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// A text, or one for each engine.
pub(crate) trait Text: Copy {
    fn sqlite(self) -> &'static str;
    fn postgres(self) -> &'static str;
}

impl Text for &'static str {
    fn sqlite(self) -> &'static str {
        self
    }
    fn postgres(self) -> &'static str {
        self
    }
}

impl Text for Sql {
    fn sqlite(self) -> &'static str {
        self.sqlite
    }
    fn postgres(self) -> &'static str {
        self.postgres
    }
}

/// Connections to one of the two engines.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    /// One writer, several readers.
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    /// Writers get their order from an advisory lock.
    Postgres(PgPool),
}

/// A transaction on one of the two engines. Dropped without [`Tx::commit`] it leaves nothing.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Runs the same expression with a connection of whichever engine it is.
macro_rules! on {
    ($tx:expr, |$conn:ident| $body:expr) => {
        match $tx {
            $crate::pool::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::pool::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}

/// Runs one statement; answers how many rows it touched.
macro_rules! exec {
    ($tx:expr, $op:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        use $crate::pool::Text as _;
        match $tx {
            $crate::pool::Tx::Sqlite(tx) => sqlx::query::<sqlx::Sqlite>($sql.sqlite())
                $(.bind($bind))*.execute(&mut **tx).await.map(|done| done.rows_affected()),
            $crate::pool::Tx::Postgres(tx) => sqlx::query::<sqlx::Postgres>($sql.postgres())
                $(.bind($bind))*.execute(&mut **tx).await.map(|done| done.rows_affected()),
        }
        .map_err(|error| $crate::StoreError::of($op, error))
    }};
}

macro_rules! fetch {
    ($how:ident, $tx:expr, $op:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        use $crate::pool::Text as _;
        match $tx {
            $crate::pool::Tx::Sqlite(tx) => sqlx::query_as::<sqlx::Sqlite, $row>($sql.sqlite())
                $(.bind($bind))*.$how(&mut **tx).await,
            $crate::pool::Tx::Postgres(tx) => sqlx::query_as::<sqlx::Postgres, $row>($sql.postgres())
                $(.bind($bind))*.$how(&mut **tx).await,
        }
        .map_err(|error| $crate::StoreError::of($op, error))
    }};
}

/// All rows of one query.
macro_rules! rows {
    ($($all:tt)*) => { $crate::pool::fetch!(fetch_all, $($all)*) };
}

/// The first row of one query, if there is one.
macro_rules! row {
    ($($all:tt)*) => { $crate::pool::fetch!(fetch_optional, $($all)*) };
}

/// A query over the rows of a JSON list in `$1`, called `j`; each row is itself a list, read with
/// `j.value ->> 0`.
macro_rules! with_list {
    ($before:expr, $after:expr) => {
        $crate::pool::Sql {
            sqlite: concat!($before, " json_each($1) AS j ", $after),
            postgres: concat!($before, " jsonb_array_elements($1::jsonb) AS j(value) ", $after),
        }
    };
}

/// Inserts the objects of a JSON list in `$1`; their fields are the columns.
macro_rules! bulk_insert {
    ($table:literal ($c0:ident: $t0:ident $(, $c:ident: $t:ident)* $(,)?) $tail:expr) => {
        $crate::pool::Sql {
            sqlite: concat!(
                "INSERT INTO ", $table, " (", stringify!($c0) $(, ", ", stringify!($c))*, ") SELECT value ->> '",
                stringify!($c0), "'" $(, ", value ->> '", stringify!($c), "'")*,
                " FROM json_each($1) WHERE true ", $tail
            ),
            postgres: concat!(
                "INSERT INTO ", $table, " (", stringify!($c0) $(, ", ", stringify!($c))*, ") SELECT (value ->> '",
                stringify!($c0), "')::", stringify!($t0) $(, ", (value ->> '", stringify!($c), "')::", stringify!($t))*,
                " FROM jsonb_array_elements($1::jsonb) AS j(value) WHERE true ", $tail
            ),
        }
    };
}

pub(crate) use {bulk_insert, exec, fetch, on, row, rows, with_list};

const OPEN: &str = "open the store";

impl Pool {
    /// One writer and some readers on a file, which is made when it is not there.
    pub(crate) async fn sqlite(path: &Path, n_readers: u32) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Acknowledged means on disk, through a power cut as well.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            // An I/O error on a mapped page is a signal, and no error.
            .pragma("mmap_size", "0")
            .pragma("cache_size", WRITER_CACHE)
            // Pages of indexes change again and again: the longer a checkpoint waits, the fewer times each is copied.
            .pragma("wal_autocheckpoint", "2000")
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        let sizes = |n: u32| {
            SqlitePoolOptions::new().max_connections(n).acquire_timeout(PATIENCE).test_before_acquire(false)
        };
        let writer = sizes(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await
            .map_err(|error| StoreError::of(OPEN, error))?;
        let readers = sizes(n_readers.max(1)).connect_lazy_with(
            // A reader never makes an empty store where the file was taken away.
            options.create_if_missing(false).pragma("query_only", "on").pragma("cache_size", READER_CACHE),
        );
        Ok(Self::Sqlite { writer, readers })
    }

    /// Connections to a database.
    pub(crate) async fn postgres(options: PgConnectOptions, n_readers: u32) -> Result<Self, StoreError> {
        let options = options
            .application_name("vantage")
            .options([("statement_timeout", "60s"), ("idle_in_transaction_session_timeout", "120s")])
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(n_readers.max(1) + 4)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await
            .map_err(|error| StoreError::of(OPEN, error))?;
        Ok(Self::Postgres(pool))
    }

    /// A transaction that may write. It does not order itself: see `write.rs`.
    pub(crate) async fn begin(&self) -> Result<Tx, sqlx::Error> {
        match self {
            Self::Sqlite { writer, .. } => match writer.begin_with("BEGIN IMMEDIATE").await {
                // When the disk is full, the engine rolls back by itself; sqlx goes on counting a transaction that
                // is none, and every later one would be refused. Such a connection is of no use any more.
                Err(sqlx::Error::InvalidSavePointStatement) => {
                    writer.acquire().await?.close().await?;
                    writer.begin_with("BEGIN IMMEDIATE").await.map(Tx::Sqlite)
                }
                begun => begun.map(Tx::Sqlite),
            },
            Self::Postgres(pool) => pool.begin().await.map(Tx::Postgres),
        }
    }

    /// A snapshot that only reads. On SQLite the first statement takes it.
    pub(crate) async fn snapshot(&self) -> Result<Tx, sqlx::Error> {
        match self {
            Self::Sqlite { readers, .. } => readers.begin_with("BEGIN").await.map(Tx::Sqlite),
            Self::Postgres(pool) => {
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map(Tx::Postgres)
            }
        }
    }

    /// Waits for running work and closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn acknowledged_means_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let pool = Pool::sqlite(&folder.path().join("vantage.db"), 2).await.unwrap();
        for mut tx in [pool.begin().await.unwrap(), pool.snapshot().await.unwrap()] {
            let mut number =
                async |sql: &'static str| row!(&mut tx, "ask", (i64,), sql).unwrap().map(|(n,)| n);
            // 2 is FULL: a commit waits for the disk, and a power cut takes nothing that was acknowledged.
            assert_eq!(number("PRAGMA synchronous").await, Some(2));
            assert_eq!(number("PRAGMA foreign_keys").await, Some(1));
            assert_eq!(number("PRAGMA busy_timeout").await, Some(10_000));
            assert_eq!(number("PRAGMA mmap_size").await, Some(0));
            assert_eq!(
                row!(&mut tx, "ask", (String,), "PRAGMA journal_mode").unwrap(),
                Some(("wal".to_owned(),))
            );
        }
        let mut reader = pool.snapshot().await.unwrap();
        assert!(exec!(&mut reader, "write", "CREATE TABLE x (y INTEGER)").is_err(), "readers only read");
    }

    #[tokio::test]
    async fn a_full_disk_is_said_to_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let pool = Pool::sqlite(&folder.path().join("vantage.db"), 1).await.unwrap();
        let mut tx = pool.begin().await.unwrap();
        rows!(&mut tx, "limit", (i64,), "PRAGMA max_page_count = 8").unwrap();
        exec!(&mut tx, "make a table", "CREATE TABLE x (y TEXT)").unwrap();
        let error = exec!(&mut tx, "fill it", "INSERT INTO x VALUES (zeroblob(100000))").unwrap_err();
        assert!(matches!(error, StoreError::Full { op: "fill it", .. }), "{error:?}");
        assert!(error.is_retryable());
        drop(tx);
        // The engine has rolled back by itself; the next writer starts afresh.
        let mut tx = pool.begin().await.unwrap();
        exec!(&mut tx, "make a table", "CREATE TABLE x (y TEXT)").unwrap();
        tx.commit().await.unwrap();
    }
}
