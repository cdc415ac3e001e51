//! The newest events that a filter wants, in short: what a page counts, draws and offers as facets.
//!
//! They are read once for all of that, and as one text: a row of its own for each would cost more than finding them.
//! Only a facet that the filter asks for something has to be read again, because it is counted without that.

use std::collections::{BTreeMap, HashMap};

use model::{EventFilter, Outcome, Seq, Span, Ts, view::FacetCount};
use sqlx::{Encode, QueryBuilder, Type};

use super::filter::{self, Engine, Facet, Lead, Route, built};
use crate::{Reader, StoreError, pool::row, text::SEPARATOR};

/// Counts stop here; above it people read "≥ 10 000".
const CAP: i64 = 10_001;
/// How many values a facet shows.
const FACET_VALUES: usize = 50;
/// A range of time with fewer events than this is narrow: all of them are looked at, and sorted.
const NARROW: i64 = 20_000;
/// In a range with no more events than this, the first and the last key are looked for: the index of time alone
/// knows them.
const MEASURED: i64 = 200_000;

const OP: &str = "count events";
/// The fields of one event.
const N_FIELDS: usize = 7;

const START: &str = "SELECT string_agg(x.line, '\u{1f}') FROM (";
/// The separator cannot be part of a stored text.
const ALL_FIELDS: &str = "e.seq || '\u{1f}' || e.at || '\u{1f}' || e.outcome || '\u{1f}' || e.controller || '\u{1f}' \
    || e.reason || '\u{1f}' || coalesce(e.kind, '') || '\u{1f}' || coalesce(e.app, '')";
const ALONE: &str = " AS line FROM events e WHERE 1 = 1 ";
/// Free text is also looked for in an object's id.
const WITH_KEYS: &str = " AS line FROM events e CROSS JOIN object_keys k WHERE k.id = e.object ";
const IN_RANGE: &str = "SELECT count(*), min(x.seq), max(x.seq) FROM (SELECT seq FROM events WHERE at >= $1 AND at <= $2 LIMIT $3) x";

/// The newest 10,001 events that a filter wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSample {
    /// Newest first.
    rows: Vec<(Seq, Ts, bool)>,
    /// Values of the facets `controller`, `reason`, `outcome`, `kind` and `app`, the most frequent first, counted
    /// under all filters but the facet's own.
    pub facets: BTreeMap<String, Vec<FacetCount>>,
}

impl EventSample {
    /// How many events there are, and how many of those failed.
    #[must_use]
    pub fn counts(&self) -> (i64, i64) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        (count(self.rows.len()), count(self.rows.iter().filter(|(.., failed)| *failed).count()))
    }

    /// How many fell into each `step` after `from`, by the number of the step, and how many of those failed. Empty
    /// steps are left out.
    #[must_use]
    pub fn histogram(&self, from: Ts, step: Span) -> Vec<(i64, i64, i64)> {
        let mut bars: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for (_, at, failed) in self.rows.iter().filter(|(_, at, _)| *at >= from) {
            let bar = bars.entry((*at - from).0 / step.0.max(1)).or_default();
            *bar = (bar.0 + 1, bar.1 + i64::from(*failed));
        }
        bars.into_iter().map(|(step, (n, failed))| (step, n, failed)).collect()
    }

    /// The newest so many before this one; `None` where the sample ends too early to tell.
    #[must_use]
    pub fn newest(&self, before: Option<Seq>, limit: u32) -> Option<Vec<Seq>> {
        let before = before.unwrap_or(Seq(i64::MAX));
        let seqs = self.rows.iter().map(|(seq, ..)| *seq).filter(|seq| *seq < before);
        let seqs: Vec<Seq> = seqs.take(limit as usize).collect();
        let is_all = self.counts().0 < CAP;
        (is_all || seqs.len() == limit as usize).then_some(seqs)
    }
}

impl Reader {
    /// The newest 10,001 events that this filter wants, to count and to choose from.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn event_sample(&mut self, filter: &EventFilter) -> Result<EventSample, StoreError> {
        let range = self.event_range(filter).await?;
        let text = self.sampled(filter, range, None).await?;
        let mut sample = EventSample::default();
        let (asked, free): (Vec<_>, Vec<_>) =
            Facet::ALL.into_iter().partition(|facet| facet.is_asked(filter));
        let mut tallies: Vec<_> = free.into_iter().map(|facet| (facet, Tally::default())).collect();
        for line in lines(&text) {
            let [seq, at, outcome, ..] = line;
            let number =
                |text: &str| text.parse().map_err(|_| StoreError::damaged(OP, "an event's key or time"));
            sample.rows.push((Seq(number(seq)?), Ts(number(at)?), outcome == Outcome::Failed.as_str()));
            tallies.iter_mut().for_each(|(facet, tally)| tally.add(field(&line, *facet)));
        }
        // The engines keep this order by themselves; neither of them promises to.
        sample.rows.sort_unstable_by_key(|(seq, ..)| std::cmp::Reverse(*seq));
        for (facet, tally) in tallies {
            sample.facets.insert(facet.as_str().to_owned(), tally.most());
        }
        for facet in asked {
            let text = self.sampled(filter, range, Some(facet)).await?;
            let mut tally = Tally::default();
            text.split(SEPARATOR).for_each(|value| tally.add(value));
            sample.facets.insert(facet.as_str().to_owned(), tally.most());
        }
        Ok(sample)
    }

    /// What is known of the filter's range of time; `None` where it has none. It is the same whatever facet is left out,
    /// so it is looked for once.
    pub(super) async fn event_range(&mut self, filter: &EventFilter) -> Result<Option<Range>, StoreError> {
        if filter.from.is_none() && filter.to.is_none() {
            return Ok(None);
        }
        if !filter.object.is_empty() {
            // An object has few events, and its index knows their times.
            return Ok(Some(Range { n: 0, keys: None }));
        }
        let (from, to) = (filter.from.map_or(i64::MIN, |at| at.0), filter.to.map_or(i64::MAX, |at| at.0));
        let found =
            row!(&mut self.tx, OP, (i64, Option<i64>, Option<i64>), IN_RANGE, from, to, MEASURED + 1)?;
        let (n, first, last) = found.unwrap_or_default();
        // An empty range has no keys, and nothing is between one and zero.
        let keys = (n <= MEASURED).then(|| first.zip(last).unwrap_or((1, 0)));
        Ok(Some(Range { n, keys }))
    }

    /// The fields of each event; without what the filter asks of a facet, only that facet's values.
    async fn sampled(
        &mut self,
        filter: &EventFilter,
        range: Option<Range>,
        except: Option<Facet>,
    ) -> Result<String, StoreError> {
        let route = route(filter, range, except);
        let found = built!(&mut self.tx, OP, (Option<String>,), START, |query| {
            rows(query, filter, route, except);
            query.push(") x");
        })?;
        Ok(found.into_iter().next().and_then(|(text,)| text).unwrap_or_default())
    }
}

/// A range of time, as far as it was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    n: i64,
    keys: Option<(i64, i64)>,
}

/// How to get to the events of this filter without what it asks of one facet.
pub(super) fn route(filter: &EventFilter, range: Option<Range>, except: Option<Facet>) -> Route {
    let Some(Range { n, keys }) = range else { return Route { lead: Lead::Planner, keys: None } };
    let mut facets = Facet::ALL.into_iter().filter(|facet| Some(*facet) != except);
    let chosen =
        !(filter.env.is_empty() && filter.object.is_empty()) || facets.any(|facet| facet.leads(filter));
    let lead = match chosen {
        true => Lead::Key,
        // Free text may be rare, so all of the range has to be looked at in any case.
        false if n < NARROW || filter.q.is_some() => Lead::Time,
        false => Lead::Key,
    };
    Route { lead, keys }
}

/// The rows of a sample, each as one text.
pub(crate) fn rows<DB: Engine>(
    query: &mut QueryBuilder<DB>,
    filter: &EventFilter,
    route: Route,
    except: Option<Facet>,
) where
    String: for<'q> Encode<'q, DB> + Type<DB>,
    i64: for<'q> Encode<'q, DB> + Type<DB>,
{
    query.push("SELECT e.seq AS seq, ");
    match except {
        None => query.push(ALL_FIELDS),
        Some(facet) => query.push("coalesce(e.").push(facet.as_str()).push(", '')"),
    };
    query.push(if filter.q.is_some() { WITH_KEYS } else { ALONE });
    filter::wants(query, filter, route, except);
    filter::newest(query, route, CAP);
}

/// The fields of each event. They are not collected: ten thousand of them would take several times what the text does.
fn lines(text: &str) -> impl Iterator<Item = [&str; N_FIELDS]> {
    let mut fields = text.split(SEPARATOR);
    std::iter::from_fn(move || {
        let mut line = [""; N_FIELDS];
        for field in &mut line {
            *field = fields.next()?;
        }
        Some(line)
    })
}

fn field<'a>(line: &[&'a str; N_FIELDS], facet: Facet) -> &'a str {
    let [_, _, outcome, controller, reason, kind, app] = *line;
    match facet {
        Facet::Controller => controller,
        Facet::Reason => reason,
        Facet::Outcome => outcome,
        Facet::Kind => kind,
        Facet::App => app,
    }
}

/// How often each value of a facet was seen.
#[derive(Debug, Default)]
struct Tally<'a>(HashMap<&'a str, i64>);

impl<'a> Tally<'a> {
    fn add(&mut self, value: &'a str) {
        if !value.is_empty() {
            *self.0.entry(value).or_default() += 1;
        }
    }

    /// The most frequent values first.
    fn most(self) -> Vec<FacetCount> {
        let mut counted: Vec<(&str, i64)> = self.0.into_iter().collect();
        counted.sort_unstable_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
        counted.truncate(FACET_VALUES);
        counted.into_iter().map(|(value, n)| FacetCount { value: value.to_owned(), n }).collect()
    }
}
