//! The handle: who holds the pool, the head of the journal and the wake-ups.

use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use model::{Seq, Ts};
use tokio::sync::watch;

use crate::{
    Clock, OpenError, Options, Reader, Session, StoreError, StoreUrl, Token,
    known::Known,
    open,
    pool::{Pool, row},
    presence::Presence,
    timing::{Timed, Timing},
    write::Write,
};

/// The store. Clones share everything.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) pool: Pool,
    pub(crate) clock: Clock,
    pub(crate) store_id: String,
    pub(crate) opened_at: Ts,
    head: watch::Sender<Seq>,
    logs: watch::Sender<i64>,
    last_read_at: AtomicI64,
    // Held until the store is closed; other processes read it.
    lock: Option<File>,
    presence: Option<Presence>,
    pub(crate) reads: Timing,
    pub(crate) writes: Timing,
    pub(crate) tokens: Known<Token>,
    pub(crate) sessions: Known<Session>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Meta {
    pub(crate) store_id: String,
    pub(crate) seq: i64,
    pub(crate) recorded_at: i64,
    pub(crate) last_log: i64,
}

pub(crate) const META: &str =
    "SELECT m.store_id, h.seq, h.recorded_at, h.last_log FROM meta m CROSS JOIN journal_head h";

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("store_id", &self.inner.store_id).field("head", &self.head()).finish()
    }
}

impl Store {
    /// Opens a store: makes it when it is not there, migrates it when it is older than this build.
    ///
    /// # Errors
    /// [`OpenError`] when somebody else serves the file, when the store is newer than this build, and when it
    /// cannot be reached or migrated.
    pub async fn open(url: &StoreUrl, options: Options) -> Result<Store, OpenError> {
        let open::Opened { pool, meta, lock, presence } = open::open(url, &options).await?;
        let opened_at = (options.clock)().max(Ts(meta.recorded_at));
        let only_writer = matches!(pool, Pool::Sqlite { .. });
        Ok(Store {
            inner: Arc::new(Inner {
                pool,
                clock: options.clock,
                store_id: meta.store_id,
                opened_at,
                head: watch::Sender::new(Seq(meta.seq)),
                logs: watch::Sender::new(meta.last_log),
                last_read_at: AtomicI64::new(opened_at.0),
                lock,
                presence,
                reads: Timing::default(),
                writes: Timing::default(),
                tokens: Known::new(only_writer),
                sessions: Known::new(only_writer),
            }),
        })
    }

    /// The random id of this store. Cursors of another one are worth nothing here.
    #[must_use]
    pub fn store_id(&self) -> &str {
        &self.inner.store_id
    }

    /// The newest committed sequence that this process knows of.
    #[must_use]
    pub fn head(&self) -> Seq {
        *self.inner.head.borrow()
    }

    /// Raised after each commit. Carries no data: subscribe first, then read.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Seq> {
        self.inner.head.subscribe()
    }

    /// Raised with the id of the newest log line; lines are not in the journal.
    #[must_use]
    pub fn watch_logs(&self) -> watch::Receiver<i64> {
        self.inner.logs.subscribe()
    }

    /// The store's clock. [`Reader::now`] is never before what was recorded.
    #[must_use]
    pub fn now(&self) -> Ts {
        (self.inner.clock)()
    }

    /// When the store last answered a read of this process.
    #[must_use]
    pub fn last_read_at(&self) -> Ts {
        Ts(self.inner.last_read_at.load(Ordering::Relaxed))
    }

    /// Reads the head from the database, for commits of other processes.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn refresh_head(&self) -> Result<Seq, StoreError> {
        const OP: &str = "read the head of the journal";
        let mut tx = self.inner.pool.snapshot().await.map_err(|error| StoreError::of(OP, error))?;
        let meta =
            row!(&mut tx, OP, Meta, META)?.ok_or_else(|| StoreError::damaged(OP, "the journal's head"))?;
        self.inner.is_there(OP)?;
        self.inner.raise(Seq(meta.seq), meta.last_log);
        self.inner.has_read();
        Ok(self.head())
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`StoreError`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.refresh_head().await.map(drop)
    }

    /// One snapshot to read from.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn read(&self) -> Result<Reader, StoreError> {
        Reader::begin(&self.inner).await
    }

    /// How long reads have waited for their snapshots, and how long writes took from the first wait until they were
    /// on disk.
    #[must_use]
    pub fn timings(&self) -> (Timed, Timed) {
        (self.inner.reads.read(), self.inner.writes.read())
    }

    /// Waits for running work, closes every connection and gives the file to whoever opens it next. Clones that
    /// are left get an error.
    pub async fn close(&self) {
        self.inner.pool.close().await;
        // Dropping the file would not do: a task on its way out may have a clone, and a child that is just being
        // started has every descriptor of ours until it is another program. The lock is the file's, not theirs.
        if let Some(lock) = &self.inner.lock
            && let Err(error) = lock.unlock()
        {
            tracing::warn!(%error, "could not give the store's lock back; it ends with this process");
        }
    }

    pub(crate) async fn write(&self, op: &'static str) -> Result<Write, StoreError> {
        Write::begin(&self.inner, op).await
    }
}

impl Inner {
    /// Wakes whoever waits for something newer.
    pub(crate) fn raise(&self, seq: Seq, last_log: i64) {
        fn up<T: Ord + Copy>(sender: &watch::Sender<T>, to: T) {
            sender.send_if_modified(|now| {
                let newer = to > *now;
                if newer {
                    *now = to;
                }
                newer
            });
        }
        up(&self.head, seq);
        up(&self.logs, last_log);
    }

    /// Refuses to go on where what is written now would be lost at the next start.
    pub(crate) fn is_there(&self, op: &'static str) -> Result<(), StoreError> {
        self.presence.as_ref().map_or(Ok(()), |presence| presence.check(op))
    }

    pub(crate) fn has_read(&self) {
        self.last_read_at.fetch_max((self.clock)().0, Ordering::Relaxed);
    }
}
