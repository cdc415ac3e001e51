//! Migrations: all pending ones in one transaction, never an edited one, never backwards.

use model::Ts;
use sha2::{Digest, Sha256};

use crate::{
    OpenError, StoreError,
    pool::{Pool, Tx, exec, on, row, rows},
};

/// One migration of both engines.
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

/// Every migration, in order.
pub(crate) const ALL: &[Migration] = migrations![
    1 "0001_journal",
    2 "0002_sources",
    3 "0003_objects",
    4 "0004_conditions",
    5 "0005_events",
    6 "0006_desired",
    7 "0007_receipts",
    8 "0008_access",
    9 "0009_logs",
    10 "0010_overview",
    11 "0011_observed_sources",
    12 "0012_search",
    13 "0013_event_kind",
    14 "0014_event_facets",
    15 "0015_failed_events",
    16 "0016_object_times",
    17 "0017_app_env_events",
];

const OP: &str = "migrate the store";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, \
    hash TEXT NOT NULL, written_by TEXT NOT NULL, applied_at BIGINT NOT NULL)";
const APPLIED: &str = "SELECT number, hash, written_by FROM migrations ORDER BY number";
const REMEMBER: &str =
    "INSERT INTO migrations (number, name, hash, written_by, applied_at) VALUES ($1, $2, $3, $4, $5)";
const HAS_META: &str = "SELECT id FROM meta";
const META: &str = "INSERT INTO meta (id, store_id, created_at, recorded_since) VALUES (1, $1, $2, $2)";
const HEAD: &str =
    "INSERT INTO journal_head (id, seq, recorded_at, last_id, last_log) VALUES (1, 0, 0, 0, 0)";
// Only one process migrates at a time; the table itself may not exist yet.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7271, hashtext(current_schema()))";

#[derive(sqlx::FromRow)]
struct Applied {
    number: i64,
    hash: String,
    written_by: String,
}

impl Migration {
    /// SHA-256 of the engine's own text, in hex.
    fn hash(text: &str) -> String {
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Numbers of the migrations that a store lacks; refuses one that is newer or altered.
fn pending(
    applied: &[Applied],
    of_engine: fn(&Migration) -> &'static str,
) -> Result<Vec<&'static Migration>, OpenError> {
    let newest = ALL.last().map_or(0, |migration| migration.number);
    if let Some(theirs) = applied.last().filter(|theirs| theirs.number > newest) {
        return Err(OpenError::Newer {
            store_schema: theirs.number,
            store_version: theirs.written_by.clone(),
            binary_schema: newest,
            binary_version: VERSION.to_owned(),
        });
    }
    let mut missing = vec![];
    for migration in ALL {
        match applied.iter().find(|applied| applied.number == migration.number) {
            Some(applied) if applied.hash == Migration::hash(of_engine(migration)) => {}
            Some(_) => return Err(OpenError::Altered { number: migration.number }),
            None => missing.push(migration),
        }
    }
    Ok(missing)
}

async fn begin(pool: &Pool) -> Result<Tx, StoreError> {
    let mut tx = pool.begin().await.map_err(|error| StoreError::of(OP, error))?;
    if let Tx::Postgres(tx) = &mut tx {
        sqlx::query(LOCK).execute(&mut **tx).await.map_err(|error| StoreError::of(OP, error))?;
    }
    Ok(tx)
}

async fn applied(tx: &mut Tx) -> Result<Vec<Applied>, StoreError> {
    exec!(tx, OP, TABLE)?;
    rows!(tx, OP, Applied, APPLIED)
}

fn text_of(tx: &Tx) -> fn(&Migration) -> &'static str {
    match tx {
        Tx::Sqlite(_) => |migration| migration.sqlite,
        Tx::Postgres(_) => |migration| migration.postgres,
    }
}

/// What there is to do, without doing it: whether the store has data, and how many migrations it lacks.
pub(crate) async fn look(pool: &Pool) -> Result<(bool, usize), OpenError> {
    let mut tx = begin(pool).await?;
    let applied = applied(&mut tx).await?;
    let missing = pending(&applied, text_of(&tx))?;
    Ok((!applied.is_empty(), missing.len()))
}

/// Applies what is missing. Running it twice is running it once.
pub(crate) async fn run(pool: &Pool, now: Ts, store_id: &str) -> Result<(), OpenError> {
    let mut tx = begin(pool).await?;
    let applied = applied(&mut tx).await?;
    let of_engine = text_of(&tx);
    for migration in pending(&applied, of_engine)? {
        let text = of_engine(migration);
        on!(&mut tx, |conn| sqlx::raw_sql(text).execute(conn).await.map(drop))
            .map_err(|error| StoreError::of(OP, error))?;
        exec!(
            &mut tx,
            OP,
            REMEMBER,
            migration.number,
            migration.name,
            Migration::hash(text),
            VERSION,
            now.0
        )?;
        tracing::info!(migration.name = migration.name, "migrated the store");
    }
    if row!(&mut tx, OP, (i64,), HAS_META)?.is_none() {
        exec!(&mut tx, OP, META, store_id, now.0)?;
        exec!(&mut tx, OP, HEAD)?;
    }
    tx.commit().await.map_err(|error| StoreError::of(OP, error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn both_engines_have_the_same_files_and_all_of_them_are_listed() {
        let listed: BTreeSet<String> =
            ALL.iter().map(|migration| format!("{}.sql", migration.name)).collect();
        for engine in ["sqlite", "postgres"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(engine);
            let found: BTreeSet<String> = fs::read_dir(folder)
                .expect("the folder of migrations")
                .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
                .collect();
            assert_eq!(found, listed, "{engine}");
        }
    }

    #[test]
    fn numbers_are_those_of_the_names_and_have_no_holes() {
        for (i, migration) in ALL.iter().enumerate() {
            assert_eq!(migration.number, i64::try_from(i + 1).expect("few"));
            assert!(migration.name.starts_with(&format!("{:04}_", migration.number)), "{}", migration.name);
        }
    }

    #[test]
    fn a_newer_store_is_refused_with_both_versions_and_an_altered_one_by_its_number() {
        let row = |number, hash: &str| Applied { number, hash: hash.into(), written_by: "9.9.9".into() };
        let newer = pending(&[row(10_000, "x")], |m| m.sqlite).err().expect("refused").to_string();
        assert!(newer.contains("9.9.9") && newer.contains("10000") && newer.contains(VERSION), "{newer}");
        assert!(matches!(pending(&[row(1, "x")], |m| m.sqlite), Err(OpenError::Altered { number: 1 })));
    }
}
