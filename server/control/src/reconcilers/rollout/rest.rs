//! What is held between passes: which envs were at rest, and which have to be looked at.

use std::collections::{BTreeMap, BTreeSet};

use model::{ActualInstance, EnvId, EnvRecord, Seq, Span, Ts};

/// How often all envs are looked at, whatever the journal says.
const ALL: Span = Span::seconds(30);

/// What the last passes found. All of it may be lost: then the next pass looks at everything.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Envs that had nothing to do and nothing new to report.
    quiet: BTreeMap<EnvId, EnvRecord>,
    /// The instances of those of them that have any.
    running: BTreeMap<EnvId, Vec<ActualInstance>>,
    /// Envs that were taken up and are not known to be at rest: in the midst of something, or failed.
    restless: BTreeSet<EnvId>,
    /// Up to where the journal was read.
    read: Option<Seq>,
    /// When all envs were looked at last.
    all_at: Ts,
    /// When this source last said anything through us.
    pub(super) heard: Ts,
}

impl Rest {
    /// From where on the journal says what has moved; `None` when all envs have to be looked at.
    pub(super) fn since(&self, head: Seq, now: Ts) -> Option<Seq> {
        let is_recent = self.all_at <= now && now - self.all_at < ALL;
        self.read.filter(|read| is_recent && *read <= head)
    }

    /// Envs that have to be looked at again without a word in the journal: those in the midst of something, and those
    /// whose instances are not what they were.
    pub(super) fn restless(&self, actual: &BTreeMap<EnvId, Vec<ActualInstance>>) -> BTreeSet<EnvId> {
        let mut found = self.restless.clone();
        found.extend(
            actual.iter().filter(|(env, now)| self.running.get(env) != Some(now)).map(|(env, _)| env.clone()),
        );
        found.extend(self.running.keys().filter(|env| !actual.contains_key(env)).cloned());
        found
    }

    /// Notes what a pass takes up, before it does: whatever becomes of the pass, these are looked at until they rest.
    pub(super) fn take_up(&mut self, envs: impl Iterator<Item = EnvId>, read: Seq) {
        self.restless.extend(envs);
        self.read = Some(read);
    }

    /// Notes that all envs were taken up, and which these are.
    pub(super) fn took_all(&mut self, known: &BTreeSet<EnvId>, now: Ts) {
        self.quiet.retain(|env, _| known.contains(env));
        self.running.retain(|env, _| known.contains(env));
        self.restless.retain(|env| known.contains(env));
        self.all_at = now;
    }

    /// Whether an env rests where it was left. One that does not is at rest nowhere until it settles again: what it
    /// comes back to has to be reported anew.
    pub(super) fn is_quiet(&mut self, env: &EnvRecord, instances: &[ActualInstance]) -> bool {
        let id = &env.target.env_id;
        let was = self.running.get(id).map_or(&[][..], Vec::as_slice);
        let quiet = was == instances && self.quiet.get(id) == Some(env);
        if quiet {
            self.restless.remove(id);
        } else {
            self.quiet.remove(id);
            self.running.remove(id);
        }
        quiet
    }

    /// An env has nothing to do and nothing new to report.
    pub(super) fn settle(&mut self, env: EnvRecord, instances: Vec<ActualInstance>) {
        let id = env.target.env_id.clone();
        self.restless.remove(&id);
        if !instances.is_empty() {
            self.running.insert(id.clone(), instances);
        }
        self.quiet.insert(id, env);
    }

    /// An env is gone.
    pub(super) fn forget(&mut self, env: &EnvId) {
        self.restless.remove(env);
        self.running.remove(env);
        self.quiet.remove(env);
    }

    /// Whether there is anything to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.quiet.is_empty() && self.restless.is_empty()
    }
}
