//! Backups: one consistent copy of a SQLite store, and putting one into its place.
//!
//! A backup is itself a store, so it opens with any build that knows its schema. PostgreSQL has tools of its own for
//! this; here it is refused.

use std::{
    fs,
    path::{Path, PathBuf},
};

use model::Seq;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::{
    OpenError, Store, StoreError, StoreUrl, migrate,
    open::{beside, lock, new_store_id, remove, shown},
    pool::{Pool, exec, row},
    store::{META, Meta},
};

const CHECK: &str = "PRAGMA quick_check(1)";
const RENEW: &str = "UPDATE meta SET store_id = $1";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The id of its store.
    pub store_id: String,
    /// The head of its journal.
    pub head: Seq,
    /// Its size.
    pub n_bytes: u64,
}

impl Store {
    /// Writes a consistent copy of everything that is committed now. Writers do not wait for it.
    ///
    /// # Errors
    /// [`StoreError::Full`] where there is no room for a second copy; [`StoreError::Conflict`] on PostgreSQL.
    pub async fn backup(&self, to: &Path) -> Result<Backup, StoreError> {
        const OP: &str = "back the store up";
        let Pool::Sqlite { writer, .. } = &self.inner.pool else {
            return Err(StoreError::refused(OP, "PostgreSQL has tools of its own for this, like pg_dump"));
        };
        let failed = |error| StoreError::of(OP, error);
        let path = to.to_str().ok_or_else(|| StoreError::refused(OP, "the path is not text"))?;
        remove(to)?;
        // A connection of its own: the writer goes on, and readers may not write at all.
        let mut conn = writer.connect_options().as_ref().clone().connect().await.map_err(failed)?;
        let copied = sqlx::query("VACUUM INTO $1").bind(path).execute(&mut conn).await.map_err(failed);
        conn.close().await.map_err(failed)?;
        if let Err(error) = copied {
            remove(to)?;
            return Err(error);
        }
        let pool = Pool::sqlite(to, 1).await?;
        let found = look(&pool, OP).await;
        pool.close().await;
        let (store_id, head) = found?;
        Ok(Backup { store_id, head, n_bytes: size(OP, to)? })
    }
}

/// A backup that is ready to take a store's place.
#[derive(Debug)]
pub struct Incoming {
    path: PathBuf,
    /// What it holds; its store has a new id.
    pub backup: Backup,
}

impl Incoming {
    /// Checks that a file is a whole store of a schema that this build knows, and gives it a new id, so that cursors
    /// from before are recognised. The file is changed: hand in a copy.
    ///
    /// # Errors
    /// [`OpenError::NotAStore`], [`OpenError::Newer`], [`OpenError::Damaged`] and what [`Store::open`] answers.
    pub async fn prepare(path: &Path) -> Result<Self, OpenError> {
        const OP: &str = "read the backup";
        let not_a_store = |_| OpenError::NotAStore { path: shown(path) };
        let pool = Pool::sqlite(path, 1).await.map_err(not_a_store)?;
        let prepared = async {
            let (has_data, _) = migrate::look(&pool).await.map_err(|error| match error {
                OpenError::Store(error) if !error.is_retryable() => not_a_store(error),
                other => other,
            })?;
            if !has_data {
                return Err(OpenError::NotAStore { path: shown(path) });
            }
            let mut tx = pool.begin().await.map_err(|error| StoreError::of(OP, error))?;
            let found = row!(&mut tx, OP, (String,), CHECK)?.map(|(found,)| found).unwrap_or_default();
            if found != "ok" {
                return Err(OpenError::Damaged { path: shown(path), found });
            }
            exec!(&mut tx, OP, RENEW, new_store_id()?)?;
            tx.commit().await.map_err(|error| StoreError::of(OP, error))?;
            Ok(look(&pool, OP).await?)
        }
        .await;
        pool.close().await;
        let (store_id, head) = prepared?;
        let n_bytes = size(OP, path)?;
        Ok(Self { path: path.to_owned(), backup: Backup { store_id, head, n_bytes } })
    }

    /// Takes the place of a store that nobody has open. The store that was there is kept beside it, as
    /// `….before-restore`.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while a server has it open. Nothing was changed then.
    pub async fn replace(self, store: &StoreUrl) -> Result<Backup, OpenError> {
        let StoreUrl::Sqlite(path) = store else {
            return Err(
                StoreError::refused("restore the store", "PostgreSQL has tools of its own for this").into()
            );
        };
        let _lock = lock(path)?;
        let kept = beside(path, ".before-restore");
        remove(&kept)?;
        if path.exists() {
            // Opening and closing brings what a killed server left in the log into the file. One that is too damaged
            // for that is kept as it is, with its log.
            if let Ok(old) = Pool::sqlite(path, 1).await {
                old.close().await;
            }
            for suffix in ["-wal", "-shm"] {
                moved(&beside(path, suffix), &beside(&kept, suffix))?;
            }
            fs::hard_link(path, &kept).map_err(unavailable)?;
        }
        // From one moment to the next: a crash before it leaves the old store, a crash after it the new one.
        fs::rename(&self.path, path).map_err(unavailable)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::File::open(folder.unwrap_or(Path::new("."))).map_err(unavailable)?;
        folder.sync_all().map_err(unavailable)?;
        Ok(self.backup)
    }
}

impl Incoming {
    /// Puts the store from before the last restore back, where the restored one turned out not to work.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while somebody has it open, and where the disk refuses.
    pub fn undo(store: &StoreUrl) -> Result<(), OpenError> {
        let StoreUrl::Sqlite(path) = store else { return Ok(()) };
        let _lock = lock(path)?;
        let kept = beside(path, ".before-restore");
        remove(path)?;
        for suffix in ["-wal", "-shm", ""] {
            moved(&beside(&kept, suffix), &beside(path, suffix))?;
        }
        Ok(())
    }
}

fn unavailable(source: std::io::Error) -> StoreError {
    const OP: &str = "put the backup into the store's place";
    match source.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full { op: OP, source: source.into() },
        _ => StoreError::Unavailable { op: OP, source: source.into() },
    }
}

fn moved(from: &Path, to: &Path) -> Result<(), StoreError> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unavailable(error)),
        _ => Ok(()),
    }
}

async fn look(pool: &Pool, op: &'static str) -> Result<(String, Seq), StoreError> {
    let mut tx = pool.snapshot().await.map_err(|error| StoreError::of(op, error))?;
    let Meta { store_id, seq, .. } =
        row!(&mut tx, op, Meta, META)?.ok_or_else(|| StoreError::damaged(op, "the identity"))?;
    Ok((store_id, Seq(seq)))
}

fn size(op: &'static str, path: &Path) -> Result<u64, StoreError> {
    let found = fs::metadata(path).map_err(|source| StoreError::Unavailable { op, source: source.into() })?;
    Ok(found.len())
}

/// Copies that may be on their way, by what they are called beside the store.
pub(crate) const PASSING: [&str; 2] = [".backup", ".incoming"];

impl StoreUrl {
    /// Where a backup lies until it has been sent; `None` on PostgreSQL. What a killed server left there goes at the
    /// next start.
    #[must_use]
    pub fn outgoing(&self) -> Option<PathBuf> {
        self.passing(PASSING[0])
    }

    /// Where a backup lies until it takes the store's place; `None` on PostgreSQL.
    #[must_use]
    pub fn incoming(&self) -> Option<PathBuf> {
        self.passing(PASSING[1])
    }

    /// Whether a process has this store open. Of PostgreSQL nobody knows.
    #[must_use]
    pub fn is_served(&self) -> bool {
        match self {
            Self::Sqlite(path) => matches!(lock(path), Err(OpenError::InUse { .. })),
            Self::Postgres(_) => false,
        }
    }

    fn passing(&self, suffix: &str) -> Option<PathBuf> {
        match self {
            Self::Sqlite(path) => Some(beside(path, suffix)),
            Self::Postgres(_) => None,
        }
    }
}
