//! What the rollout controller reports about an env and its releases, from what the platform really runs.
//!
//! Conditions are set here and nowhere else: `Ready` is all of the desired release and nothing else,
//! `Reconciling` is any difference, `Degraded` is lost readiness after the env had converged.

use std::collections::BTreeMap;

use model::{
    ActualInstance, Condition, ConditionStatus, EnvRecord, Fields, InstanceState, Object, ObjectKey,
    ObservedObject, Ref, Release, RunState, Ts,
};
use serde_json::Value;

use crate::rollout;

/// What the last pass knew; kept in the env's own current state, so that a new server continues it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The newest generation that fully converged.
    pub converged_generation: Option<i64>,
    /// When something last came closer to what is desired.
    pub progress_at: Option<Ts>,
    /// Ready instances of the desired release at that time, and the generation they were counted for.
    pub progress: Option<(i64, i64)>,
}

impl Memory {
    /// Reads it back from the recorded current state.
    #[must_use]
    pub fn read(current: &Fields) -> Self {
        let number = |field: &str| current.get(field).and_then(Value::as_i64);
        Self {
            converged_generation: number("converged_generation"),
            progress_at: current
                .get("progress_at")
                .and_then(Value::as_str)
                .and_then(|text| text.parse().ok()),
            progress: number("progress_generation").zip(number("progress_ready")),
        }
    }
}

/// Counts over the instances of one env.
struct Census {
    wanted: u32,
    /// Ready instances of the desired release at the current restart count.
    ready_new: u32,
    /// Ready instances of anything.
    ready: u32,
    /// Release numbers with how many instances each.
    by_release: BTreeMap<i64, u32>,
    /// Ready instances that are not of the desired release, by release number.
    serving_old: BTreeMap<i64, u32>,
    live: u32,
}

fn census(env: &EnvRecord, release: Option<&Release>, actual: &[ActualInstance]) -> Census {
    let wanted = release.map_or(0, |release| {
        release.spec.processes.keys().map(|process| rollout::wanted(&env.intent, release, process)).sum()
    });
    let mut census = Census {
        wanted,
        ready_new: 0,
        ready: 0,
        by_release: BTreeMap::new(),
        serving_old: BTreeMap::new(),
        live: 0,
    };
    for instance in actual.iter().filter(|i| i.state != InstanceState::Stopping) {
        let new = Some(&instance.release) == env.intent.release.as_ref()
            && instance.restarts >= env.intent.restarts;
        census.live += 1;
        *census.by_release.entry(instance.release_number).or_default() += 1;
        census.ready += u32::from(instance.ready);
        census.ready_new += u32::from(instance.ready && new);
        if instance.ready && !new {
            *census.serving_old.entry(instance.release_number).or_default() += 1;
        }
    }
    census
}

/// The env object after a pass.
#[must_use]
pub fn env(
    env: &EnvRecord,
    release: Option<&Release>,
    actual: &[ActualInstance],
    memory: &Memory,
    now: Ts,
) -> ObservedObject {
    let census = census(env, release, actual);
    let name = release.map_or_else(|| "no release".to_owned(), Release::name);
    let settled = census.ready_new == census.wanted && census.live == census.wanted;
    let converged_before = memory.converged_generation == Some(env.generation);
    let memory = remember(memory, env, &census, settled, now);
    let message = ready_message(env, &name, &census, settled);
    let ready_reason = match (settled, census.wanted) {
        (true, 0) => "NothingWanted",
        (true, _) => "AllReady",
        (false, _) => "InstancesNotReady",
    };
    let moving_reason = match (settled, converged_before, env.intent.run) {
        (true, ..) => "Settled",
        (_, _, RunState::Stopped | RunState::Deleted) => "Stopping",
        (_, true, _) => "Recovering",
        _ => "RollingOut",
    };
    let degraded = !settled && converged_before && census.ready_new < census.wanted;
    let degraded_reason = if degraded { "ReadinessLost" } else { "AsDesired" };
    let condition = |ty: &str, is: bool, reason: &str, message: &str| Condition {
        ty: ty.to_owned(),
        status: if is { ConditionStatus::True } else { ConditionStatus::False },
        reason: reason.to_owned(),
        message: message.to_owned(),
        observed_generation: Some(env.generation),
        since: now,
    };
    ObservedObject {
        key: ObjectKey::env(&env.target.env_id),
        name: env.target.title(),
        app: Some(env.target.app.clone()),
        env: Some(env.target.env.clone()),
        generation: env.generation,
        observed_generation: Some(env.generation),
        desired: desired(env, &name, &census),
        current: current(env, &name, &census, actual, &memory),
        refs: refs(env),
        conditions: vec![
            condition("Ready", settled, ready_reason, &message),
            condition("Reconciling", !settled, moving_reason, &message),
            condition("Degraded", degraded, degraded_reason, &message),
        ],
    }
}

fn remember(memory: &Memory, env: &EnvRecord, census: &Census, settled: bool, now: Ts) -> Memory {
    let ready = i64::from(census.ready_new);
    let progress = Some((env.generation, ready));
    let came_closer = match memory.progress {
        Some((generation, before)) => generation != env.generation || ready > before,
        None => true,
    };
    Memory {
        converged_generation: if settled { Some(env.generation) } else { memory.converged_generation },
        progress_at: if came_closer { Some(now) } else { memory.progress_at },
        // A lost instance that comes back is progress again, so the mark follows downwards too.
        progress,
    }
}

fn ready_message(env: &EnvRecord, name: &str, census: &Census, settled: bool) -> String {
    let n = census.wanted;
    let noun = if n == 1 { "instance" } else { "instances" };
    match env.intent.run {
        RunState::Deleted => return format!("being deleted; {} still to stop", census.live),
        RunState::Stopped if settled => return "stopped on purpose".to_owned(),
        RunState::Stopped => return format!("stopping; {} still running", census.live),
        RunState::Running => {}
    }
    if env.intent.release.is_none() {
        return "declared, nothing released yet".to_owned();
    }
    if settled && n > 0 {
        return format!("{name} runs {n} of {n} {noun}");
    }
    let old: Vec<String> =
        census.serving_old.iter().map(|(number, n)| format!("{n} of r-{number} still serving")).collect();
    let ready = match census.ready_new {
        0 => "none is ready".to_owned(),
        1 => "1 is ready".to_owned(),
        k => format!("{k} are ready"),
    };
    let mut text = format!("{name} wants {n} {noun}, {ready}");
    if !old.is_empty() {
        text.push_str(", ");
        text.push_str(&old.join(", "));
    }
    text
}

fn desired(env: &EnvRecord, name: &str, census: &Census) -> Fields {
    Fields::from([
        ("instances".to_owned(), Value::from(census.wanted)),
        ("release".to_owned(), Value::from(if census.wanted == 0 { "none running" } else { name })),
        ("run".to_owned(), Value::from(env.intent.run.as_str())),
    ])
}

fn current(
    env: &EnvRecord,
    name: &str,
    census: &Census,
    actual: &[ActualInstance],
    memory: &Memory,
) -> Fields {
    let releases: Vec<String> =
        census.by_release.iter().rev().map(|(number, n)| format!("r-{number} ×{n}")).collect();
    let release = match census.by_release.len() {
        0 => "none running".to_owned(),
        1 if census.by_release.contains_key(&number_of(name)) => name.to_owned(),
        _ => releases.join(", "),
    };
    let run = match (census.live, env.intent.run) {
        (0, RunState::Running) if census.wanted > 0 => "stopped",
        (0, other) => other.as_str(),
        _ => "running",
    };
    let mut fields = Fields::from([
        ("instances".to_owned(), Value::from(census.ready_new)),
        ("release".to_owned(), Value::from(release)),
        ("run".to_owned(), Value::from(run)),
        ("serving".to_owned(), Value::from(census.ready)),
        ("changed_at".to_owned(), Value::from(env.changed_at.to_string())),
        ("changed_by".to_owned(), Value::from(env.changed_by.clone())),
    ]);
    for state in InstanceState::ALL {
        let n = actual.iter().filter(|instance| instance.state == state).count();
        if n > 0 {
            fields.insert(state.as_str().to_owned(), Value::from(n));
        }
    }
    if let Some(generation) = memory.converged_generation {
        fields.insert("converged_generation".to_owned(), Value::from(generation));
    }
    if let Some(at) = memory.progress_at {
        fields.insert("progress_at".to_owned(), Value::from(at.to_string()));
    }
    if let Some((generation, ready)) = memory.progress {
        fields.insert("progress_generation".to_owned(), Value::from(generation));
        fields.insert("progress_ready".to_owned(), Value::from(ready));
    }
    fields
}

fn number_of(name: &str) -> i64 {
    name.strip_prefix("r-").and_then(|number| number.parse().ok()).unwrap_or(-1)
}

fn refs(env: &EnvRecord) -> Vec<Ref> {
    let mut refs = vec![Ref { rel: "part_of".to_owned(), to: ObjectKey::app(&env.target.app_id) }];
    if let Some(release) = &env.intent.release {
        refs.push(Ref { rel: "wants".to_owned(), to: ObjectKey::release(release) });
    }
    refs
}

/// A release object after a pass. Only the desired release of a running env wants instances.
#[must_use]
pub fn release(env: &EnvRecord, release: &Release, actual: &[ActualInstance], now: Ts) -> ObservedObject {
    let selected = env.intent.release.as_ref() == Some(&release.id);
    let wanted: u32 = match selected {
        true => release.spec.processes.keys().map(|p| rollout::wanted(&env.intent, release, p)).sum(),
        false => 0,
    };
    let mine = || actual.iter().filter(|i| i.release == release.id && i.state != InstanceState::Stopping);
    let (live, ready) = (mine().count(), mine().filter(|i| i.ready).count());
    let settled = ready == wanted as usize && live == wanted as usize;
    let message = match (selected, settled) {
        (true, true) if wanted > 0 => format!("{ready} of {wanted} ready"),
        (true, false) => format!("{ready} of {wanted} ready"),
        (false, false) => format!("{live} still to stop"),
        _ => "not running".to_owned(),
    };
    let condition = |ty: &str, is: bool, reason: &str| Condition {
        ty: ty.to_owned(),
        status: if is { ConditionStatus::True } else { ConditionStatus::False },
        reason: reason.to_owned(),
        message: message.clone(),
        observed_generation: Some(env.generation),
        since: now,
    };
    let command = release.spec.processes.values().next().map(|p| p.command.join(" ")).unwrap_or_default();
    ObservedObject {
        key: ObjectKey::release(&release.id),
        name: release.name(),
        app: Some(env.target.app.clone()),
        env: Some(env.target.env.clone()),
        generation: env.generation,
        observed_generation: Some(env.generation),
        desired: Fields::from([("instances".to_owned(), Value::from(wanted))]),
        current: Fields::from([
            ("instances".to_owned(), Value::from(ready)),
            ("number".to_owned(), Value::from(release.number)),
            ("command".to_owned(), Value::from(command)),
            ("created_by".to_owned(), Value::from(release.created_by.clone())),
            ("changed_at".to_owned(), Value::from(env.changed_at.to_string())),
        ]),
        refs: vec![Ref { rel: "part_of".to_owned(), to: ObjectKey::env(&env.target.env_id) }],
        conditions: vec![
            condition("Ready", settled, if settled { "AllReady" } else { "InstancesNotReady" }),
            condition("Reconciling", !settled, if settled { "Settled" } else { "RollingOut" }),
        ],
    }
}

/// Whether a release is history, and known as that: it is not wanted, runs nowhere, and was reported so already.
///
/// What happens to its env is no news of it. Reporting it all the same would write every release of the past anew
/// with each change of its env.
#[must_use]
pub fn is_history(env: &EnvRecord, release: &Release, actual: &[ActualInstance], known: &Object) -> bool {
    let wanted = env.intent.release.as_ref() == Some(&release.id);
    let runs = actual.iter().any(|instance| instance.release == release.id);
    let none = |fields: &Fields| fields.get("instances").and_then(Value::as_u64) == Some(0);
    let settled = known.condition("Ready").is_some_and(Condition::is_true);
    !wanted && !runs && known.gone_at.is_none() && none(&known.desired) && none(&known.current) && settled
}

/// The app object: a group of its envs, with no state of its own.
#[must_use]
pub fn app(env: &EnvRecord) -> ObservedObject {
    ObservedObject {
        key: ObjectKey::app(&env.target.app_id),
        name: env.target.app.clone(),
        app: Some(env.target.app.clone()),
        env: None,
        generation: 1,
        observed_generation: Some(1),
        desired: Fields::new(),
        current: Fields::new(),
        refs: vec![],
        conditions: vec![],
    }
}
