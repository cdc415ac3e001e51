//! The overview: envs in the order of their verdicts, counted and cut into windows here, so that nobody reads all
//! of them.

use std::collections::BTreeMap;

use model::{EnvRef, Fields, Judgement, Receipt, ReceiptId, SourceId, Ts, Verdict};

use crate::{
    Reader, StoreError,
    pool::{row, rows},
    receipts,
    text::{from_json, parse, to_json},
};

/// An env as the overview shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvHead {
    /// Which.
    pub target: EnvRef,
    /// When its desired state changed last.
    pub changed_at: Ts,
    /// What is said about it, without the reasons; `None` when nobody has judged it yet.
    pub judgement: Option<Judgement>,
    /// Its object; `None` when no source has reported it yet.
    pub object: Option<HeadObject>,
    /// The newest change of its desired state.
    pub receipt: Option<ReceiptId>,
}

/// The newest state of an env.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadObject {
    /// Who reports it.
    pub source: SourceId,
    /// What is wanted.
    pub desired: Fields,
    /// What is.
    pub current: Fields,
    /// When it changed last.
    pub updated_at: Ts,
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    app_ext: String,
    app: String,
    env_ext: String,
    env: String,
    changed_at: i64,
    verdict: Option<String>,
    since: Option<i64>,
    sentence: Option<String>,
    source: Option<String>,
    desired: Option<String>,
    current: Option<String>,
    updated_at: Option<i64>,
    receipt: Option<String>,
}

/// What a window `w` of envs shows, in the order of the window.
macro_rules! heads {
    ($window:literal, $order:literal) => {
        concat!(
            "SELECT a.ext AS app_ext, a.name AS app, e.ext AS env_ext, e.name AS env, e.changed_at, v.verdict, \
             v.since, v.sentence, s.ext AS source, o.desired, o.current, o.updated_at, r.ext AS receipt FROM (",
            $window,
            ") w JOIN envs e ON e.id = w.id JOIN apps a ON a.id = e.app \
             LEFT JOIN object_keys k ON k.kind = 'env' AND k.ext = e.ext LEFT JOIN verdicts v ON v.object = k.id \
             LEFT JOIN objects o ON o.id = k.id LEFT JOIN sources s ON s.id = o.source \
             LEFT JOIN receipts r ON r.env = e.id AND r.generation = e.generation ORDER BY ",
            $order
        )
    };
}

/// Only the index is read for what lies before the window.
pub(crate) const HEADS: &str = heads!(
    "SELECT id, place, placed_at FROM envs WHERE forgotten_at IS NULL AND place BETWEEN $1 AND $2 \
     ORDER BY place, placed_at, id LIMIT $3 OFFSET $4",
    "w.place, w.placed_at, w.id"
);
/// The same by name. SQLite takes a `CROSS JOIN` in the order that is written, and so walks two indexes.
pub(crate) const NAMED: &str = heads!(
    "SELECT e.id, a.name AS app, e.name AS env FROM apps a CROSS JOIN envs e \
     WHERE e.app = a.id AND e.forgotten_at IS NULL ORDER BY a.name, e.name LIMIT $1 OFFSET $2",
    "w.app, w.env"
);
pub(crate) const COUNTS: &str = "SELECT place, count(*) FROM envs WHERE forgotten_at IS NULL GROUP BY place";
const OPEN: &str = "SELECT (SELECT count(*) FROM waits WHERE phase = 'waiting'), \
    (SELECT count(*) FROM receipts WHERE phase IN ('accepted', 'applying'))";

impl HeadRow {
    fn into_head(self, op: &'static str) -> Result<EnvHead, StoreError> {
        let Self {
            app_ext,
            app,
            env_ext,
            env,
            changed_at,
            verdict,
            since,
            sentence,
            source,
            desired,
            current,
            updated_at,
            receipt,
        } = self;
        let judgement = match (verdict, since, sentence) {
            (Some(verdict), Some(since), Some(sentence)) => Some(Judgement {
                verdict: Verdict::parse(&verdict).ok_or_else(|| StoreError::damaged(op, "a verdict"))?,
                since: Ts(since),
                sentence,
                because: vec![],
            }),
            _ => None,
        };
        let object = match (source, desired, current, updated_at) {
            (Some(source), Some(desired), Some(current), Some(updated_at)) => Some(HeadObject {
                source: parse(op, "a source id", &source)?,
                desired: from_json(op, "a desired state", &desired)?,
                current: from_json(op, "a current state", &current)?,
                updated_at: Ts(updated_at),
            }),
            _ => None,
        };
        Ok(EnvHead {
            target: EnvRef {
                app_id: parse(op, "an app id", &app_ext)?,
                app,
                env_id: parse(op, "an env id", &env_ext)?,
                env,
            },
            changed_at: Ts(changed_at),
            judgement,
            object,
            receipt: receipt.map(|id| parse(op, "a receipt id", &id)).transpose()?,
        })
    }
}

impl Reader {
    /// A window of the envs whose verdict lies between these two, in the order of [`Verdict::place`], the longest
    /// first among equals. Envs that nobody has judged count as unknown.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn env_heads(
        &mut self,
        from: Verdict,
        to: Verdict,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<EnvHead>, StoreError> {
        const OP: &str = "read a window of the envs";
        let (from, to, limit, skip) =
            (i64::from(from.place()), i64::from(to.place()), i64::from(limit), i64::from(skip));
        rows!(&mut self.tx, OP, HeadRow, HEADS, from, to, limit, skip)?
            .into_iter()
            .map(|row| row.into_head(OP))
            .collect()
    }

    /// A window of all envs, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn env_heads_by_name(&mut self, skip: u32, limit: u32) -> Result<Vec<EnvHead>, StoreError> {
        const OP: &str = "read a window of the envs by name";
        let (limit, skip) = (i64::from(limit), i64::from(skip));
        let found = rows!(&mut self.tx, OP, HeadRow, NAMED, limit, skip)?;
        found.into_iter().map(|row| row.into_head(OP)).collect()
    }

    /// How many envs have which verdict.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn env_counts(&mut self) -> Result<BTreeMap<Verdict, u32>, StoreError> {
        const OP: &str = "count the envs";
        rows!(&mut self.tx, OP, (i64, i64), COUNTS)?
            .into_iter()
            .map(|(place, n)| {
                let verdict = Verdict::ALL.into_iter().find(|verdict| i64::from(verdict.place()) == place);
                let verdict = verdict.ok_or_else(|| StoreError::damaged(OP, "the place of an env"))?;
                Ok((verdict, u32::try_from(n).unwrap_or(u32::MAX)))
            })
            .collect()
    }

    /// How many waits and how many receipts are open.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn open_counts(&mut self) -> Result<(u32, u32), StoreError> {
        const OP: &str = "count what is open";
        let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        let found = row!(&mut self.tx, OP, (i64, i64), OPEN)?;
        Ok(found.map_or((0, 0), |(waits, receipts)| (count(waits), count(receipts))))
    }

    /// These receipts, in no order; unknown ones are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn receipts_by_id(&mut self, ids: &[ReceiptId]) -> Result<Vec<Receipt>, StoreError> {
        const OP: &str = "read some receipts";
        let list: Vec<[&str; 1]> = ids.iter().map(|id| [id.as_str()]).collect();
        receipts::by_list(&mut self.tx, OP, to_json(&list)).await
    }
}
