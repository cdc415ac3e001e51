//! Follows open receipts: accepted, applying, converged, decided from what is observed and never from what was
//! ordered.

use async_trait::async_trait;
use model::{ObjectKey, Receipt, ReceiptPhase, Span, Until, Verb, Verdict, wait::Seen};
use serde::Serialize;
use store::{Store, StoreError};

use crate::{Clock, Reconciler, driver::PassError};

/// How long a receipt is followed. The change itself goes on without us.
const FOLLOW: Span = Span::minutes(24 * 60);

/// The receipt reconciler.
pub struct Receipts {
    store: Store,
    clock: Clock,
}

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReceiptsStatus {
    /// Receipts that are open.
    pub open: u32,
    /// Receipts that moved to another phase.
    pub moved: u32,
    /// What did not work; the next pass tries again.
    pub errors: Vec<PassError>,
}

impl Receipts {
    /// A reconciler over this store.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    async fn one(&self, receipt: &Receipt) -> Result<bool, StoreError> {
        let key = ObjectKey::env(&receipt.target.env_id);
        let (object, verdict, sentence) = {
            let mut reader = self.store.read().await?;
            let judgement = reader.judgement(&key).await?;
            let object = reader.object(&key).await?;
            (object, judgement.as_ref().map(|j| j.verdict), judgement.map(|j| j.sentence))
        };
        let seen = Seen { object: object.as_ref(), verdict };
        let gone = object.as_ref().is_none_or(|object| object.gone_at.is_some());
        let observed = Until::Observed { generation: receipt.generation }.holds(seen);
        let done = match receipt.verb {
            Verb::Delete => gone,
            _ => !gone && Until::converged_at(receipt.generation).holds(seen),
        };
        let next = if done {
            ReceiptPhase::Converged
        } else if observed && verdict == Some(Verdict::Failed) {
            ReceiptPhase::Failed { reason: sentence.unwrap_or_default() }
        } else if (self.clock)() - receipt.accepted_at > FOLLOW {
            ReceiptPhase::TimedOut
        } else if observed {
            ReceiptPhase::Applying
        } else {
            return Ok(false);
        };
        if !receipt.phase.may_become(&next) {
            return Ok(false);
        }
        self.store.receipt_move(&receipt.id, next).await
    }
}

#[async_trait]
impl Reconciler for Receipts {
    const NAME: &'static str = "receipts";
    type Status = ReceiptsStatus;

    async fn pass(&self) -> ReceiptsStatus {
        let mut status = ReceiptsStatus::default();
        let open = async { self.store.read().await?.receipts(None, true, 1000).await };
        match open.await {
            Ok(open) => {
                for receipt in open {
                    status.open += 1;
                    match self.one(&receipt).await {
                        Ok(moved) => status.moved += u32::from(moved),
                        Err(error) => {
                            status.errors.push(PassError::new(format!("follow {}", receipt.id), &error));
                        }
                    }
                }
            }
            Err(error) => status.errors.push(PassError::new("read open receipts", &error)),
        }
        status
    }
}
