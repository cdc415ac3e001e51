//! What was said about objects over time: segments of conditions and verdicts.

use model::{ObjectKey, Ts};
use serde::Serialize;

use crate::{
    Reader, StoreError, StoredSegment,
    objects::{self, key_list},
    pool::{Sql, bulk_insert, rows, with_list},
};

/// A condition's segment on its way in; also what an open one looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub(crate) struct SegmentRow {
    pub(crate) id: i64,
    pub(crate) object: i64,
    pub(crate) ty: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) generation: Option<i64>,
    pub(crate) from_at: i64,
    pub(crate) to_at: Option<i64>,
    pub(crate) from_seq: i64,
    pub(crate) to_seq: Option<i64>,
}

/// Inserts new segments and replaces what may still change of open ones.
pub(crate) const PUT: Sql = bulk_insert!("condition_segments" (id: bigint, object: bigint, ty: text, status: text,
    reason: text, message: text, generation: bigint, from_at: bigint, to_at: bigint, from_seq: bigint, to_seq: bigint)
    "ON CONFLICT (id) DO UPDATE SET status = excluded.status, reason = excluded.reason, message = excluded.message, \
     generation = excluded.generation, from_at = excluded.from_at, to_at = excluded.to_at, \
     from_seq = excluded.from_seq, to_seq = excluded.to_seq");

/// Open segments of these objects (integer keys).
pub(crate) const OPEN: Sql = with_list!(
    "SELECT c.id, c.object, c.ty, c.status, c.reason, c.message, c.generation, c.from_at, c.to_at, c.from_seq, \
     c.to_seq FROM",
    "CROSS JOIN condition_segments c WHERE c.object = CAST(j.value ->> 0 AS BIGINT) AND c.to_at IS NULL"
);

#[derive(sqlx::FromRow)]
struct Stored {
    id: i64,
    kind: String,
    ext: String,
    condition: String,
    status: String,
    reason: String,
    message: String,
    generation: Option<i64>,
    from_at: i64,
    to_at: Option<i64>,
}

const RANGE: Sql = with_list!(
    "SELECT x.id, k.kind, k.ext, x.ty AS condition, x.status, x.reason, x.message, x.generation, x.from_at, x.to_at FROM",
    "CROSS JOIN object_keys k CROSS JOIN condition_segments x \
     WHERE k.kind = j.value ->> 0 AND k.ext = j.value ->> 1 AND x.object = k.id \
     AND x.from_at <= $3 AND (x.to_at IS NULL OR x.to_at >= $2) ORDER BY x.object, x.ty, x.from_at, x.id"
);
const VERDICT_RANGE: Sql = with_list!(
    "SELECT x.id, k.kind, k.ext, 'Verdict' AS condition, x.verdict AS status, '' AS reason, x.sentence AS message, \
     x.generation, x.from_at, x.to_at FROM",
    "CROSS JOIN object_keys k CROSS JOIN verdict_segments x \
     WHERE k.kind = j.value ->> 0 AND k.ext = j.value ->> 1 AND x.object = k.id \
     AND x.from_at <= $3 AND (x.to_at IS NULL OR x.to_at >= $2) ORDER BY x.object, x.from_at, x.id"
);

impl Reader {
    /// Segments of one object that touch this range: verdicts first, then conditions by type, each by time.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn segments(
        &mut self,
        key: &ObjectKey,
        from: Ts,
        to: Ts,
    ) -> Result<Vec<StoredSegment>, StoreError> {
        self.segments_of(std::slice::from_ref(key), from, to).await
    }

    /// The same for many objects: their verdicts, then their conditions.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn segments_of(
        &mut self,
        keys: &[ObjectKey],
        from: Ts,
        to: Ts,
    ) -> Result<Vec<StoredSegment>, StoreError> {
        const OP: &str = "read condition timelines";
        let mut segments = self.verdict_segments_of(keys, from, to).await?;
        let conditions = rows!(&mut self.tx, OP, Stored, RANGE, key_list(keys), from.0, to.0)?;
        segments.extend(stored(OP, conditions)?);
        Ok(segments)
    }

    /// The verdicts of many objects alone.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn verdict_segments_of(
        &mut self,
        keys: &[ObjectKey],
        from: Ts,
        to: Ts,
    ) -> Result<Vec<StoredSegment>, StoreError> {
        const OP: &str = "read the history of verdicts";
        stored(OP, rows!(&mut self.tx, OP, Stored, VERDICT_RANGE, key_list(keys), from.0, to.0)?)
    }
}

fn stored(op: &'static str, found: Vec<Stored>) -> Result<Vec<StoredSegment>, StoreError> {
    found
        .into_iter()
        .map(|Stored { id, kind, ext, condition, status, reason, message, generation, from_at, to_at }| {
            Ok(StoredSegment {
                id,
                object: objects::key(op, &kind, ext)?,
                condition,
                status,
                reason,
                message,
                generation,
                from: Ts(from_at),
                to: to_at.map(Ts),
            })
        })
        .collect()
}
