//! Recording what sources report: one transaction for all batches that are given.
//!
//! Unchanged content leaves no trace but the watermark. What a source does not say is not concluded: only a
//! full set ([`Observation::Snapshot`], [`Observation::Complete`]) or [`Observation::Gone`] makes an object go.
//! An observed source has a say about its own objects only; every line about another one's is refused.

mod batch;
mod events;
mod gaps;
mod objects;
mod state;

use std::collections::BTreeMap;

use model::{Batch, NewEvent, Observation, Ts, observation::OBSERVED};

pub(crate) use objects::gone_objects;

use crate::{
    Ingested, Store, StoreError,
    pool::{exec, rows},
    write::Write,
};

const SOURCES: &str = "SELECT id, ext, kind, interval_us, last_seen_at FROM sources";
const SEEN: &str = "UPDATE sources SET last_seen_at = $2 WHERE id = $1";

/// What ingest has to know of a source.
#[derive(Debug, Clone)]
struct Known {
    id: i64,
    /// It is one of those that speak about their own objects only.
    observed: bool,
    interval: i64,
    last_seen: Option<Ts>,
    moved: bool,
}

type Sources = BTreeMap<String, Known>;

async fn sources(write: &mut Write) -> Result<Sources, StoreError> {
    let found = rows!(&mut write.tx, write.op(), (i64, String, String, i64, Option<i64>), SOURCES)?;
    let known = |(id, ext, kind, interval, seen): (i64, String, String, i64, Option<i64>)| {
        (ext, Known { id, observed: kind == OBSERVED, interval, last_seen: seen.map(Ts), moved: false })
    };
    Ok(found.into_iter().map(known).collect())
}

impl Store {
    /// Records what sources say, all of it or nothing. What cannot be stored for its own fault is refused by
    /// name and does not hold up the rest.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written; the same batches may be given again.
    pub async fn ingest(&self, batches: Vec<Batch>) -> Result<Ingested, StoreError> {
        let mut write = self.write("record observations").await?;
        let mut sources = sources(&mut write).await?;
        let mut done = Ingested::default();
        // Batches up to the next recording gap are applied together; the gap cuts timelines in between.
        let mut run: Vec<(usize, Batch)> = vec![];
        let mut n_before = 0;
        for batch in batches {
            let first = n_before;
            n_before += batch.observations.len();
            let Some(source) = sources.get(batch.source.as_str()).cloned() else {
                let why = || "the source is not registered".to_owned();
                done.refused.extend((first..n_before).map(|i| (i, why())));
                continue;
            };
            if let Some(gap) = gaps::find(&source, batch.at, self.inner.opened_at) {
                batch::apply(&mut write, &sources, std::mem::take(&mut run), &mut done).await?;
                gaps::record(&mut write, &source, &batch.source, gap).await?;
            }
            if let Some(source) = sources.get_mut(batch.source.as_str()) {
                source.moved |= source.last_seen < Some(batch.at);
                source.last_seen = source.last_seen.max(Some(batch.at));
            }
            run.push((first, batch));
        }
        batch::apply(&mut write, &sources, run, &mut done).await?;
        for source in sources.values().filter(|source| source.moved) {
            exec!(&mut write.tx, "move a watermark", SEEN, source.id, source.last_seen.map(|at| at.0))?;
        }
        write.commit().await?;
        done.refused.sort();
        done.duplicates.sort_unstable();
        Ok(done)
    }
}

/// Adds one event of our own to a transaction.
pub(crate) async fn insert_event(write: &mut Write, event: NewEvent) -> Result<(), StoreError> {
    let op = write.op();
    let sources = sources(write).await?;
    if !sources.contains_key(event.source.as_str()) {
        return Err(StoreError::NotFound { op });
    }
    let mut done = Ingested::default();
    let batch = Batch {
        source: event.source.clone(),
        at: write.now,
        observations: vec![Observation::Event(Box::new(event))],
    };
    batch::apply(write, &sources, vec![(0, batch)], &mut done).await?;
    match done.refused.is_empty() {
        true => Ok(()),
        false => Err(StoreError::refused(op, "the event cannot be stored")),
    }
}
