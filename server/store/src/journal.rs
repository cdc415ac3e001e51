//! Reading the journal: in order, without holes, and by time.

use model::{Seq, Ts};

use crate::{
    JournalKind, JournalRow, Reader, StoreError, objects,
    pool::{row, rows},
    text::parse,
};

#[derive(sqlx::FromRow)]
struct Line {
    seq: i64,
    recorded_at: i64,
    kind: String,
    object_kind: Option<String>,
    object_ext: Option<String>,
    env: Option<String>,
    subject: Option<String>,
}

const AFTER: &str = "SELECT j.seq, j.recorded_at, j.kind, k.kind AS object_kind, k.ext AS object_ext, e.ext AS env, \
    j.subject FROM journal j LEFT JOIN object_keys k ON k.id = j.object LEFT JOIN envs e ON e.id = j.env \
    WHERE j.seq > $1 ORDER BY j.seq LIMIT $2";
const NEXT: &str = "SELECT seq, recorded_at FROM journal WHERE seq >= $1 ORDER BY seq LIMIT 1";
const FIRST: &str = "SELECT min(seq) FROM journal";
const SINCE: &str = "SELECT recorded_since FROM meta";

impl Reader {
    /// Journal rows after this one, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn journal(&mut self, after: Seq, limit: u32) -> Result<Vec<JournalRow>, StoreError> {
        const OP: &str = "read the journal";
        let found = rows!(&mut self.tx, OP, Line, AFTER, after.0, i64::from(limit))?;
        found
            .into_iter()
            .map(|Line { seq, recorded_at, kind, object_kind, object_ext, env, subject }| {
                let object = match (object_kind, object_ext) {
                    (Some(kind), Some(ext)) => Some(objects::key(OP, &kind, ext)?),
                    _ => None,
                };
                let env = env.map(|env| parse(OP, "an env id", &env)).transpose()?;
                let kind =
                    JournalKind::parse(&kind).ok_or_else(|| StoreError::damaged(OP, "a journal kind"))?;
                Ok(JournalRow { seq: Seq(seq), recorded_at: Ts(recorded_at), kind, object, env, subject })
            })
            .collect()
    }

    /// The newest row that was recorded at or before this instant; `None` before the first one.
    ///
    /// Recorded times never go backwards, so this is a binary search over the key and needs no index of its own.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn seq_at(&mut self, at: Ts) -> Result<Option<Seq>, StoreError> {
        const OP: &str = "find the journal row of an instant";
        let first = row!(&mut self.tx, OP, (Option<i64>,), FIRST)?.and_then(|(first,)| first);
        let Some(first) = first else { return Ok(None) };
        // Everything before `low` is old enough; nothing from `high` on is.
        let (mut low, mut high) = (first, self.as_of().0 + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match row!(&mut self.tx, OP, (i64, i64), NEXT, middle)? {
                Some((seq, recorded_at)) if recorded_at <= at.0 => low = seq + 1,
                _ => high = middle,
            }
        }
        Ok((low > first).then_some(Seq(low - 1)))
    }

    /// Since when everything is recorded: the making of the store, or the last retention.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn recorded_since(&mut self) -> Result<Ts, StoreError> {
        const OP: &str = "read since when anything is recorded";
        let found = row!(&mut self.tx, OP, (i64,), SINCE)?;
        found.map(|(since,)| Ts(since)).ok_or_else(|| StoreError::damaged(OP, "the identity"))
    }
}
