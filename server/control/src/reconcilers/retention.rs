//! Deletes what is older than it has to be kept, in small steps, so that nobody waits for it.

use async_trait::async_trait;
use model::Span;
use serde::Serialize;
use store::{Cutoffs, Store};

use crate::{Clock, Reconciler, driver::PassError};

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Events, versions and segments.
    pub history: Span,
    /// Log lines.
    pub logs: Span,
    /// How many lines of one object.
    pub lines_per_object: u32,
    /// How many rows of each kind are deleted at a time; others may write in between.
    pub step: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            history: Span::minutes(90 * 24 * 60),
            logs: Span::minutes(3 * 24 * 60),
            lines_per_object: 10_000,
            step: 5000,
        }
    }
}

/// How many steps one pass takes at most; the next one goes on.
const STEPS: u32 = 200;

/// The retention reconciler.
pub struct Retention {
    store: Store,
    clock: Clock,
    keep: Keep,
}

/// What a pass did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RetentionStatus {
    /// Rows that are gone.
    pub deleted: u64,
    /// What did not work; the next pass tries again.
    pub errors: Vec<PassError>,
}

impl Retention {
    /// A reconciler that keeps this much.
    #[must_use]
    pub fn new(store: Store, clock: Clock, keep: Keep) -> Self {
        Self { store, clock, keep }
    }
}

#[async_trait]
impl Reconciler for Retention {
    const NAME: &'static str = "retention";
    // Only time makes anything old.
    const FOLLOWS_JOURNAL: bool = false;
    type Status = RetentionStatus;

    async fn pass(&self) -> RetentionStatus {
        let now = (self.clock)();
        let history = Some(now - self.keep.history);
        let cutoffs = Cutoffs {
            events: history,
            versions: history,
            segments: history,
            logs: Some(now - self.keep.logs),
            log_lines_per_object: Some(self.keep.lines_per_object),
            idempotency: Some(now - Span::minutes(24 * 60)),
            sessions: Some(now),
            limit: self.keep.step,
        };
        let mut status = RetentionStatus::default();
        for _ in 0..STEPS {
            match self.store.retention(&cutoffs).await {
                Ok(deleted) if deleted.total() == 0 => break,
                Ok(deleted) => status.deleted += deleted.total(),
                Err(error) => {
                    status.errors.push(PassError::new("delete what is too old", &error));
                    break;
                }
            }
        }
        status
    }
}
