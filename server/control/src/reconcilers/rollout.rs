//! Carries desired state out: one pass compares every env with what its platform really runs, orders what is
//! safe now, and reports the env, its releases and its app.
//!
//! It refuses to decide: `rules::rollout::steps` plans, this file only carries out. What it must remember is in the
//! env's own recorded state. Between passes it holds only which envs had nothing to do and up to where the journal
//! was read, so that a pass costs what has changed and not what there is; losing that costs one pass over all.

mod report;
mod rest;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;

use model::{
    ActualInstance, Batch, EnvId, EnvRecord, InstanceId, NewEvent, Object, ObjectKey, Observation, Outcome,
    Release, RunState, SourceId, Span, StartInstance,
};
use rules::status::Memory;
use serde::Serialize;
use sources::Actuator;
use store::{Store, StoreError};

use self::{
    report::{Acted, Case},
    rest::Rest,
};
use crate::{Clock, Random, Reconciler, driver::PassError};

/// Envs that are read of one snapshot and reported with one write: others write in between.
const BATCH: usize = 50;
/// How long what was done waits for more of it before it is reported: some orders have files to lay out first.
const AT_MOST: Duration = Duration::from_secs(1);

/// The rollout reconciler of one platform.
pub struct Rollout {
    store: Store,
    actuator: Arc<dyn Actuator>,
    source: SourceId,
    clock: Clock,
    random: Random,
    rest: Mutex<Rest>,
}

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RolloutStatus {
    /// Envs that were looked at.
    pub envs: u32,
    /// Instances that were ordered.
    pub started: u32,
    /// Instances that were told to stop.
    pub stopped: u32,
    /// Deleted envs that are gone now.
    pub forgotten: Vec<EnvId>,
    /// What did not work; the next pass tries again.
    pub errors: Vec<PassError>,
}

/// What one pass looks at.
#[derive(Debug, Default)]
struct Turn {
    envs: Vec<EnvRecord>,
    /// Envs that nobody knows (any more): their instances have no owner to want them.
    strange: Vec<EnvId>,
}

impl Rollout {
    /// A reconciler that orders from `actuator` and reports as `source`.
    #[must_use]
    pub fn new(
        store: Store,
        actuator: Arc<dyn Actuator>,
        source: SourceId,
        clock: Clock,
        random: Random,
    ) -> Self {
        Self { store, actuator, source, clock, random, rest: Mutex::default() }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes some envs one step further: reads all of them, orders what each needs, and reports them together.
    async fn some_envs(&self, envs: &[EnvRecord], status: &mut RolloutStatus) -> Result<(), StoreError> {
        let (mut acted, mut begun) = (vec![], Instant::now());
        for case in self.cases(envs).await? {
            acted.push(self.act(case, status).await);
            if begun.elapsed() >= AT_MOST {
                self.tell(std::mem::take(&mut acted), status).await?;
                begun = Instant::now();
            }
        }
        self.tell(acted, status).await
    }

    /// Reports what was done, and lets rest what has nothing more to do.
    async fn tell(&self, mut acted: Vec<Acted>, status: &mut RolloutStatus) -> Result<(), StoreError> {
        if acted.is_empty() {
            return Ok(());
        }
        let news = self.report(&mut acted).await?;
        for (Acted { case: Case { env, .. }, before, after, is_settled, .. }, is_news) in
            acted.into_iter().zip(news)
        {
            let id = &env.target.env_id;
            if env.intent.run == RunState::Deleted && after.is_empty() {
                self.store.env_forget(id).await?;
                self.rest().forget(id);
                status.forgotten.push(id.clone());
            } else if is_settled && !is_news && before == after {
                self.rest().settle(env, after);
            }
        }
        Ok(())
    }

    /// Those of these envs that do not rest, with what is recorded of them, all of one snapshot.
    async fn cases(&self, envs: &[EnvRecord]) -> Result<Vec<Case>, StoreError> {
        let mut restless = vec![];
        for env in envs {
            let actual = self.actuator.instances(&env.target.env_id).await;
            if !self.rest().is_quiet(env, &actual) {
                restless.push(env);
            }
        }
        if restless.is_empty() {
            return Ok(vec![]);
        }
        let mut reader = self.store.read().await?;
        let mut releases = Vec::with_capacity(restless.len());
        for env in &restless {
            releases.push(reader.releases(&env.target.env_id).await?);
        }
        let keys: Vec<ObjectKey> = (restless.iter().map(|env| ObjectKey::env(&env.target.env_id)))
            .chain(releases.iter().flatten().map(|release| ObjectKey::release(&release.id)))
            .collect();
        let found = reader.objects_by_keys(&keys).await?;
        let mut found: BTreeMap<ObjectKey, Object> =
            found.into_iter().map(|object| (object.key.clone(), object)).collect();
        let cases = restless.into_iter().zip(releases).map(|(env, releases)| {
            let object = found.remove(&ObjectKey::env(&env.target.env_id));
            let memory = object.map(|object| Memory::read(&object.current)).unwrap_or_default();
            let keys = releases.iter().map(|release| ObjectKey::release(&release.id));
            let known = keys.filter_map(|key| found.remove_entry(&key)).collect();
            Case { env: env.clone(), releases, known, memory }
        });
        Ok(cases.collect())
    }

    /// Orders what one env needs now.
    async fn act(&self, case: Case, status: &mut RolloutStatus) -> Acted {
        let env = &case.env;
        // Orders for others may have taken a while; nothing is decided by what ran before them.
        let before = self.actuator.instances(&env.target.env_id).await;
        let release = case.release();
        let steps = rules::rollout::steps(&env.intent, release, &before);
        let mut events = self.narrate(&case, steps.is_empty());
        for (process, n) in steps.start.clone() {
            for _ in 0..n {
                let Some(release) = release else { continue };
                match self.start(env, release, &process).await {
                    Ok(()) => status.started += 1,
                    Err((error, event)) => {
                        status.errors.push(error);
                        events.push(event);
                    }
                }
            }
        }
        for (id, why) in &steps.stop {
            match self.actuator.stop(id).await {
                Ok(()) => {
                    status.stopped += 1;
                    tracing::debug!(instance.id = %id, why, "instance told to stop");
                }
                Err(error) => status.errors.push(PassError::new(format!("stop {id}"), &error)),
            }
        }
        let after = self.actuator.instances(&env.target.env_id).await;
        Acted { before, after, is_settled: steps.is_empty(), events, case }
    }

    async fn start(
        &self,
        env: &EnvRecord,
        release: &Release,
        process: &str,
    ) -> Result<(), (PassError, NewEvent)> {
        let Some(spec) = release.spec.processes.get(process).cloned() else { return Ok(()) };
        let order = StartInstance {
            id: InstanceId::mint((self.random)()),
            target: env.target.clone(),
            process: process.to_owned(),
            release: release.id.clone(),
            release_number: release.number,
            restarts: env.intent.restarts,
            generation: env.generation,
            spec,
            files: release.files.clone(),
        };
        self.actuator.start(order).await.map_err(|error| {
            let message = crate::chain(&error);
            let mut event =
                report::event(env, (self.clock)(), &self.source, "StartInstance", Outcome::Failed, &message);
            event.reason = "OrderRefused".to_owned();
            // One event a minute says that it still does not work; the status has every try.
            event.dedupe =
                Some(format!("order:{}:{}:{}", env.target.env_id, env.generation, event.at.0 / 60_000_000));
            (PassError::new(format!("start {process} of {}", env.target.title()), &error), event)
        })
    }
}

#[async_trait]
impl Reconciler for Rollout {
    const NAME: &'static str = "rollout";
    type Status = RolloutStatus;

    async fn pass(&self) -> RolloutStatus {
        let mut status = RolloutStatus::default();
        let actual = self.actuator.by_env().await;
        let Turn { envs, strange } = match self.turn(&actual).await {
            Ok(turn) => turn,
            Err(error) => {
                status.errors.push(PassError::new("read the envs", &error));
                return status;
            }
        };
        for some in envs.chunks(BATCH) {
            status.envs += u32::try_from(some.len()).unwrap_or(u32::MAX);
            if some.len() > 1 && self.some_envs(some, &mut status).await.is_ok() {
                continue;
            }
            // One that cannot be read or reported holds up nobody else.
            for env in some {
                if let Err(error) = self.some_envs(std::slice::from_ref(env), &mut status).await {
                    status.errors.push(PassError::new(format!("reconcile {}", env.target.title()), &error));
                }
            }
        }
        if let Err(error) = self.say_alive().await {
            status.errors.push(PassError::new("move the watermark", &error));
        }
        for env in strange {
            self.rest().forget(&env);
            for instance in self.actuator.instances(&env).await {
                match self.actuator.stop(&instance.id).await {
                    Ok(()) => status.stopped += 1,
                    Err(error) => status.errors.push(PassError::new(format!("stop {}", instance.id), &error)),
                }
            }
        }
        status
    }
}

impl Rollout {
    /// What to look at: the envs that have moved since the last pass, and those that do not rest. At first, and once
    /// in a while, all of them.
    async fn turn(&self, actual: &BTreeMap<EnvId, Vec<ActualInstance>>) -> Result<Turn, StoreError> {
        let now = (self.clock)();
        let mut reader = self.store.read().await?;
        // Everything is read in this snapshot: what is committed after it is for the next pass.
        let head = reader.as_of();
        let since = self.rest().since(head, now);
        let Some(since) = since else {
            let envs = reader.envs().await?;
            let known: BTreeSet<EnvId> = envs.iter().map(|env| env.target.env_id.clone()).collect();
            let mut rest = self.rest();
            rest.take_up(known.iter().cloned(), head);
            rest.took_all(&known, now);
            let strange = actual.keys().filter(|env| !known.contains(*env)).cloned().collect();
            return Ok(Turn { envs, strange });
        };
        let mut wanted = self.rest().restless(actual);
        wanted.extend(reader.envs_moved(since).await?);
        let mut turn = Turn::default();
        for id in wanted {
            match reader.env(&id).await? {
                Some(env) => turn.envs.push(env),
                None => turn.strange.push(id),
            }
        }
        self.rest().take_up(turn.envs.iter().map(|env| env.target.env_id.clone()), head);
        Ok(turn)
    }

    /// A fleet at rest was looked at too: the watermark says so, once a second at most.
    async fn say_alive(&self) -> Result<(), StoreError> {
        let now = (self.clock)();
        let is_due = {
            let rest = self.rest();
            !rest.is_empty() && now - rest.heard >= Span::seconds(1)
        };
        if is_due {
            let observations = vec![Observation::Alive];
            self.store.ingest(vec![Batch { source: self.source.clone(), at: now, observations }]).await?;
            self.rest().heard = now;
        }
        Ok(())
    }
}
