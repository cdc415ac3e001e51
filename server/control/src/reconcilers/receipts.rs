//! Follows open receipts: accepted, applying, converged, decided from what is observed and never from what was
//! ordered.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::{
    Judgement, Object, ObjectKey, Receipt, ReceiptId, ReceiptPhase, Span, Until, Verb, Verdict, wait::Seen,
};
use serde::Serialize;
use store::{Store, StoreError};

use crate::{Clock, Reconciler, driver::PassError};

/// How long a receipt is followed. The change itself goes on without us.
const FOLLOW: Span = Span::minutes(24 * 60);
/// Receipts that are read of one snapshot, and that move in one transaction: others write in between.
const BATCH: usize = 500;

/// The receipt reconciler.
pub struct Receipts {
    store: Store,
    clock: Clock,
}

/// What is open, and what is observed of it.
struct Open {
    /// Each with the key of its env.
    receipts: Vec<(Receipt, ObjectKey)>,
    objects: BTreeMap<ObjectKey, Object>,
    judgements: BTreeMap<ObjectKey, Judgement>,
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

    /// These receipts, as far as they are open, with what is observed of their envs, all of one snapshot.
    async fn open(&self, ids: &[ReceiptId]) -> Result<Open, StoreError> {
        let mut reader = self.store.read().await?;
        let mut receipts = reader.receipts_by_id(ids).await?;
        receipts.retain(|receipt| receipt.phase.is_open());
        let keys: Vec<ObjectKey> = receipts.iter().map(|open| ObjectKey::env(&open.target.env_id)).collect();
        let objects = reader.objects_by_keys(&keys).await?;
        let objects = objects.into_iter().map(|object| (object.key.clone(), object)).collect();
        let judgements = reader.judgements(&keys).await?;
        Ok(Open { receipts: receipts.into_iter().zip(keys).collect(), objects, judgements })
    }

    /// Where a receipt moves by what is observed, if anywhere.
    fn next(
        &self,
        receipt: &Receipt,
        object: Option<&Object>,
        judgement: Option<&Judgement>,
    ) -> Option<ReceiptPhase> {
        let verdict = judgement.map(|judgement| judgement.verdict);
        let seen = Seen { object, verdict };
        let gone = object.is_none_or(|object| object.gone_at.is_some());
        let observed = Until::Observed { generation: receipt.generation }.holds(seen);
        let done = match receipt.verb {
            Verb::Delete => gone,
            _ => !gone && Until::converged_at(receipt.generation).holds(seen),
        };
        let next = if done {
            ReceiptPhase::Converged
        } else if observed && verdict == Some(Verdict::Failed) {
            ReceiptPhase::Failed {
                reason: judgement.map(|judgement| judgement.sentence.clone()).unwrap_or_default(),
            }
        } else if (self.clock)() - receipt.accepted_at > FOLLOW {
            ReceiptPhase::TimedOut
        } else if observed {
            ReceiptPhase::Applying
        } else {
            return None;
        };
        receipt.phase.may_become(&next).then_some(next)
    }
}

#[async_trait]
impl Reconciler for Receipts {
    const NAME: &'static str = "receipts";
    type Status = ReceiptsStatus;

    async fn pass(&self) -> ReceiptsStatus {
        let mut status = ReceiptsStatus::default();
        let ids = async { self.store.read().await?.receipts_open_ids().await };
        let ids = ids.await.unwrap_or_else(|error| {
            status.errors.push(PassError::new("list open receipts", &error));
            vec![]
        });
        // All of them: thousands that stay open must not hide one that is older.
        for some in ids.chunks(BATCH) {
            let Open { receipts, objects, judgements } = match self.open(some).await {
                Ok(open) => open,
                Err(error) => {
                    status.errors.push(PassError::new("read open receipts", &error));
                    return status;
                }
            };
            status.open += u32::try_from(receipts.len()).unwrap_or(u32::MAX);
            let moves: Vec<_> = receipts
                .iter()
                .filter_map(|(receipt, key)| {
                    let next = self.next(receipt, objects.get(key), judgements.get(key))?;
                    Some((receipt.id.clone(), next))
                })
                .collect();
            match self.store.receipts_move(&moves).await {
                Ok(moved) => status.moved += moved,
                Err(error) => {
                    status.errors.push(PassError::new(format!("move {} receipts", moves.len()), &error));
                }
            }
        }
        status
    }
}
