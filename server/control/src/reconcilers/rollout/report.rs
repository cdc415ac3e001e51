//! What a pass says: the words of the controller in the journal, and the state of the env, its app and its releases.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use model::{
    ActualInstance, Batch, EnvRecord, EnvRef, NewEvent, Object, ObjectKey, Observation, Outcome, Release,
    ReleaseId, RunState, SourceId, Ts,
};
use rules::status::Memory;
use store::{ReleaseMark, StoreError};

use super::Rollout;

/// One env that does not rest, with what is recorded of it.
pub(super) struct Case {
    pub(super) env: EnvRecord,
    /// All of its releases.
    pub(super) releases: Vec<Release>,
    /// What is recorded of them.
    pub(super) known: BTreeMap<ObjectKey, Object>,
    /// What earlier passes have left in the env's recorded state.
    pub(super) memory: Memory,
}

impl Case {
    /// The wanted release.
    pub(super) fn release(&self) -> Option<&Release> {
        let wanted = self.env.intent.release.as_ref()?;
        self.releases.iter().find(|release| release.id == *wanted)
    }
}

/// What a pass has done about one env, to be reported.
pub(super) struct Acted {
    pub(super) case: Case,
    /// What ran when its turn came.
    pub(super) before: Vec<ActualInstance>,
    /// What runs now.
    pub(super) after: Vec<ActualInstance>,
    /// Whether there was nothing to do.
    pub(super) is_settled: bool,
    /// What the controller says of it.
    pub(super) events: Vec<NewEvent>,
}

impl Rollout {
    /// The controller's own words in the journal: when it takes a generation up, and when it is done with it.
    pub(super) fn narrate(&self, case: &Case, settled: bool) -> Vec<NewEvent> {
        let Case { env, memory, .. } = case;
        if settled || memory.converged_generation == Some(env.generation) {
            return vec![];
        }
        let what = case.release().map_or_else(|| "no release".to_owned(), Release::name);
        let message = match env.intent.run {
            RunState::Running => format!("rolling out {what}"),
            RunState::Stopped => "stopping all instances".to_owned(),
            RunState::Deleted => "stopping all instances, then forgetting the env".to_owned(),
        };
        let mut event = event(env, (self.clock)(), &self.source, "Rollout", Outcome::Started, &message);
        event.dedupe = Some(format!("rollout:{}:{}:started", env.target.env_id, env.generation));
        vec![event]
    }

    /// Reports all of these with one write, or with two where releases began or ended to hold; answers of each whether
    /// that was news.
    pub(super) async fn report(&self, acted: &mut [Acted]) -> Result<Vec<bool>, StoreError> {
        let at = (self.clock)();
        let (mut observations, mut marks, mut reports) = (vec![], vec![], vec![]);
        for acted in &mut *acted {
            let (first_line, first_mark) = (observations.len(), marks.len());
            self.words(acted, at, &mut observations, &mut marks);
            reports.push((first_line..observations.len(), first_mark..marks.len()));
        }
        let done = self.store.ingest(vec![Batch { source: self.source.clone(), at, observations }]).await?;
        self.rest().heard = at;
        let said: BTreeSet<usize> =
            done.duplicates.into_iter().chain(done.refused.into_iter().map(|(line, _)| line)).collect();
        let marked: BTreeSet<ReleaseId> = self.store.releases_mark(&marks).await?.into_iter().collect();
        let is_news = |(lines, notes): (Range<usize>, Range<usize>)| {
            lines.into_iter().any(|line| !said.contains(&line))
                || marks[notes].iter().any(|(release, _)| marked.contains(release))
        };
        Ok(reports.into_iter().map(is_news).collect())
    }

    /// What there is to say of one env: of itself, its app, those of its releases that anything happens to, and what
    /// the controller says in its own words.
    fn words(
        &self,
        acted: &mut Acted,
        now: Ts,
        observations: &mut Vec<Observation>,
        marks: &mut Vec<(ReleaseId, ReleaseMark)>,
    ) {
        let Acted { case, after: actual, events, .. } = acted;
        let Case { env, releases, known, memory, .. } = &*case;
        let release = case.release();
        let object = rules::status::env(env, release, actual, memory, now);
        let after = Memory::read(&object.current);
        let just_converged = after.converged_generation == Some(env.generation)
            && memory.converged_generation != Some(env.generation);
        let mut events = std::mem::take(events);
        if just_converged {
            let message = object.conditions.first().map(|ready| ready.message.clone()).unwrap_or_default();
            let mut event = event(env, now, &self.source, "Rollout", Outcome::Done, &message);
            event.dedupe = Some(format!("rollout:{}:{}:done", env.target.env_id, env.generation));
            events.push(event);
        }
        observations.push(Observation::Object(Box::new(rules::status::app(env))));
        observations.push(Observation::Object(Box::new(object)));
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
        if let Some(release) = release.filter(|_| just_converged && env.intent.run == RunState::Running) {
            marks.push((release.id.clone(), ReleaseMark::Converged(now)));
        }
        let desired = env.intent.release.as_ref();
        let is_over = |release: &&Release| {
            Some(&release.id) != desired && release.converged_at.is_some() && release.held_until.is_none()
        };
        for other in releases.iter().filter(is_over) {
            marks.push((other.id.clone(), ReleaseMark::HeldUntil(env.changed_at)));
        }
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
