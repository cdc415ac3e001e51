//! Reading events: pages, ranges, counts and facets.

mod filter;

use std::collections::BTreeMap;

use model::{Event, EventFilter, EventId, Outcome, Seq, Span, Ts, view::FacetCount};

use filter::{Facet, built};
pub(crate) use filter::{fold, page};

use crate::{
    Reader, StoreError, objects,
    pool::{row, rows},
    text::parse,
};

/// Counts stop here; above it people read "≥ 10 000".
const COUNT_CAP: i64 = 10_001;
/// How many values a facet shows.
const FACET_VALUES: i64 = 50;

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

pub(crate) const SELECT: &str = concat!("SELECT ", event_columns!(), event_from!());
const BETWEEN: &str = concat!(
    "SELECT ",
    event_columns!(),
    event_from!(),
    "AND e.seq > $1 AND e.seq <= $2 ORDER BY e.seq LIMIT $3"
);
const ONE: &str = concat!("SELECT ", event_columns!(), event_from!(), "AND e.seq = $1");
const LAST_AT: &str = "SELECT at FROM events ORDER BY seq DESC LIMIT 1";
const COUNTED: &str = concat!(
    "SELECT count(*), coalesce(sum(CASE WHEN x.outcome = 'failed' THEN 1 ELSE 0 END), 0) FROM (SELECT e.outcome",
    event_from!()
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
        let limit = i64::from(limit);
        events(built!(&mut self.tx, OP, EventRow, SELECT, |query| {
            page(query, filter, before, limit);
        })?)
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

    /// Values of the facets `controller`, `reason`, `outcome`, `kind` and `app`, the most frequent first, counted
    /// under all filters but the facet's own. Only the newest 10,001 events are counted.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn event_facets(
        &mut self,
        filter: &EventFilter,
    ) -> Result<BTreeMap<String, Vec<FacetCount>>, StoreError> {
        const OP: &str = "count the values of event facets";
        let mut facets = BTreeMap::new();
        for facet in Facet::ALL {
            let counted =
                built!(&mut self.tx, OP, (String, i64), "SELECT x.value, count(*) FROM (SELECT ", |query| {
                    query.push(facet.column()).push(" AS value").push(event_from!());
                    filter::wants(query, filter, Some(facet));
                    query.push(" ORDER BY e.seq DESC LIMIT ").push_bind(COUNT_CAP);
                    query.push(
                        ") x WHERE x.value <> '' GROUP BY x.value ORDER BY count(*) DESC, x.value LIMIT ",
                    );
                    query.push_bind(FACET_VALUES);
                })?;
            let counted = counted.into_iter().map(|(value, n)| FacetCount { value, n }).collect();
            facets.insert(facet.as_str().to_owned(), counted);
        }
        Ok(facets)
    }

    /// How many events this filter wants, counted up to 10,001, and how many of those failed.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn event_counts(&mut self, filter: &EventFilter) -> Result<(i64, i64), StoreError> {
        const OP: &str = "count events";
        let counted = built!(&mut self.tx, OP, (i64, i64), COUNTED, |query| {
            filter::wants(query, filter, None);
            query.push(" ORDER BY e.seq DESC LIMIT ").push_bind(COUNT_CAP).push(") x");
        })?;
        Ok(counted.into_iter().next().unwrap_or((0, 0)))
    }

    /// How many of the newest 10,001 events that this filter wants fell into each `step` after `from`, by the
    /// number of the step, and how many of those failed. Empty steps are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn event_histogram(
        &mut self,
        filter: &EventFilter,
        from: Ts,
        step: Span,
    ) -> Result<Vec<(i64, i64, i64)>, StoreError> {
        const OP: &str = "count events over time";
        built!(&mut self.tx, OP, (i64, i64, i64), "SELECT x.step, count(*), ", |query| {
            query.push(
                "coalesce(sum(CASE WHEN x.outcome = 'failed' THEN 1 ELSE 0 END), 0) FROM (SELECT (e.at - ",
            );
            query.push_bind(from.0).push(") / ").push_bind(step.0.max(1)).push(" AS step, e.outcome");
            query.push(event_from!()).push(" AND e.at >= ").push_bind(from.0);
            filter::wants(query, filter, None);
            query.push(" ORDER BY e.seq DESC LIMIT ").push_bind(COUNT_CAP);
            query.push(") x GROUP BY x.step ORDER BY x.step");
        })
    }

    /// When the newest recorded event happened.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn last_event_at(&mut self) -> Result<Option<Ts>, StoreError> {
        Ok(row!(&mut self.tx, OP, (i64,), LAST_AT)?.map(|(at,)| Ts(at)))
    }
}
