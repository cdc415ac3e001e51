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
    /// Before a column that is not to choose the index: SQLite plans without looking at the data.
    const ASIDE: &'static str;

    /// Adds that a column of ASCII holds a text, whatever the case of its letters; the text is in lower case.
    fn holds(query: &mut QueryBuilder<Self>, column: &'static str, text: &str)
    where
        String: for<'q> Encode<'q, Self> + Type<Self>;
}

impl Engine for Sqlite {
    const FIND: &'static str = "instr";
    const ASIDE: &'static str = "+";

    // Unlike `lower`, this makes no copy of each row's text.
    fn holds(query: &mut QueryBuilder<Self>, column: &'static str, text: &str) {
        let mut pattern = String::with_capacity(text.len() + 2);
        pattern.push('%');
        for c in text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        query.push(column).push(" LIKE ").push_bind(pattern).push(" ESCAPE '\\'");
    }
}

impl Engine for Postgres {
    const FIND: &'static str = "strpos";
    const ASIDE: &'static str = "";

    fn holds(query: &mut QueryBuilder<Self>, column: &'static str, text: &str) {
        query.push("strpos(lower(").push(column).push("), ").push_bind(text.to_owned()).push(") > 0");
    }
}

/// What leads to the events; SQLite's planner does not know how many there are of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// Whatever the planner finds best.
    Planner,
    /// The key, newest first: what is wanted is frequent among the newest.
    Key,
    /// The range of time: it bounds what has to be looked at, and what is found is sorted.
    Time,
}

/// How a query gets to its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) lead: Lead,
    /// The first and the last key within the range of time, where that was cheap to find: whatever index leads, it
    /// does not go beyond them.
    pub(crate) keys: Option<(i64, i64)>,
}

impl Route {
    #[cfg(test)]
    pub(crate) const fn by(lead: Lead) -> Self {
        Self { lead, keys: None }
    }
}

/// What events are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facet {
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

    /// Whether the filter asks something of it.
    pub(super) fn is_asked(self, filter: &EventFilter) -> bool {
        match self {
            Self::Controller => !filter.controller.is_empty(),
            Self::Reason => !(filter.reason.is_empty() && filter.not_reason.is_empty()),
            Self::Outcome => !filter.outcome.is_empty(),
            Self::Kind => !filter.kind.is_empty(),
            Self::App => !filter.app.is_empty(),
        }
    }

    /// Whether an index leads to what the filter asks of it; there is none for what is not wanted.
    pub(super) fn leads(self, filter: &EventFilter) -> bool {
        self.is_asked(filter) && (self != Self::Reason || !filter.reason.is_empty())
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

/// Goes on with [`super::KEYS`]: the newest events before a sequence that the filter wants.
pub(crate) fn page<DB: Engine>(
    query: &mut QueryBuilder<DB>,
    filter: &EventFilter,
    route: Route,
    before: i64,
    limit: i64,
) where
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    wants(query, filter, route, None);
    query.push(" AND e.seq < ").push_bind(before);
    newest(query, route, limit);
}

/// Ends a query over events: the newest so many.
pub(super) fn newest<DB: Engine>(query: &mut QueryBuilder<DB>, route: Route, limit: i64)
where
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    query.push(" ORDER BY ").push(if route.lead == Lead::Time { DB::ASIDE } else { "" });
    query.push("e.seq DESC LIMIT ").push_bind(limit);
}

/// Adds `AND …` for everything that the filter asks, except for what it asks of one facet.
pub(super) fn wants<DB: Engine>(
    query: &mut QueryBuilder<DB>,
    filter: &EventFilter,
    route: Route,
    except: Option<Facet>,
) where
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
        one_of(query, "e.kind", kind.iter().map(ToString::to_string).collect());
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
        // Outcomes are words of ours, and the planners take the index of what failed only where they see its word.
        match outcome.as_slice() {
            [] => {}
            [one] => {
                query.push(" AND e.outcome = '").push(one.as_str()).push("'");
            }
            [first, rest @ ..] => {
                query.push(" AND e.outcome IN ('").push(first.as_str());
                rest.iter().for_each(|one| {
                    query.push("', '").push(one.as_str());
                });
                query.push("')");
            }
        }
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
    let aside = if route.lead == Lead::Key { DB::ASIDE } else { "" };
    if let Some((first, last)) = route.keys {
        query.push(" AND e.seq >= ").push_bind(first).push(" AND e.seq <= ").push_bind(last);
    }
    if let Some(from) = from {
        query.push(" AND ").push(aside).push("e.at >= ").push_bind(from.0);
    }
    if let Some(to) = to {
        query.push(" AND ").push(aside).push("e.at <= ").push_bind(to.0);
    }
    match q.as_ref().map(|q| q.to_lowercase()) {
        None => {}
        Some(q) if !is_storable(&q) => {
            query.push(" AND 1 = 0");
        }
        Some(q) => {
            query.push(" AND (CASE WHEN e.folded IS NULL THEN ");
            for (i, column) in ["e.message", "e.reason", "e.action", "k.ext"].into_iter().enumerate() {
                query.push(if i == 0 { "" } else { " OR " });
                DB::holds(query, column, &q);
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
