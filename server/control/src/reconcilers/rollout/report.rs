//! What a pass says: the words of the controller in the journal, and the state of the env, its app and its releases.

use std::collections::BTreeMap;

use model::{
    ActualInstance, Batch, EnvRecord, EnvRef, NewEvent, Object, ObjectKey, Observation, Outcome, Release,
    RunState, SourceId, Ts,
};
use rules::status::Memory;
use store::StoreError;

use super::Rollout;

/// Everything that a pass has seen of one env.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// What is wanted.
    pub(super) env: &'a EnvRecord,
    /// The wanted release.
    pub(super) release: Option<&'a Release>,
    /// All of them.
    pub(super) releases: &'a [Release],
    /// What is recorded of them.
    pub(super) known: &'a BTreeMap<ObjectKey, Object>,
    /// What runs.
    pub(super) actual: &'a [ActualInstance],
    /// What earlier passes have left in the env's recorded state.
    pub(super) memory: &'a Memory,
}

impl Rollout {
    /// The controller's own words in the journal: when it takes a generation up, and when it is done with it.
    pub(super) fn narrate(
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
    pub(super) async fn report(&self, seen: Seen<'_>, mut events: Vec<NewEvent>) -> Result<bool, StoreError> {
        let Seen { env, release, releases, known, actual, memory } = seen;
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

pub(super) fn event(
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
