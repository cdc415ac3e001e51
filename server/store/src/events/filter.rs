//! The SQL half of [`EventFilter`]. The other half is `EventFilter::matches`; a property test compares them.
//!
//! The text is put together from constant pieces; every value is a parameter. Text that cannot be stored
//! cannot be found, so such values match nothing.

use model::EventFilter;
use sqlx::{Database, Encode, Postgres, QueryBuilder, Sqlite, Type};

use crate::text::{SEPARATOR, is_storable};

/// What the engines do not agree about.
pub(crate) trait Engine: Database {
    /// The function that finds a text in a text, by place.
    const FIND: &'static str;
}

impl Engine for Sqlite {
    const FIND: &'static str = "instr";
}

impl Engine for Postgres {
    const FIND: &'static str = "strpos";
}

/// What events are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    Controller,
    Reason,
    Outcome,
    Kind,
    App,
}

impl Facet {
    pub(super) const ALL: [Facet; 5] = [Self::Controller, Self::Reason, Self::Outcome, Self::Kind, Self::App];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Reason => "reason",
            Self::Outcome => "outcome",
            Self::Kind => "kind",
            Self::App => "app",
        }
    }

    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Controller => "e.controller",
            Self::Reason => "e.reason",
            Self::Outcome => "e.outcome",
            Self::Kind => "k.kind",
            Self::App => "e.app",
        }
    }
}

/// Runs a query that starts with a constant text and goes on with what the closure adds.
macro_rules! built {
    ($tx:expr, $op:expr, $row:ty, $start:expr, |$query:ident| $body:block) => {{
        match $tx {
            $crate::pool::Tx::Sqlite(tx) => {
                let mut builder = sqlx::QueryBuilder::<sqlx::Sqlite>::new($start);
                {
                    let $query = &mut builder;
                    $body
                }
                builder.build_query_as::<$row>().fetch_all(&mut **tx).await
            }
            $crate::pool::Tx::Postgres(tx) => {
                let mut builder = sqlx::QueryBuilder::<sqlx::Postgres>::new($start);
                {
                    let $query = &mut builder;
                    $body
                }
                builder.build_query_as::<$row>().fetch_all(&mut **tx).await
            }
        }
        .map_err(|error| $crate::StoreError::of($op, error))
    }};
}
pub(super) use built;

/// What free text is searched in, where the engines would not agree about its lower case.
pub(crate) fn fold(parts: [&str; 4]) -> Option<String> {
    let separator = SEPARATOR.to_string();
    (!parts.iter().all(|part| part.is_ascii())).then(|| parts.map(str::to_lowercase).join(&separator))
}

/// Goes on with [`super::SELECT`]: the newest events before a sequence that the filter wants.
pub(crate) fn page<DB: Engine>(query: &mut QueryBuilder<DB>, filter: &EventFilter, before: i64, limit: i64)
where
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    wants(query, filter, None);
    query.push(" AND e.seq < ").push_bind(before);
    query.push(" ORDER BY e.seq DESC LIMIT ").push_bind(limit);
}

/// Adds `AND …` for everything that the filter asks, except for what it asks of one facet.
pub(super) fn wants<DB: Engine>(query: &mut QueryBuilder<DB>, filter: &EventFilter, except: Option<Facet>)
where
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    let EventFilter { app, env, kind, object, controller, reason, not_reason, outcome, q, from, to } = filter;
    let text = |values: &[String]| values.to_vec();
    if except != Some(Facet::App) {
        one_of(query, "e.app", text(app));
    }
    one_of(query, "e.env", text(env));
    if except != Some(Facet::Kind) {
        one_of(query, "k.kind", kind.iter().map(ToString::to_string).collect());
    }
    if except != Some(Facet::Controller) {
        one_of(query, "e.controller", text(controller));
    }
    if except != Some(Facet::Reason) {
        one_of(query, "e.reason", text(reason));
        for unwanted in not_reason.iter().filter(|reason| is_storable(reason)) {
            query.push(" AND e.reason <> ").push_bind(unwanted.clone());
        }
    }
    if except != Some(Facet::Outcome) {
        one_of(query, "e.outcome", outcome.iter().map(ToString::to_string).collect());
    }
    if !object.is_empty() {
        // One object is an equation, so that its index also gives the order.
        query.push(if object.len() == 1 { " AND e.object = (" } else { " AND e.object IN (" });
        for (i, key) in object.iter().enumerate() {
            query.push(if i == 0 { "" } else { " UNION ALL " });
            query.push("SELECT id FROM object_keys WHERE kind = ").push_bind(key.kind().to_string());
            // An id holds no control characters, so it is always storable.
            query.push(" AND ext = ").push_bind(key.id().to_owned());
        }
        query.push(")");
    }
    if let Some(from) = from {
        query.push(" AND e.at >= ").push_bind(from.0);
    }
    if let Some(to) = to {
        query.push(" AND e.at <= ").push_bind(to.0);
    }
    match q.as_ref().map(|q| q.to_lowercase()) {
        None => {}
        Some(q) if !is_storable(&q) => {
            query.push(" AND 1 = 0");
        }
        Some(q) => {
            query.push(" AND (CASE WHEN e.folded IS NULL THEN ");
            for (i, column) in ["e.message", "e.reason", "e.action", "k.ext"].into_iter().enumerate() {
                query.push(if i == 0 { "" } else { " OR " }).push(DB::FIND).push("(lower(").push(column);
                query.push("), ").push_bind(q.clone()).push(") > 0");
            }
            query.push(" ELSE ").push(DB::FIND).push("(e.folded, ").push_bind(q).push(") > 0 END)");
        }
    }
}

fn one_of<DB: Engine>(query: &mut QueryBuilder<DB>, column: &'static str, values: Vec<String>)
where
    String: for<'q> Encode<'q, DB> + Type<DB>,
{
    if values.is_empty() {
        return;
    }
    let values: Vec<String> = values.into_iter().filter(|value| is_storable(value)).collect();
    match values.len() {
        0 => {
            query.push(" AND 1 = 0");
        }
        1 => {
            query.push(" AND ").push(column).push(" = ");
            values.into_iter().for_each(|value| {
                query.push_bind(value);
            });
        }
        _ => {
            query.push(" AND ").push(column).push(" IN (");
            for (i, value) in values.into_iter().enumerate() {
                query.push(if i == 0 { "" } else { ", " }).push_bind(value);
            }
            query.push(")");
        }
    }
}
