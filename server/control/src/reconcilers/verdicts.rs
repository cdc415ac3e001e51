//! Judges what changed, and what time alone may have changed.
//!
//! Dependencies are judged before the objects that stand on them: instances, then releases, envs and apps.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use model::{Freshness, ObjectKey, ObjectKind, Seq, SourceId};
use rules::{Limits, verdict};
use serde::Serialize;
use store::{Store, StoreError};

use crate::{Clock, Reconciler, driver::PassError, views::scene};

/// The verdict reconciler.
pub struct Verdicts {
    store: Store,
    clock: Clock,
    limits: Limits,
    /// Which sources were stale in the last pass. Losing it costs one pass over their objects.
    stale: Mutex<BTreeMap<SourceId, bool>>,
}

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerdictsStatus {
    /// Objects that were judged.
    pub judged: u32,
    /// Verdicts or sentences that changed.
    pub changed: u32,
    /// What did not work; the next pass tries again.
    pub errors: Vec<PassError>,
}

/// How many objects one query takes.
const BATCH: u32 = 500;

impl Verdicts {
    /// A reconciler with these limits.
    #[must_use]
    pub fn new(store: Store, clock: Clock, limits: Limits) -> Self {
        Self { store, clock, limits, stale: Mutex::default() }
    }

    async fn all_due(&self, status: &mut VerdictsStatus) -> Result<(), StoreError> {
        let mut due = {
            let mut reader = self.store.read().await?;
            let mut due = reader.due((self.clock)(), BATCH).await?;
            due.extend(self.turned(&mut reader).await?);
            due
        };
        due.sort_by(|a, b| (depth(a), a).cmp(&(depth(b), b)));
        due.dedup();
        // Parents of what changed are judged in the same pass, so that a page never shows a child's new verdict
        // under its parent's old one for longer than a pass.
        while !due.is_empty() {
            let key = due.remove(0);
            for parent in self.one(&key, status).await? {
                let place = due.binary_search_by(|key| (depth(key), key).cmp(&(depth(&parent), &parent)));
                if let Err(at) = place {
                    due.insert(at, parent);
                }
            }
        }
        Ok(())
    }

    /// Objects of sources that fell silent or spoke again since the last pass.
    async fn turned(&self, reader: &mut store::Reader) -> Result<Vec<ObjectKey>, StoreError> {
        let now = (self.clock)();
        let mut turned = Vec::new();
        for source in reader.sources().await? {
            let stale = matches!(
                Freshness::of_source(source.last_seen_at, source.interval, now),
                Freshness::Stale { .. }
            );
            let mut known = self.stale.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if known.insert(source.id.clone(), stale).unwrap_or(false) != stale {
                turned.push(source.id);
            }
        }
        if turned.is_empty() {
            return Ok(vec![]);
        }
        let objects = reader.objects(&store::ObjectFilter::default()).await?;
        Ok(objects
            .into_iter()
            .filter(|object| turned.contains(&object.source))
            .map(|object| object.key)
            .collect())
    }

    /// Judges one object and answers which objects stand on it, where its verdict changed.
    async fn one(&self, key: &ObjectKey, status: &mut VerdictsStatus) -> Result<Vec<ObjectKey>, StoreError> {
        let now = (self.clock)();
        let (scene, as_of) = {
            let mut reader = self.store.read().await?;
            let as_of: Seq = reader.as_of();
            (scene::load(&mut reader, key, now).await?, as_of)
        };
        let Some(scene) = scene else { return Ok(vec![]) };
        let judged = verdict::judge(&scene, &self.limits, now);
        status.judged += 1;
        let changed = self.store.verdict_put(key, &judged.judgement, as_of, judged.next_check_at).await?;
        status.changed += u32::from(changed);
        Ok(if changed { scene.object.related("part_of").cloned().collect() } else { vec![] })
    }
}

/// What depends on nothing comes first.
fn depth(key: &ObjectKey) -> u8 {
    match key.kind().as_str() {
        ObjectKind::RELEASE => 1,
        ObjectKind::ENV => 2,
        ObjectKind::APP => 3,
        _ => 0,
    }
}

#[async_trait]
impl Reconciler for Verdicts {
    const NAME: &'static str = "verdicts";
    type Status = VerdictsStatus;

    async fn pass(&self) -> VerdictsStatus {
        let mut status = VerdictsStatus::default();
        if let Err(error) = self.all_due(&mut status).await {
            status.errors.push(PassError::new("judge what is due", &error));
        }
        status
    }
}
