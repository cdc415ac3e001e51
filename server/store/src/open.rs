//! Opening: the lock, the copy, the migrations.
//!
//! One process serves a SQLite file. A pending migration is tried on a copy first; a second copy, from before
//! it, stays beside the store until the next start.

use std::{
    fs::{self, File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    str::FromStr as _,
};

use model::Ts;
use sqlx::postgres::PgConnectOptions;

use crate::{
    OpenError, Options, StoreError, StoreUrl, backup, migrate,
    pool::{Pool, row},
    presence::Presence,
    store::{META, Meta},
};

const OP: &str = "open the store";

pub(crate) struct Opened {
    pub(crate) pool: Pool,
    pub(crate) meta: Meta,
    pub(crate) lock: Option<File>,
    pub(crate) presence: Option<Presence>,
}

pub(crate) async fn open(url: &StoreUrl, options: &Options) -> Result<Opened, OpenError> {
    let now = (options.clock)();
    let (pool, lock, presence) = match url {
        StoreUrl::Sqlite(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder)
                    .map_err(|source| OpenError::Lock { path: shown(folder), source })?;
            }
            let lock = lock(path)?;
            for suffix in backup::PASSING {
                remove(&beside(path, suffix))?;
            }
            let pool = Pool::sqlite(path, options.readers).await?;
            prepare(&pool, path, now).await?;
            let presence = Presence::of(path)
                .map_err(|source| StoreError::Unavailable { op: OP, source: source.into() })?;
            (pool, Some(lock), Some(presence))
        }
        StoreUrl::Postgres(url) => {
            let parsed = PgConnectOptions::from_str(url).map_err(|error| OpenError::Address(error.into()))?;
            let pool = Pool::postgres(parsed, options.readers).await?;
            if migrate::look(&pool).await?.1 > 0 {
                migrate::run(&pool, now, &new_store_id()?).await?;
            }
            (pool, None, None)
        }
    };
    let mut tx = pool.snapshot().await.map_err(|error| StoreError::of(OP, error))?;
    let meta = row!(&mut tx, OP, Meta, META)?.ok_or_else(|| StoreError::damaged(OP, "the identity"))?;
    Ok(Opened { pool, meta, lock, presence })
}

/// 128 random bits in hex.
pub(crate) fn new_store_id() -> Result<String, StoreError> {
    let mut bits = [0_u8; 16];
    getrandom::fill(&mut bits)
        .map_err(|error| StoreError::Other { op: OP, source: error.to_string().into() })?;
    Ok(bits.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes the lock file beside the store and writes our process id into it.
pub(crate) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = beside(path, ".lock");
    let failed = |source| OpenError::Lock { path: shown(&lock_path), source };
    let mut file = File::options()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(&lock_path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // What is in there is only a hint, and may be half written.
            let readable = file.read_to_string(&mut pid).is_ok();
            let pid = Some(pid.trim().to_owned()).filter(|pid| readable && pid.parse::<u32>().is_ok());
            return Err(OpenError::InUse { path: shown(path), pid: pid.unwrap_or_else(|| "unknown".into()) });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    write!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

/// Migrates a file; one with data in it only after a copy of it could be migrated.
async fn prepare(pool: &Pool, path: &Path, now: Ts) -> Result<(), OpenError> {
    let (kept, trial) = (beside(path, ".before-migration"), beside(path, ".trial"));
    let (has_data, n_pending) = migrate::look(pool).await?;
    // The copy of the start before this one has done its service.
    remove(&kept)?;
    if n_pending == 0 {
        return Ok(());
    }
    if has_data {
        copy(pool, &kept).await?;
        remove(&trial)?;
        copy(pool, &trial).await?;
        let tried = Pool::sqlite(&trial, 1).await?;
        let result = migrate::run(&tried, now, "").await;
        tried.close().await;
        remove(&trial)?;
        result.map_err(|error| match error {
            OpenError::Store(error) => OpenError::Trial(error),
            other => other,
        })?;
    }
    migrate::run(pool, now, &new_store_id()?).await
}

/// One consistent copy of a whole file.
async fn copy(pool: &Pool, to: &Path) -> Result<(), StoreError> {
    const OP: &str = "copy the store before migrating it";
    let Pool::Sqlite { writer, .. } = pool else { return Ok(()) };
    let to = to.to_str().ok_or_else(|| StoreError::refused(OP, "its path is not text"))?;
    sqlx::query("VACUUM INTO $1")
        .bind(to)
        .execute(writer)
        .await
        .map_err(|error| StoreError::of(OP, error))?;
    Ok(())
}

/// Removes a database file and what belongs to it.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    const OP: &str = "remove an old copy of the store";
    for suffix in ["", "-wal", "-shm"] {
        match fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Unavailable { op: OP, source: error.into() });
            }
            _ => {}
        }
    }
    Ok(())
}
