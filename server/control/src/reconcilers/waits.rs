//! Marks waits as met, failed, superseded or timed out.
//!
//! Timing out ends the watching, not the change. While the source is silent a wait is blind: its clock runs.

use async_trait::async_trait;
use model::{Freshness, Until, Verdict, Wait, WaitPhase, wait::Seen};
use serde::Serialize;
use store::{Store, StoreError};

use crate::{Clock, Reconciler, driver::PassError};

/// The wait reconciler.
pub struct Waits {
    store: Store,
    clock: Clock,
    limit: u32,
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
    /// A reconciler that looks at no more than `limit` waits in a pass.
    #[must_use]
    pub fn new(store: Store, clock: Clock, limit: u32) -> Self {
        Self { store, clock, limit }
    }

    async fn one(&self, wait: &Wait) -> Result<bool, StoreError> {
        let now = (self.clock)();
        let mut reader = self.store.read().await?;
        let object = reader.object(&wait.object).await?;
        let judgement = reader.judgement(&wait.object).await?;
        let verdict = judgement.as_ref().map(|judgement| judgement.verdict);
        let source = match &object {
            Some(object) => reader.source(&object.source).await?,
            None => None,
        };
        drop(reader);
        let seen = Seen { object: object.as_ref(), verdict };
        let generation = object.as_ref().map(|object| object.generation);
        let superseded = wait.generation.zip(generation).is_some_and(|(mine, current)| current > mine);
        let about_now = wait.generation.is_none() || wait.generation <= generation;
        let phase = if superseded {
            WaitPhase::Superseded { by: None }
        } else if wait.until.holds(seen) {
            WaitPhase::Converged
        } else if about_now && verdict == Some(Verdict::Failed) && wait.until != Until::Gone {
            WaitPhase::Failed { reason: judgement.map(|judgement| judgement.sentence).unwrap_or_default() }
        } else if now >= wait.deadline {
            WaitPhase::TimedOut
        } else {
            WaitPhase::Waiting
        };
        let silent = source.is_some_and(|source| {
            matches!(Freshness::of_source(source.last_seen_at, source.interval, now), Freshness::Stale { .. })
        });
        let ended = !phase.is_open();
        let next = Wait {
            items: wait.until.items(seen),
            blind_since: silent.then(|| wait.blind_since.unwrap_or(now)),
            ended_at: ended.then_some(now),
            phase,
            ..wait.clone()
        };
        if next != *wait {
            self.store.wait_update(&next).await?;
        }
        Ok(ended)
    }
}

#[async_trait]
impl Reconciler for Waits {
    const NAME: &'static str = "waits";
    type Status = WaitsStatus;

    async fn pass(&self) -> WaitsStatus {
        let mut status = WaitsStatus::default();
        let open = async { self.store.read().await?.waits(true, self.limit).await };
        match open.await {
            Ok(open) => {
                for wait in open {
                    status.open += 1;
                    match self.one(&wait).await {
                        Ok(ended) => status.ended += u32::from(ended),
                        Err(error) => {
                            status.errors.push(PassError::new(format!("watch {}", wait.id), &error))
                        }
                    }
                }
            }
            Err(error) => status.errors.push(PassError::new("read open waits", &error)),
        }
        status
    }
}
