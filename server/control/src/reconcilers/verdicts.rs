//! Judges what changed, and what time alone may have changed.
//!
//! Dependencies are judged before the objects that stand on them: instances, then releases, envs and apps.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use async_trait::async_trait;
use model::{Freshness, ObjectKey, ObjectKind, Seq, SourceId};
use rules::{Limits, verdict, verdict::Judged};
use serde::Serialize;
use store::{Store, StoreError, VerdictPut};

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
/// How many are judged with one commit: a commit costs more than a verdict, and others wait for it to end.
const AT_ONCE: usize = 50;

impl Verdicts {
    /// A reconciler with these limits.
    #[must_use]
    pub fn new(store: Store, clock: Clock, limits: Limits) -> Self {
        Self { store, clock, limits, stale: Mutex::default() }
    }

    async fn all_due(&self, status: &mut VerdictsStatus) -> Result<(), StoreError> {
        let due = {
            let mut reader = self.store.read().await?;
            let mut due = reader.due((self.clock)(), BATCH).await?;
            due.extend(self.turned(&mut reader).await?);
            due
        };
        // What depends on nothing is judged first. Parents of what changed are judged in the same pass, so that a
        // page never shows a child's new verdict under its parent's old one for longer than a pass.
        let mut due: BTreeSet<(u8, ObjectKey)> = due.into_iter().map(|key| (depth(&key), key)).collect();
        while let Some(&(level, _)) = due.first() {
            let turn: Vec<_> =
                due.iter().take_while(|(depth, _)| *depth == level).take(AT_ONCE).cloned().collect();
            for one in &turn {
                due.remove(one);
            }
            let parents = self.some(turn.iter().map(|(_, key)| key), status).await?;
            due.extend(parents.into_iter().map(|key| (depth(&key), key)));
        }
        Ok(())
    }

    /// Objects of sources that fell silent or spoke again since the last pass.
    async fn turned(&self, reader: &mut store::Reader) -> Result<Vec<ObjectKey>, StoreError> {
        let now = (self.clock)();
        let mut sources = Vec::new();
        for source in reader.sources().await? {
            let stale = matches!(
                Freshness::of_source(source.last_seen_at, source.interval, now),
                Freshness::Stale { .. }
            );
            let mut known = self.stale.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if known.insert(source.id.clone(), stale).unwrap_or(false) != stale {
                sources.push(source.id);
            }
        }
        let mut turned = Vec::new();
        for source in &sources {
            turned.extend(reader.objects_of_source(source).await?);
        }
        Ok(turned)
    }

    /// Judges some objects of one level: one snapshot, one commit. Answers which objects stand on those that have
    /// another verdict or sentence now.
    async fn some(
        &self,
        keys: impl Iterator<Item = &ObjectKey>,
        status: &mut VerdictsStatus,
    ) -> Result<Vec<ObjectKey>, StoreError> {
        let now = (self.clock)();
        let (mut verdicts, mut parents) = (Vec::new(), BTreeMap::new());
        {
            let mut reader = self.store.read().await?;
            let judged_seq: Seq = reader.as_of();
            for key in keys {
                let Some(scene) = scene::load(&mut reader, key, now).await? else { continue };
                let Judged { judgement, next_check_at } = verdict::judge(&scene, &self.limits, now);
                parents.insert(key, scene.object.related("part_of").cloned().collect::<Vec<_>>());
                verdicts.push(VerdictPut { key: key.clone(), judgement, judged_seq, next_check_at });
            }
        }
        status.judged += u32::try_from(verdicts.len()).unwrap_or(u32::MAX);
        let changed = self.store.verdicts_put(verdicts).await?;
        status.changed += u32::try_from(changed.len()).unwrap_or(u32::MAX);
        Ok(changed.iter().filter_map(|key| parents.remove(key)).flatten().collect())
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
