//! Reading events: pages, ranges, and the sample that they are counted in.

mod filter;
mod sample;

use model::{Event, EventFilter, EventId, Outcome, Seq, Ts};

use filter::built;
#[cfg(test)]
pub(crate) use filter::{Lead, Route};
pub(crate) use filter::{fold, page};
pub use sample::EventSample;
#[cfg(test)]
pub(crate) use sample::rows as sampled;

use crate::{
    Reader, StoreError, objects,
    pool::{Sql, row, rows, with_list},
    text::{parse, to_json},
};

/// An event with its names, as stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct EventRow {
    seq: i64,
    at: i64,
    recorded_at: i64,
    source: String,
    controller: String,
    kind: String,
    ext: String,
    app: Option<String>,
    env: Option<String>,
    action: String,
    outcome: String,
    reason: String,
    message: String,
    attempt: Option<i64>,
    trace_id: Option<String>,
}

macro_rules! event_columns {
    () => {
        "e.seq, e.at, e.recorded_at, s.ext AS source, e.controller, k.kind, k.ext, e.app, e.env, e.action, \
         e.outcome, e.reason, e.message, e.attempt, e.trace_id"
    };
}
macro_rules! event_from {
    () => {
        // The order of joins is meant: whatever drives the query is an index of `events`.
        " FROM events e CROSS JOIN object_keys k CROSS JOIN sources s WHERE k.id = e.object AND s.id = e.source "
    };
}

/// Keys alone may come from an index that has all that is asked; what belongs to them is read when it is known which.
pub(crate) const KEYS: &str = "SELECT e.seq FROM events e WHERE 1 = 1 ";
/// Free text is also looked for in an object's id.
const KEYS_WITH_NAMES: &str = "SELECT e.seq FROM events e CROSS JOIN object_keys k WHERE k.id = e.object ";
const BETWEEN: &str = concat!(
    "SELECT ",
    event_columns!(),
    event_from!(),
    "AND e.seq > $1 AND e.seq <= $2 ORDER BY e.seq LIMIT $3"
);
const ONE: &str = concat!("SELECT ", event_columns!(), event_from!(), "AND e.seq = $1");
const LAST_AT: &str = "SELECT at FROM events ORDER BY seq DESC LIMIT 1";
const LISTED: Sql = with_list!(
    concat!("SELECT ", event_columns!(), " FROM"),
    "CROSS JOIN events e CROSS JOIN object_keys k CROSS JOIN sources s \
     WHERE e.seq = CAST(j.value ->> 0 AS BIGINT) AND k.id = e.object AND s.id = e.source ORDER BY e.seq DESC"
);

impl EventRow {
    pub(crate) fn into_event(self, op: &'static str) -> Result<Event, StoreError> {
        let Self {
            seq,
            at,
            recorded_at,
            source,
            controller,
            kind,
            ext,
            app,
            env,
            action,
            outcome,
            reason,
            message,
            attempt,
            trace_id,
        } = self;
        let damaged = |what| StoreError::damaged(op, what);
        Ok(Event {
            seq: Seq(seq),
            at: Ts(at),
            recorded_at: Ts(recorded_at),
            source: parse(op, "a source id", &source)?,
            controller,
            object: objects::key(op, &kind, ext)?,
            app,
            env,
            action,
            outcome: Outcome::parse(&outcome).ok_or_else(|| damaged("an outcome"))?,
            reason,
            message,
            attempt: attempt.map(u32::try_from).transpose().map_err(|_| damaged("an attempt"))?,
            trace_id: trace_id.map(|id| parse(op, "a trace id", &id)).transpose()?,
        })
    }
}

const OP: &str = "read events";

fn events(rows: Vec<EventRow>) -> Result<Vec<Event>, StoreError> {
    rows.into_iter().map(|row| row.into_event(OP)).collect()
}

impl Reader {
    /// Events that this filter wants, newest first, before this one.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn events(
        &mut self,
        filter: &EventFilter,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let before = before.map_or(i64::MAX, |before| before.0);
        let (limit, range) = (i64::from(limit), self.event_range(filter).await?);
        let route = sample::route(filter, range, None);
        let start = if filter.q.is_some() { KEYS_WITH_NAMES } else { KEYS };
        let keys = built!(&mut self.tx, OP, (i64,), start, |query| {
            page(query, filter, route, before, limit);
        })?;
        self.events_listed(&keys.into_iter().map(|(seq,)| Seq(seq)).collect::<Vec<_>>()).await
    }

    /// These events, newest first; those that are not recorded are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn events_listed(&mut self, seqs: &[Seq]) -> Result<Vec<Event>, StoreError> {
        if seqs.is_empty() {
            return Ok(vec![]);
        }
        let list: Vec<[i64; 1]> = seqs.iter().map(|seq| [seq.0]).collect();
        events(rows!(&mut self.tx, OP, EventRow, LISTED, to_json(&list))?)
    }

    /// All events of the range `(after, to]`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn events_between(
        &mut self,
        after: Seq,
        to: Seq,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        events(rows!(&mut self.tx, OP, EventRow, BETWEEN, after.0, to.0, i64::from(limit))?)
    }

    /// One event.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn event(&mut self, id: EventId) -> Result<Option<Event>, StoreError> {
        row!(&mut self.tx, OP, EventRow, ONE, id.0.0)?.map(|row| row.into_event(OP)).transpose()
    }

    /// When the newest recorded event happened.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn last_event_at(&mut self) -> Result<Option<Ts>, StoreError> {
        Ok(row!(&mut self.tx, OP, (i64,), LAST_AT)?.map(|(at,)| Ts(at)))
    }
}
