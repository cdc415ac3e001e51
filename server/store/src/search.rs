//! Finding things by id, by the begin of a name, and by the trace of a request. Every query is driven by an index.

use model::{EventId, ReceiptId, Seq, TraceId, Verdict};

use crate::{
    FoundObject, Reader, StoreError,
    objects::key,
    pool::{Sql, rows},
    text::{is_storable, parse},
};

#[derive(sqlx::FromRow)]
struct ObjectRow {
    kind: String,
    ext: String,
    name: String,
    app: Option<String>,
    env: Option<String>,
    verdict: Option<String>,
    gone_at: Option<i64>,
}

macro_rules! found {
    ($rest:literal) => {
        concat!(
            "SELECT k.kind, k.ext, o.name, o.app, o.env, v.verdict, o.gone_at FROM objects o \
             JOIN object_keys k ON k.id = o.id LEFT JOIN verdicts v ON v.object = o.id WHERE ",
            $rest
        )
    };
}

const BY_ID_TEXT: &str = found!("k.ext = $1 ORDER BY k.kind LIMIT $2");
pub(crate) const BY_ID: Sql = Sql { sqlite: BY_ID_TEXT, postgres: BY_ID_TEXT };
// The last character there is ends the range; both engines are asked to compare bytes.
pub(crate) const BY_BEGIN: Sql = Sql {
    sqlite: found!(
        "lower(o.name) >= lower($1) AND lower(o.name) < lower($1) || char(1114111) AND o.gone_at IS NULL \
         ORDER BY lower(o.name), k.kind, k.ext LIMIT $2"
    ),
    postgres: found!(
        "lower(o.name) COLLATE \"C\" >= lower($1) AND lower(o.name) COLLATE \"C\" < lower($1) || chr(1114111) \
         AND o.gone_at IS NULL ORDER BY lower(o.name) COLLATE \"C\", k.kind, k.ext LIMIT $2"
    ),
};
// App-envs are few beside everything else: they are found by any part of their name.
pub(crate) const ENVS: Sql = Sql {
    sqlite: found!(
        "o.kind = 'env' AND instr(lower(o.name), lower($1)) > 0 AND o.gone_at IS NULL ORDER BY o.name, k.ext LIMIT $2"
    ),
    postgres: found!(
        "o.kind = 'env' AND strpos(lower(o.name), lower($1)) > 0 AND o.gone_at IS NULL ORDER BY o.name, k.ext LIMIT $2"
    ),
};
pub(crate) const RECEIPTS: &str = "SELECT ext FROM receipts WHERE trace_id = $1 ORDER BY id DESC LIMIT $2";
pub(crate) const AUDIT: &str = "SELECT seq FROM audit WHERE trace_id = $1 ORDER BY seq DESC LIMIT $2";
pub(crate) const EVENTS: &str = "SELECT seq FROM events WHERE trace_id = $1 ORDER BY seq DESC LIMIT $2";

/// What one request left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traced {
    /// Receipts that it made.
    pub receipts: Vec<ReceiptId>,
    /// Rows of the audit log.
    pub audit: Vec<Seq>,
    /// Events that name it, newest first.
    pub events: Vec<EventId>,
}

const OP: &str = "search";

impl Reader {
    /// Objects with exactly this id, whatever their kind; also those that are gone.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn objects_by_id(&mut self, id: &str, limit: u32) -> Result<Vec<FoundObject>, StoreError> {
        self.found(BY_ID, id, limit).await
    }

    /// Objects whose name begins like this, whatever its case.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn objects_by_begin(
        &mut self,
        begin: &str,
        limit: u32,
    ) -> Result<Vec<FoundObject>, StoreError> {
        self.found(BY_BEGIN, begin, limit).await
    }

    /// App-envs whose name contains this, whatever its case.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn envs_by_part(&mut self, part: &str, limit: u32) -> Result<Vec<FoundObject>, StoreError> {
        self.found(ENVS, part, limit).await
    }

    /// What the request with this trace left behind.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn traced(&mut self, trace: &TraceId, limit: u32) -> Result<Traced, StoreError> {
        let (trace, limit) = (trace.as_str(), i64::from(limit));
        let receipts = rows!(&mut self.tx, OP, (String,), RECEIPTS, trace, limit)?;
        let audit = rows!(&mut self.tx, OP, (i64,), AUDIT, trace, limit)?;
        let events = rows!(&mut self.tx, OP, (i64,), EVENTS, trace, limit)?;
        Ok(Traced {
            receipts: receipts.iter().map(|(id,)| parse(OP, "a receipt id", id)).collect::<Result<_, _>>()?,
            audit: audit.into_iter().map(|(seq,)| Seq(seq)).collect(),
            events: events.into_iter().map(|(seq,)| EventId(Seq(seq))).collect(),
        })
    }

    async fn found(&mut self, sql: Sql, text: &str, limit: u32) -> Result<Vec<FoundObject>, StoreError> {
        // What cannot be stored cannot be found.
        if text.is_empty() || !is_storable(text) {
            return Ok(vec![]);
        }
        let found = rows!(&mut self.tx, OP, ObjectRow, sql, text, i64::from(limit))?;
        let object = |row: ObjectRow| {
            let ObjectRow { kind, ext, name, app, env, verdict, gone_at } = row;
            Ok(FoundObject {
                key: key(OP, &kind, ext)?,
                name,
                app,
                env,
                verdict: verdict.and_then(|verdict| Verdict::parse(&verdict)),
                is_gone: gone_at.is_some(),
            })
        };
        found.into_iter().map(object).collect()
    }
}
