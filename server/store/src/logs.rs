//! Log lines: bounded, and outside of the journal.

use model::{Ts, view::LogLine};
use serde::Serialize;

use crate::{
    LogFilter, Reader, StoreError, objects,
    pool::{Sql, bulk_insert, rows},
    text::clean,
};

/// A line on its way in.
#[derive(Debug, Serialize)]
pub(crate) struct NewLine {
    pub(crate) id: i64,
    pub(crate) at: i64,
    pub(crate) object: i64,
    pub(crate) app: Option<String>,
    pub(crate) env: Option<String>,
    pub(crate) stream: String,
    pub(crate) line: String,
}

pub(crate) const INSERT: Sql = bulk_insert!("log_lines" (id: bigint, at: bigint, object: bigint, app: text, env: text,
    stream: text, line: text) "");

#[derive(sqlx::FromRow)]
struct LineRow {
    id: i64,
    at: i64,
    kind: String,
    ext: String,
    stream: String,
    line: String,
}

macro_rules! lines {
    ($where:literal, $order:literal) => {
        concat!(
            "SELECT l.id, l.at, k.kind, k.ext, l.stream, l.line FROM log_lines l CROSS JOIN object_keys k \
             WHERE k.id = l.object AND l.id > $1 AND l.at >= $2 AND ",
            $where,
            " ORDER BY l.id ",
            $order,
            " LIMIT $3"
        )
    };
}

/// The two orders of one choice: what follows a line, and the newest.
struct Choice {
    following: &'static str,
    newest: &'static str,
}

macro_rules! choice {
    ($where:literal) => {
        Choice { following: lines!($where, ""), newest: lines!($where, "DESC") }
    };
}

const OF_OBJECT: Choice = choice!(
    "l.object = (SELECT id FROM object_keys WHERE kind = $4 AND ext = $5) AND ($6 = '' OR l.app = $6) \
             AND ($7 = '' OR l.env = $7)"
);
const OF_ENV: Choice = choice!("l.app = $4 AND l.env = $5");
const OF_APP: Choice = choice!("l.app = $4");
const OF_ENV_NAME: Choice = choice!("l.env = $4");
const ANY: Choice = choice!("1 = 1");

impl Reader {
    /// Log lines, oldest first: the newest ones, or those that follow [`LogFilter::after`].
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn logs(&mut self, filter: &LogFilter) -> Result<Vec<LogLine>, StoreError> {
        const OP: &str = "read log lines";
        let LogFilter { app, env, object, since, after, limit } = filter;
        let text = |text: &Option<String>| text.as_deref().map(|text| clean(text).into_owned());
        let (app, env) = (text(app), text(env));
        let (from, since, limit) =
            (after.unwrap_or(i64::MIN), since.map_or(i64::MIN, |at| at.0), i64::from(*limit));
        let pick = |choice: Choice| if after.is_some() { choice.following } else { choice.newest };
        let mut found = match (object, &app, &env) {
            (Some(key), ..) => {
                let (kind, id) = (key.kind().as_str(), key.id());
                let (app, env) = (app.unwrap_or_default(), env.unwrap_or_default());
                rows!(&mut self.tx, OP, LineRow, pick(OF_OBJECT), from, since, limit, kind, id, &app, &env)?
            }
            (None, Some(app), Some(env)) => {
                rows!(&mut self.tx, OP, LineRow, pick(OF_ENV), from, since, limit, app, env)?
            }
            (None, Some(app), None) => {
                rows!(&mut self.tx, OP, LineRow, pick(OF_APP), from, since, limit, app)?
            }
            (None, None, Some(env)) => {
                rows!(&mut self.tx, OP, LineRow, pick(OF_ENV_NAME), from, since, limit, env)?
            }
            (None, None, None) => rows!(&mut self.tx, OP, LineRow, pick(ANY), from, since, limit)?,
        };
        if after.is_none() {
            found.reverse();
        }
        found
            .into_iter()
            .map(|LineRow { id, at, kind, ext, stream, line }| {
                Ok(LogLine { id, at: Ts(at), object: objects::key(OP, &kind, ext)?, stream, line })
            })
            .collect()
    }
}
