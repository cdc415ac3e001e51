//! Marks waits as met, failed, superseded or timed out.
//!
//! Timing out ends the watching, not the change. While the source is silent a wait is blind: its clock runs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::{
    Freshness, Judgement, Object, ObjectKey, Until, Verdict, Wait, WaitId, WaitPhase, view::SourceState,
    wait::Seen,
};
use serde::Serialize;
use store::{Store, StoreError};

use crate::{Clock, Reconciler, driver::PassError};

/// Waits that are read of one snapshot.
const BATCH: usize = 500;

/// The wait reconciler.
pub struct Waits {
    store: Store,
    clock: Clock,
}

/// What is open, and what is observed of it.
struct Open {
    waits: Vec<Wait>,
    objects: BTreeMap<ObjectKey, Object>,
    judgements: BTreeMap<ObjectKey, Judgement>,
    sources: Vec<SourceState>,
}

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WaitsStatus {
    /// Waits that were looked at.
    pub open: u32,
    /// Waits that ended.
    pub ended: u32,
    /// What did not work; the next pass tries again.
    pub errors: Vec<PassError>,
}

impl Waits {
    /// A reconciler over this store.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// These waits, as far as they are open, with what is observed of their objects, all of one snapshot.
    async fn open(&self, ids: &[WaitId]) -> Result<Open, StoreError> {
        let mut reader = self.store.read().await?;
        let mut waits = reader.waits_by_id(ids).await?;
        waits.retain(|wait| wait.phase.is_open());
        let keys: Vec<ObjectKey> = waits.iter().map(|wait| wait.object.clone()).collect();
        let objects = reader.objects_by_keys(&keys).await?;
        let objects = objects.into_iter().map(|object| (object.key.clone(), object)).collect();
        let judgements = reader.judgements(&keys).await?;
        let sources = reader.sources().await?;
        Ok(Open { waits, objects, judgements, sources })
    }

    /// The wait as it stands now.
    fn next(&self, wait: &Wait, open: &Open) -> Wait {
        let now = (self.clock)();
        let object = open.objects.get(&wait.object);
        let judgement = open.judgements.get(&wait.object);
        let verdict = judgement.map(|judgement| judgement.verdict);
        let seen = Seen { object, verdict };
        let generation = object.map(|object| object.generation);
        let superseded = wait.generation.zip(generation).is_some_and(|(mine, current)| current > mine);
        let about_now = wait.generation.is_none() || wait.generation <= generation;
        let phase = if superseded {
            WaitPhase::Superseded { by: None }
        } else if wait.until.holds(seen) {
            WaitPhase::Converged
        } else if about_now && verdict == Some(Verdict::Failed) && wait.until != Until::Gone {
            let reason = judgement.map(|judgement| judgement.sentence.clone()).unwrap_or_default();
            WaitPhase::Failed { reason }
        } else if now >= wait.deadline {
            WaitPhase::TimedOut
        } else {
            WaitPhase::Waiting
        };
        let source = object.and_then(|object| open.sources.iter().find(|source| source.id == object.source));
        let silent = source.is_some_and(|source| {
            matches!(Freshness::of_source(source.last_seen_at, source.interval, now), Freshness::Stale { .. })
        });
        Wait {
            items: wait.until.items(seen),
            blind_since: silent.then(|| wait.blind_since.unwrap_or(now)),
            ended_at: (!phase.is_open()).then_some(now),
            phase,
            ..wait.clone()
        }
    }
}

#[async_trait]
impl Reconciler for Waits {
    const NAME: &'static str = "waits";
    type Status = WaitsStatus;

    async fn pass(&self) -> WaitsStatus {
        let mut status = WaitsStatus::default();
        let ids = async { self.store.read().await?.waits_open_ids().await };
        let ids = ids.await.unwrap_or_else(|error| {
            status.errors.push(PassError::new("list open waits", &error));
            vec![]
        });
        // All of them: thousands of newer ones must not keep one from its deadline.
        for some in ids.chunks(BATCH) {
            let open = match self.open(some).await {
                Ok(open) => open,
                Err(error) => {
                    status.errors.push(PassError::new("read open waits", &error));
                    return status;
                }
            };
            status.open += u32::try_from(open.waits.len()).unwrap_or(u32::MAX);
            for wait in &open.waits {
                let next = self.next(wait, &open);
                if next == *wait {
                    continue;
                }
                match self.store.wait_update(wait, &next, None).await {
                    Ok(moved) => status.ended += u32::from(moved && !next.phase.is_open()),
                    Err(error) => status.errors.push(PassError::new(format!("watch {}", wait.id), &error)),
                }
            }
        }
        status
    }
}
