//! The writing transaction: ordered by one lock, with journal rows that leave no holes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use model::{ObjectKey, Seq, Ts};
use serde::Serialize;

use crate::{
    JournalKind, StoreError,
    bulk::{self, Cell, Table, bulk_table},
    pool::{Sql, Tx, bulk_insert, exec, row, rows, with_list},
    store::Inner,
    text::to_json,
};

/// One writing transaction. Dropped without [`Write::commit`] it leaves nothing, and no number is lost.
pub(crate) struct Write {
    pub(crate) tx: Tx,
    /// When this is recorded: the clock, and never before what was recorded earlier.
    pub(crate) now: Ts,
    op: &'static str,
    inner: Arc<Inner>,
    head: Head,
    begun: Instant,
    rows: Vec<[Cell; 6]>,
    moved: bool,
    /// Those that were asked for.
    envs: BTreeMap<(String, String), Option<i64>>,
}

#[derive(Clone, sqlx::FromRow)]
struct Head {
    seq: i64,
    recorded_at: i64,
    last_id: i64,
    last_log: i64,
}

// The second half keeps stores in other schemas of the same database apart.
pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(7270, hashtext(current_schema()))";
const HEAD: &str = "SELECT seq, recorded_at, last_id, last_log FROM journal_head";
const HEAD_MOVE: &str = "UPDATE journal_head SET seq = $1, recorded_at = $2, last_id = $3, last_log = $4";
const JOURNAL: Table = bulk_table!("journal"(seq, recorded_at, kind, object, env, subject));
const ENV_BY_NAMES: &str = "SELECT e.id FROM envs e JOIN apps a ON a.id = e.app \
    WHERE a.name = $1 AND e.name = $2 AND e.forgotten_at IS NULL";
const KEYS: Sql = with_list!(
    "SELECT k.id, k.kind, k.ext FROM",
    "CROSS JOIN object_keys k WHERE k.kind = j.value ->> 0 AND k.ext = j.value ->> 1"
);
const KEYS_INSERT: Sql = bulk_insert!("object_keys" (id: bigint, kind: text, ext: text) "");

impl Write {
    /// Waits for its turn among all writers.
    pub(crate) async fn begin(inner: &Arc<Inner>, op: &'static str) -> Result<Self, StoreError> {
        let begun = Instant::now();
        let mut tx = inner.pool.begin().await.map_err(|error| StoreError::of(op, error))?;
        if let Tx::Postgres(tx) = &mut tx {
            sqlx::query(LOCK).execute(&mut **tx).await.map_err(|error| StoreError::of(op, error))?;
        }
        let head =
            row!(&mut tx, op, Head, HEAD)?.ok_or_else(|| StoreError::damaged(op, "the journal's head"))?;
        inner.is_there(op)?;
        let now = (inner.clock)().max(Ts(head.recorded_at));
        Ok(Self {
            tx,
            now,
            op,
            inner: Arc::clone(inner),
            head,
            begun,
            rows: vec![],
            moved: false,
            envs: BTreeMap::new(),
        })
    }

    /// What this transaction is for.
    pub(crate) fn op(&self) -> &'static str {
        self.op
    }

    /// Adds a journal row; it is written at commit.
    pub(crate) fn journal(
        &mut self,
        kind: JournalKind,
        object: Option<i64>,
        env: Option<i64>,
        subject: Option<String>,
    ) -> Seq {
        self.head.seq += 1;
        let (seq, recorded_at) = (self.head.seq, self.now.0);
        self.rows.push([
            seq.into(),
            recorded_at.into(),
            kind.as_str().into(),
            object.into(),
            env.into(),
            subject.into(),
        ]);
        Seq(seq)
    }

    /// A new integer key, unique among all tables but log lines.
    pub(crate) fn next_id(&mut self) -> i64 {
        self.moved = true;
        self.head.last_id += 1;
        self.head.last_id
    }

    /// So many new integer keys; answers the one before the first.
    pub(crate) fn next_ids(&mut self, n: u64) -> i64 {
        self.moved = true;
        let before = self.head.last_id;
        self.head.last_id += i64::try_from(n).expect("a transaction makes fewer rows than i64 counts");
        before
    }

    /// A new key for a log line.
    pub(crate) fn next_log(&mut self) -> i64 {
        self.moved = true;
        self.head.last_log += 1;
        self.head.last_log
    }

    /// The env of these names, if it is one of ours.
    pub(crate) async fn env_of(
        &mut self,
        app: Option<&str>,
        env: Option<&str>,
    ) -> Result<Option<i64>, StoreError> {
        let (Some(app), Some(env)) = (app, env) else { return Ok(None) };
        let names = (app.to_owned(), env.to_owned());
        if let Some(known) = self.envs.get(&names) {
            return Ok(*known);
        }
        let found = row!(&mut self.tx, self.op, (i64,), ENV_BY_NAMES, app, env)?.map(|(id,)| id);
        self.envs.insert(names, found);
        Ok(found)
    }

    /// Integer keys of objects; unknown ones get one now.
    pub(crate) async fn keys(
        &mut self,
        wanted: &BTreeSet<&ObjectKey>,
    ) -> Result<BTreeMap<ObjectKey, i64>, StoreError> {
        #[derive(Serialize)]
        struct New<'a> {
            id: i64,
            kind: &'a str,
            ext: &'a str,
        }
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let list: Vec<[&str; 2]> = wanted.iter().map(|key| [key.kind().as_str(), key.id()]).collect();
        let found = rows!(&mut self.tx, self.op, (i64, String, String), KEYS, to_json(&list))?;
        let mut ids = BTreeMap::new();
        for (id, kind, ext) in found {
            ids.insert(crate::objects::key(self.op, &kind, ext)?, id);
        }
        let missing: Vec<&ObjectKey> = wanted.iter().copied().filter(|key| !ids.contains_key(*key)).collect();
        if !missing.is_empty() {
            let new: Vec<New<'_>> = missing
                .iter()
                .map(|key| New { id: self.next_id(), kind: key.kind().as_str(), ext: key.id() })
                .collect();
            exec!(&mut self.tx, self.op, KEYS_INSERT, to_json(&new))?;
            ids.extend(missing.into_iter().cloned().zip(new.iter().map(|new| new.id)));
        }
        Ok(ids)
    }

    /// The integer key of one object.
    pub(crate) async fn key(&mut self, wanted: &ObjectKey) -> Result<i64, StoreError> {
        let ids = self.keys(&BTreeSet::from([wanted])).await?;
        ids.get(wanted).copied().ok_or_else(|| StoreError::damaged(self.op, "an object's key"))
    }

    /// Writes the journal rows and makes everything durable; wakes the readers after that.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let n_rows = self.rows.len();
        if n_rows > 0 {
            self.head.recorded_at = self.now.0;
            bulk::insert(&mut self.tx, self.op, &JOURNAL, self.rows).await?;
        }
        if n_rows > 0 || self.moved {
            let Head { seq, recorded_at, last_id, last_log } = self.head;
            exec!(&mut self.tx, self.op, HEAD_MOVE, seq, recorded_at, last_id, last_log)?;
        }
        self.tx.commit().await.map_err(|error| StoreError::of(self.op, error))?;
        // Before anybody is told: what went into a file that was taken away meanwhile is not acknowledged.
        self.inner.is_there(self.op)?;
        self.inner.writes.add(self.begun.elapsed());
        self.inner.raise(Seq(self.head.seq), self.head.last_log);
        Ok(())
    }
}
