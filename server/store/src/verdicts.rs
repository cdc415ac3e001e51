//! Verdicts as they were given: the newest one, its history, and who has to be judged again.

use std::collections::BTreeMap;

use model::{Judgement, ObjectKey, ObjectKind, Seq, Ts, Verdict};

use crate::{
    JournalKind, Reader, Store, StoreError, VerdictPut,
    objects::{self, key_list},
    pool::{Sql, exec, row, rows, with_list},
    text::{clean, from_json, to_json},
    write::Write,
};

#[derive(sqlx::FromRow)]
struct VerdictRow {
    kind: String,
    ext: String,
    verdict: String,
    since: i64,
    sentence: String,
    because: String,
}

#[derive(sqlx::FromRow)]
struct Known {
    verdict: String,
    since: i64,
    sentence: String,
}

/// The env that the object belongs to and its generation, for journal rows and segments.
#[derive(sqlx::FromRow)]
struct Belongs {
    app: Option<String>,
    env: Option<String>,
    generation: i64,
}

const BY_KEYS: Sql = with_list!(
    "SELECT k.kind, k.ext, v.verdict, v.since, v.sentence, v.because FROM",
    "CROSS JOIN object_keys k CROSS JOIN verdicts v \
     WHERE k.kind = j.value ->> 0 AND k.ext = j.value ->> 1 AND v.object = k.id"
);
const KNOWN: &str = "SELECT verdict, since, sentence FROM verdicts WHERE object = $1";
const BELONGS: &str = "SELECT app, env, generation FROM objects WHERE id = $1";
const PUT: &str = "INSERT INTO verdicts (object, verdict, since, sentence, because, judged_seq, next_check_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (object) DO UPDATE SET verdict = excluded.verdict, \
    since = excluded.since, sentence = excluded.sentence, because = excluded.because, \
    judged_seq = excluded.judged_seq, next_check_at = excluded.next_check_at";
/// What came in while the verdict was found is not judged yet.
const JUDGED: &str = "UPDATE objects SET unjudged = 0 WHERE id = $1 AND unjudged = 1 AND seq <= $2 \
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.object = $1 AND e.seq > $2)";
/// What the overview orders by.
const PLACE: &str = "UPDATE envs SET place = $2, placed_at = $3 WHERE ext = $1";
const CLOSE: &str = "UPDATE verdict_segments SET to_at = $2, to_seq = $3 WHERE object = $1 AND to_at IS NULL";
const SAY: &str =
    "UPDATE verdict_segments SET sentence = $2, generation = $3 WHERE object = $1 AND to_at IS NULL";
const SEGMENT: &str = "INSERT INTO verdict_segments (id, object, verdict, sentence, generation, from_at, from_seq) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
/// Those that changed since they were judged, oldest change first, then those whose time has come.
pub(crate) const DUE: &str = "SELECT k.kind, k.ext FROM (\
    SELECT id, min(turn) AS turn FROM (\
    SELECT o.id, o.seq - 9223372036854775807 AS turn FROM objects o WHERE o.unjudged = 1 \
    UNION ALL SELECT v.object, v.next_check_at FROM verdicts v WHERE v.next_check_at IS NOT NULL AND v.next_check_at <= $1\
    ) d GROUP BY id ORDER BY min(turn) LIMIT $2) due JOIN object_keys k ON k.id = due.id ORDER BY due.turn, k.id";

impl Store {
    /// Stores a verdict. True when the verdict or its sentence is another one than before; only then the journal
    /// says so. `since` stays what it was while the verdict itself does.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn verdict_put(
        &self,
        key: &ObjectKey,
        judgement: &Judgement,
        judged_seq: Seq,
        next_check_at: Option<Ts>,
    ) -> Result<bool, StoreError> {
        let put = VerdictPut { key: key.clone(), judgement: judgement.clone(), judged_seq, next_check_at };
        Ok(!self.verdicts_put(vec![put]).await?.is_empty())
    }

    /// Stores many verdicts in one transaction; answers which of them changed, in their order.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn verdicts_put(&self, verdicts: Vec<VerdictPut>) -> Result<Vec<ObjectKey>, StoreError> {
        const OP: &str = "store verdicts";
        let mut write = self.write(OP).await?;
        let wanted = verdicts.iter().map(|put| &put.key).collect();
        let keys = write.keys(&wanted).await?;
        let mut changed = Vec::new();
        for put in &verdicts {
            if one(&mut write, keys[&put.key], put).await? {
                changed.push(put.key.clone());
            }
        }
        write.commit().await?;
        Ok(changed)
    }
}

async fn one(write: &mut Write, id: i64, put: &VerdictPut) -> Result<bool, StoreError> {
    let op = write.op();
    let VerdictPut { key, judgement, judged_seq, next_check_at } = put;
    let verdict = judgement.verdict.as_str();
    let sentence = clean(&judgement.sentence).into_owned();
    let known = row!(&mut write.tx, op, Known, KNOWN, id)?;
    let flipped = known.as_ref().is_none_or(|known| known.verdict != verdict);
    let changed = flipped || known.as_ref().is_none_or(|known| known.sentence != sentence);
    let since = known.filter(|_| !flipped).map_or(judgement.since.0, |known| known.since);
    let because = to_json(&judgement.because);
    let next = next_check_at.map(|at| at.0);
    exec!(&mut write.tx, op, PUT, id, verdict, since, &sentence, &because, judged_seq.0, next)?;
    exec!(&mut write.tx, op, JUDGED, id, judged_seq.0)?;
    if !changed {
        return Ok(false);
    }
    let belongs = row!(&mut write.tx, op, Belongs, BELONGS, id)?;
    let (app, env, generation) = belongs.map_or((None, None, None), |b| (b.app, b.env, Some(b.generation)));
    let env = write.env_of(app.as_deref(), env.as_deref()).await?;
    let seq = write.journal(JournalKind::Verdict, Some(id), env, None).0;
    if flipped {
        if key.kind().as_str() == ObjectKind::ENV {
            exec!(&mut write.tx, op, PLACE, key.id(), i64::from(judgement.verdict.place()), since)?;
        }
        // What was said then is kept from when it was said, not from when it turned out to have begun.
        let (now, segment) = (write.now.0, write.next_id());
        exec!(&mut write.tx, op, CLOSE, id, now, seq)?;
        exec!(&mut write.tx, op, SEGMENT, segment, id, verdict, &sentence, generation, now, seq)?;
    } else {
        exec!(&mut write.tx, op, SAY, id, &sentence, generation)?;
    }
    Ok(true)
}

impl Reader {
    /// What is said about an object; `None` when nobody has judged it yet.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn judgement(&mut self, key: &ObjectKey) -> Result<Option<Judgement>, StoreError> {
        Ok(self.judgements(std::slice::from_ref(key)).await?.remove(key))
    }

    /// What is said about these objects; those that nobody has judged are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn judgements(
        &mut self,
        keys: &[ObjectKey],
    ) -> Result<BTreeMap<ObjectKey, Judgement>, StoreError> {
        const OP: &str = "read verdicts";
        rows!(&mut self.tx, OP, VerdictRow, BY_KEYS, key_list(keys))?
            .into_iter()
            .map(|VerdictRow { kind, ext, verdict, since, sentence, because }| {
                let verdict = Verdict::parse(&verdict).ok_or_else(|| StoreError::damaged(OP, "a verdict"))?;
                let because = from_json(OP, "the reasons of a verdict", &because)?;
                let judgement = Judgement { verdict, since: Ts(since), sentence, because };
                Ok((objects::key(OP, &kind, ext)?, judgement))
            })
            .collect()
    }

    /// Objects that have to be judged: those that changed (or went) since they were, and those whose
    /// `next_check_at` has come.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn due(&mut self, now: Ts, limit: u32) -> Result<Vec<ObjectKey>, StoreError> {
        const OP: &str = "find what has to be judged";
        let found = rows!(&mut self.tx, OP, (String, String), DUE, now.0, i64::from(limit))?;
        found.into_iter().map(|(kind, ext)| objects::key(OP, &kind, ext)).collect()
    }
}
