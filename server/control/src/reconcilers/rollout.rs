//! Carries desired state out: one pass compares every env with what its platform really runs, orders what is
//! safe now, and reports the env, its releases and its app.
//!
//! It refuses to decide: `rules::rollout::steps` plans, this file only carries out. What it must remember is in the
//! env's own recorded state. Between passes it holds only which envs had nothing to do, so that a large fleet at
//! rest costs no writes; losing that costs one pass.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use model::{
    ActualInstance, Batch, EnvId, EnvRecord, EnvRef, InstanceId, NewEvent, Object, ObjectKey, Observation,
    Outcome, Release, RunState, SourceId, Span, StartInstance, Ts,
};
use rules::status::Memory;
use serde::Serialize;
use sources::Actuator;
use store::{Store, StoreError};

use crate::{Clock, Random, Reconciler, driver::PassError};

/// The rollout reconciler of one platform.
pub struct Rollout {
    store: Store,
    actuator: Arc<dyn Actuator>,
    source: SourceId,
    clock: Clock,
    random: Random,
    rest: Mutex<Rest>,
}

/// What the last passes found.
#[derive(Debug, Default)]
struct Rest {
    /// Envs that had nothing to do and nothing new to report, with all that this came from.
    quiet: BTreeMap<EnvId, (EnvRecord, Vec<ActualInstance>)>,
    /// When this source last said anything through us.
    heard: Ts,
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

    async fn one_env(&self, env: EnvRecord, status: &mut RolloutStatus) -> Result<(), StoreError> {
        let before = self.actuator.instances(&env.target.env_id).await;
        let is_quiet = |(known, instances): &(EnvRecord, Vec<_>)| *known == env && *instances == before;
        if self.rest().quiet.get(&env.target.env_id).is_some_and(is_quiet) {
            return Ok(());
        }
        let (releases, memory, known) = {
            let mut reader = self.store.read().await?;
            let releases = reader.releases(&env.target.env_id).await?;
            let object = reader.object(&ObjectKey::env(&env.target.env_id)).await?;
            let keys: Vec<ObjectKey> =
                releases.iter().map(|release| ObjectKey::release(&release.id)).collect();
            let known = reader.objects_by_keys(&keys).await?;
            (releases, object.map(|object| Memory::read(&object.current)).unwrap_or_default(), known)
        };
        let known: BTreeMap<ObjectKey, Object> =
            known.into_iter().map(|object| (object.key.clone(), object)).collect();
        let release = env.intent.release.as_ref().and_then(|id| releases.iter().find(|r| &r.id == id));
        let steps = rules::rollout::steps(&env.intent, release, &before);
        let mut events = self.narrate(&env, release, &memory, steps.is_empty());
        for (process, n) in steps.start.clone() {
            for _ in 0..n {
                let Some(release) = release else { continue };
                match self.start(&env, release, &process).await {
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
        let is_news = self.report(&env, release, &releases, &known, &after, &memory, events).await?;
        if env.intent.run == RunState::Deleted && after.is_empty() {
            self.store.env_forget(&env.target.env_id).await?;
            status.forgotten.push(env.target.env_id.clone());
        } else if steps.is_empty() && !is_news && before == after {
            self.rest().quiet.insert(env.target.env_id.clone(), (env, after));
        }
        Ok(())
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
                event(env, (self.clock)(), &self.source, "StartInstance", Outcome::Failed, &message);
            event.reason = "OrderRefused".to_owned();
            // One event a minute says that it still does not work; the status has every try.
            event.dedupe =
                Some(format!("order:{}:{}:{}", env.target.env_id, env.generation, event.at.0 / 60_000_000));
            (PassError::new(format!("start {process} of {}", env.target.title()), &error), event)
        })
    }

    /// The controller's own words in the journal: when it takes a generation up, and when it is done with it.
    fn narrate(
        &self,
        env: &EnvRecord,
        release: Option<&Release>,
        memory: &Memory,
        settled: bool,
    ) -> Vec<NewEvent> {
        if settled || memory.converged_generation == Some(env.generation) {
            return vec![];
        }
        let what = release.map_or_else(|| "no release".to_owned(), Release::name);
        let message = match env.intent.run {
            RunState::Running => format!("rolling out {what}"),
            RunState::Stopped => "stopping all instances".to_owned(),
            RunState::Deleted => "stopping all instances, then forgetting the env".to_owned(),
        };
        let mut event = event(env, (self.clock)(), &self.source, "Rollout", Outcome::Started, &message);
        event.dedupe = Some(format!("rollout:{}:{}:started", env.target.env_id, env.generation));
        vec![event]
    }

    /// Reports the env, its app, and those of its releases that anything happens to; answers whether that was news.
    #[expect(clippy::too_many_arguments, reason = "a report is made of everything that a pass has seen")]
    async fn report(
        &self,
        env: &EnvRecord,
        release: Option<&Release>,
        releases: &[Release],
        known: &BTreeMap<ObjectKey, Object>,
        actual: &[ActualInstance],
        memory: &Memory,
        mut events: Vec<NewEvent>,
    ) -> Result<bool, StoreError> {
        let now = (self.clock)();
        let object = rules::status::env(env, release, actual, memory, now);
        let after = Memory::read(&object.current);
        let just_converged = after.converged_generation == Some(env.generation)
            && memory.converged_generation != Some(env.generation);
        if just_converged {
            let message = object.conditions.first().map(|ready| ready.message.clone()).unwrap_or_default();
            let mut event = event(env, now, &self.source, "Rollout", Outcome::Done, &message);
            event.dedupe = Some(format!("rollout:{}:{}:done", env.target.env_id, env.generation));
            events.push(event);
        }
        let mut observations = vec![
            Observation::Object(Box::new(rules::status::app(env))),
            Observation::Object(Box::new(object)),
        ];
        let is_history = |release: &&Release| {
            known
                .get(&ObjectKey::release(&release.id))
                .is_some_and(|known| rules::status::is_history(env, release, actual, known))
        };
        for release in releases.iter().filter(|release| !is_history(release)) {
            observations
                .push(Observation::Object(Box::new(rules::status::release(env, release, actual, now))));
        }
        observations.extend(events.into_iter().map(|event| Observation::Event(Box::new(event))));
        let done =
            self.store.ingest(vec![Batch { source: self.source.clone(), at: now, observations }]).await?;
        self.rest().heard = now;
        let mut is_news = done.changed > 0 || !done.events.is_empty();
        if let Some(release) = release.filter(|_| just_converged && env.intent.run == RunState::Running) {
            is_news |= self.store.release_converged(&release.id, now).await?;
        }
        let desired = env.intent.release.as_ref();
        let mut over = releases.to_vec();
        over.retain(|r| Some(&r.id) != desired && r.converged_at.is_some() && r.held_until.is_none());
        for other in over {
            is_news |= self.store.release_held_until(&other.id, env.changed_at).await?;
        }
        Ok(is_news)
    }
}

#[async_trait]
impl Reconciler for Rollout {
    const NAME: &'static str = "rollout";
    type Status = RolloutStatus;

    async fn pass(&self) -> RolloutStatus {
        let mut status = RolloutStatus::default();
        let envs = match self.envs().await {
            Ok(envs) => envs,
            Err(error) => {
                status.errors.push(PassError::new("read the envs", &error));
                return status;
            }
        };
        let known: BTreeSet<EnvId> = envs.iter().map(|env| env.target.env_id.clone()).collect();
        for env in envs {
            let title = env.target.title();
            status.envs += 1;
            if let Err(error) = self.one_env(env, &mut status).await {
                status.errors.push(PassError::new(format!("reconcile {title}"), &error));
            }
        }
        self.rest().quiet.retain(|env, _| known.contains(env));
        if let Err(error) = self.say_alive(!known.is_empty()).await {
            status.errors.push(PassError::new("move the watermark", &error));
        }
        // Instances of envs that nobody knows have no owner to want them.
        let mut strange = self.actuator.envs().await;
        strange.retain(|env| !known.contains(env));
        for env in strange {
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
    /// A fleet at rest was looked at too: the watermark says so, once a second at most.
    async fn say_alive(&self, any: bool) -> Result<(), StoreError> {
        let now = (self.clock)();
        if any && now - self.rest().heard >= Span::seconds(1) {
            let observations = vec![Observation::Alive];
            self.store.ingest(vec![Batch { source: self.source.clone(), at: now, observations }]).await?;
            self.rest().heard = now;
        }
        Ok(())
    }

    async fn envs(&self) -> Result<Vec<EnvRecord>, StoreError> {
        self.store.read().await?.envs().await
    }
}

fn event(
    env: &EnvRecord,
    at: Ts,
    source: &SourceId,
    action: &str,
    outcome: Outcome,
    message: &str,
) -> NewEvent {
    let EnvRef { app, env: name, env_id, .. } = env.target.clone();
    NewEvent {
        at,
        source: source.clone(),
        controller: "rollout".to_owned(),
        object: ObjectKey::env(&env_id),
        app: Some(app),
        env: Some(name),
        action: action.to_owned(),
        outcome,
        reason: String::new(),
        message: message.to_owned(),
        attempt: None,
        trace_id: None,
        dedupe: None,
    }
}
