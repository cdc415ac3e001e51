//! Plans of commands: what would change, what would not, what was checked, and the intent to write.
//!
//! A plan is computed from one snapshot and hashed over everything that matters. Confirming sends the hash
//! back; where the same question now has another answer, nothing is written and the new plan is shown.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Actor, Change, EnvRecord, Freshness, Guardrail, GuardrailLevel, Plan, ReceiptId, Release, Role, RunState,
    Ts, Verb,
    plan::{Ask, Intent},
};
use sha2::{Digest, Sha256};

/// Everything that a plan is made from.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// The env as it is desired now.
    pub env: &'a EnvRecord,
    /// All its releases, in any order.
    pub releases: &'a [Release],
    /// Instances by release number, as last reported.
    pub running: &'a BTreeMap<i64, u32>,
    /// How fresh that report is.
    pub freshness: Freshness,
    /// A command that is still being carried out.
    pub open_receipt: Option<&'a ReceiptId>,
    /// Now.
    pub now: Ts,
}

/// Why there is no plan for this question. A value, not a failure of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The env has no such release.
    #[error("{env} has no release {release}")]
    UnknownRelease {
        /// Which env.
        env: String,
        /// What was asked for.
        release: String,
    },
    /// A deploy must name its release.
    #[error("which release? name one of {candidates}")]
    ReleaseMissing {
        /// What could be meant.
        candidates: String,
    },
    /// No other release has ever converged.
    #[error("no other release of {env} has ever converged, so there is nothing to roll back to")]
    NoRollbackTarget {
        /// Which env.
        env: String,
    },
    /// The release has no such process.
    #[error("{release} has no process {process}; it has {candidates}")]
    UnknownProcess {
        /// The desired release.
        release: String,
        /// What was asked for.
        process: String,
        /// What could be meant.
        candidates: String,
    },
    /// Several processes, none named.
    #[error("which process? name one of {candidates}")]
    ProcessMissing {
        /// What could be meant.
        candidates: String,
    },
    /// A number of instances is missing or beyond what one machine is for.
    #[error("how many instances? 0 to {MAX_INSTANCES}")]
    Instances,
    /// The env never had a release.
    #[error("{env} has no release yet; apply one first")]
    NothingReleased {
        /// Which env.
        env: String,
    },
}

/// The most instances of one process; the embedded platform is for one machine.
pub const MAX_INSTANCES: u32 = 100;

/// Plans one command.
///
/// # Errors
/// [`Refusal`] where the question itself makes no sense here. A plan that makes sense and must not be carried
/// out is returned, with a blocking guardrail.
pub fn plan(verb: Verb, ask: &Ask, situation: &Situation<'_>) -> Result<Plan, Refusal> {
    let env = situation.env;
    let desired = env.intent.release.as_ref().and_then(|id| situation.releases.iter().find(|r| &r.id == id));
    let (intent, subject) = intent(verb, ask, situation, desired)?;
    let target = intent.release.as_ref().and_then(|id| situation.releases.iter().find(|r| &r.id == id));
    let title = env.target.title();
    let mut plan = Plan {
        verb,
        target: env.target.clone(),
        title: format!(
            "{} {title}{}?",
            verb.label(),
            subject.as_deref().map(|s| format!(" {s}")).unwrap_or_default()
        ),
        confirm: subject
            .map_or_else(|| format!("{} {title}", verb.label()), |s| format!("{} {s}", verb.label())),
        ask: ask.clone(),
        expected_generation: env.generation,
        hash: String::new(),
        will_change: changes(situation, desired, target, &intent),
        will_not_change: will_not_change(verb, target),
        steps: steps(verb, situation, target, &intent),
        guardrails: vec![],
        type_to_confirm: (verb == Verb::Delete).then(|| title.clone()),
        intent,
        made_at: situation.now,
    };
    plan.guardrails = guardrails(&plan, situation, target);
    plan.hash = hash(&plan);
    Ok(plan)
}

fn intent(
    verb: Verb,
    ask: &Ask,
    situation: &Situation<'_>,
    desired: Option<&Release>,
) -> Result<(Intent, Option<String>), Refusal> {
    let env = situation.env;
    let now = env.intent.clone();
    let title = || env.target.title();
    let needs_release = || desired.ok_or_else(|| Refusal::NothingReleased { env: title() });
    match verb {
        Verb::Deploy | Verb::Rollback => {
            let release = chosen(verb, ask, situation)?;
            // A scale that was set for a process that the release does not have means nothing there.
            let scale =
                now.scale.into_iter().filter(|(p, _)| release.spec.processes.contains_key(p)).collect();
            let intent = Intent {
                release: Some(release.id.clone()),
                scale,
                run: RunState::Running,
                restarts: now.restarts,
            };
            Ok((intent, Some(format!("to {}", release.name()))))
        }
        Verb::Scale => {
            let release = needs_release()?;
            let names = || release.spec.processes.keys().cloned().collect::<Vec<_>>().join(", ");
            let process = match &ask.process {
                Some(process) if release.spec.processes.contains_key(process) => process.clone(),
                Some(process) => {
                    let (release, process) = (release.name(), process.clone());
                    return Err(Refusal::UnknownProcess { release, process, candidates: names() });
                }
                None if release.spec.processes.len() == 1 => names(),
                None => return Err(Refusal::ProcessMissing { candidates: names() }),
            };
            let n = ask.instances.filter(|n| *n <= MAX_INSTANCES).ok_or(Refusal::Instances)?;
            let mut intent = now;
            intent.scale.insert(process.clone(), n);
            Ok((intent, Some(format!("{process} to {n}"))))
        }
        Verb::Restart => {
            needs_release()?;
            Ok((Intent { restarts: now.restarts + 1, run: RunState::Running, ..now }, None))
        }
        Verb::Stop => Ok((Intent { run: RunState::Stopped, ..now }, None)),
        Verb::Delete => Ok((Intent { run: RunState::Deleted, ..now }, None)),
    }
}

fn chosen<'a>(verb: Verb, ask: &Ask, situation: &Situation<'a>) -> Result<&'a Release, Refusal> {
    let env = situation.env;
    let by_id = |id: &model::ReleaseId| {
        situation
            .releases
            .iter()
            .find(|release| &release.id == id)
            .ok_or_else(|| Refusal::UnknownRelease { env: env.target.title(), release: id.to_string() })
    };
    match (&ask.release, verb) {
        (Some(id), _) => by_id(id),
        (None, Verb::Rollback) => rollback_target(env, situation.releases)
            .ok_or_else(|| Refusal::NoRollbackTarget { env: env.target.title() }),
        (None, _) => {
            let candidates: Vec<String> = situation.releases.iter().map(Release::name).collect();
            Err(Refusal::ReleaseMissing { candidates: candidates.join(", ") })
        }
    }
}

/// The release that a rollback chooses by itself: of the others, the one that converged last.
#[must_use]
pub fn rollback_target<'a>(env: &EnvRecord, releases: &'a [Release]) -> Option<&'a Release> {
    releases
        .iter()
        .filter(|release| Some(&release.id) != env.intent.release.as_ref() && release.converged_at.is_some())
        .max_by_key(|release| release.converged_at)
}

fn changes(
    situation: &Situation<'_>,
    from: Option<&Release>,
    to: Option<&Release>,
    intent: &Intent,
) -> Vec<Change> {
    let before = &situation.env.intent;
    let mut changes = Vec::new();
    let mut add = |field: &str, from: String, to: String| {
        if from != to {
            changes.push(Change { field: field.to_owned(), from, to });
        }
    };
    let name = |release: Option<&Release>| release.map_or_else(|| "none".to_owned(), Release::name);
    add("desired release", name(from), name(to));
    if let (Some(from), Some(to)) = (from, to) {
        for process in processes(Some(from), Some(to)) {
            let [old, new] = [from, to].map(|release| release.spec.processes.get(process));
            let command = |spec: Option<&model::spec::ProcessSpec>| {
                spec.map_or_else(
                    || "none".to_owned(),
                    |spec| crate::scene::phrase(&spec.command.join(" "), 200),
                )
            };
            add(&format!("command of {process}"), command(old), command(new));
        }
        let pinned = |release: &Release| match release.files.len() {
            0 => "nothing pinned".to_owned(),
            n => format!("{n} pinned files ({})", &files_hash(release)[..8]),
        };
        add("artefact", pinned(from), pinned(to));
    }
    // What stays stopped runs nothing before and after; a scale then changes what its next start brings.
    let asleep = before.run != RunState::Running && before.run == intent.run;
    let awake = |intent: &Intent| Intent { run: RunState::Running, ..intent.clone() };
    for process in processes(from, to) {
        let count = |intent: &Intent, release: Option<&Release>| {
            release.map_or(0, |release| crate::rollout::wanted(intent, release, process)).to_string()
        };
        let field = format!("instances of {process}");
        match asleep {
            true => {
                add(&format!("{field} once started"), count(&awake(before), from), count(&awake(intent), to))
            }
            false => add(&field, count(before, from), count(intent, to)),
        }
    }
    add("state", before.run.as_str().to_owned(), intent.run.as_str().to_owned());
    if intent.restarts != before.restarts {
        add("restarts", before.restarts.to_string(), intent.restarts.to_string());
    }
    changes
}

/// The processes of either release: one that the new one drops is a change too.
fn processes<'a>(from: Option<&'a Release>, to: Option<&'a Release>) -> BTreeSet<&'a String> {
    from.into_iter().chain(to).flat_map(|release| release.spec.processes.keys()).collect()
}

fn files_hash(release: &Release) -> String {
    let mut hash = Sha256::new();
    for (path, pin) in &release.files {
        hash.update(path.as_bytes());
        hash.update([0, u8::from(pin.executable)]);
        hash.update(pin.sha256.as_bytes());
    }
    hex(&hash.finalize())
}

fn will_not_change(verb: Verb, target: Option<&Release>) -> Vec<String> {
    let mut list = vec!["data that the processes wrote: nothing is restored or deleted".to_owned()];
    if matches!(verb, Verb::Deploy | Verb::Rollback)
        && let Some(release) = target
    {
        let outside = |spec: &&model::spec::ProcessSpec| {
            spec.command.first().is_some_and(|program| !release.files.contains_key(program))
        };
        for spec in release.spec.processes.values().filter(outside) {
            let program =
                spec.command.first().map(|text| crate::scene::phrase(text, 120)).unwrap_or_default();
            list.push(format!(
                "{program}: it is not part of the artefact, so it is not pinned and runs as it is on disk now"
            ));
        }
        list.push("other envs of the app".to_owned());
    }
    if verb == Verb::Delete {
        list.push("recorded events, receipts and the audit trail: they stay until retention ends".to_owned());
    }
    list
}

fn steps(verb: Verb, situation: &Situation<'_>, target: Option<&Release>, intent: &Intent) -> Vec<String> {
    let running: u32 = situation.running.values().sum();
    let of_target = target.map_or(0, |release| situation.running.get(&release.number).copied().unwrap_or(0));
    let wanted: u32 = target.map_or(0, |release| {
        release.spec.processes.keys().map(|process| crate::rollout::wanted(intent, release, process)).sum()
    });
    match (verb, target) {
        (Verb::Stop | Verb::Delete, _) => {
            vec![format!("stop {running} instances: TERM, then KILL after the grace time")]
        }
        (Verb::Scale, _) if intent.run != RunState::Running => {
            vec!["nothing starts now: the app is stopped, and a restart starts it".to_owned()]
        }
        (_, Some(release)) => {
            let replaced = if verb == Verb::Restart { running } else { running - of_target.min(running) };
            let at_a_time = match release.spec.rollout.strategy {
                model::spec::Strategy::AllAtOnce => "all at once".to_owned(),
                model::spec::Strategy::Rolling => {
                    format!("at most {} missing at a time", release.spec.rollout.max_unavailable.max(1))
                }
            };
            let mut steps = Vec::new();
            if replaced > 0 {
                steps.push(format!("replace {replaced} of {running} instances, {at_a_time}"));
            }
            match i64::from(wanted) - i64::from(running) {
                0 => {}
                more @ 1.. => steps.push(format!("start {more} more")),
                fewer => steps.push(format!("stop {}", -fewer)),
            }
            steps.push(format!("done when {wanted} of {wanted} instances of {} are ready", release.name()));
            steps
        }
        (_, None) => vec![],
    }
}

fn guardrails(plan: &Plan, situation: &Situation<'_>, target: Option<&Release>) -> Vec<Guardrail> {
    let mut list = Vec::new();
    let mut add = |level, text: String| list.push(Guardrail { level, text });
    use GuardrailLevel::{Block, Pass, Warn};
    if situation.actor.role >= Role::Operator {
        add(Pass, format!("{} may do this ({})", situation.actor.name, situation.actor.role.as_str()));
    } else {
        add(
            Block,
            format!(
                "{} is a {}; this needs the operator role",
                situation.actor.name,
                situation.actor.role.as_str()
            ),
        );
    }
    match situation.freshness {
        Freshness::Stale { .. } => {
            add(Block, "the platform has not reported lately, so the plan may be wrong".into())
        }
        _ => add(Pass, "the platform reports".into()),
    }
    match situation.open_receipt {
        Some(receipt) => add(Warn, format!("{receipt} is still being carried out; this replaces it")),
        None => add(Pass, "no other command is running".into()),
    }
    if plan.changes_nothing() {
        add(Block, "nothing would change: this is what is desired already".into());
    }
    if situation.env.intent.run == RunState::Deleted && plan.verb != Verb::Delete {
        add(Block, "the app is being deleted".into());
    }
    if let Some(release) = target.filter(|_| matches!(plan.verb, Verb::Deploy | Verb::Rollback)) {
        match release.converged_at {
            Some(at) => {
                add(Pass, format!("{} has converged before, at {} {}", release.name(), at.date(), at.clock()))
            }
            None => add(Warn, format!("{} has never converged", release.name())),
        }
    }
    list
}

/// Hash over everything that decides what confirming does. The time of planning and the ages are left out, and so
/// are warnings: without a new generation they only go away, and a plan that got safer is still the plan that was
/// read.
fn hash(plan: &Plan) -> String {
    let essence = serde_json::json!([
        plan.verb,
        plan.target,
        plan.expected_generation,
        plan.ask,
        plan.intent,
        plan.will_change,
        plan.blocked().is_some(),
    ]);
    hex(&Sha256::digest(essence.to_string().as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
