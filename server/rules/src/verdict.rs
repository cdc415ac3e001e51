//! What is said about an object: the eight verdicts of `ux.md` 0.3, first match wins.
//!
//! Each rule is one function that either speaks or is silent. Every answer carries the rule's name and its
//! evidence, and when it would come out differently by time alone ([`Judged::next_check_at`]).

use model::{Because, Freshness, Judgement, Ts, Verdict};

use crate::{
    Limits, Scene, chain,
    scene::{Failures, phrase, words_of},
};

/// A verdict, and when to look again although nothing happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What is said.
    pub judgement: Judgement,
    /// The next instant at which time alone could change it.
    pub next_check_at: Option<Ts>,
}

/// What a rule answers.
struct Said {
    verdict: Verdict,
    rule: &'static str,
    text: String,
    since: Option<Ts>,
}

/// A rule speaks or is silent.
type Rule = fn(&Scene, &Limits, Ts) -> Option<Said>;

/// Judges one object.
#[must_use]
pub fn judge(scene: &Scene, limits: &Limits, now: Ts) -> Judged {
    const RULES: [Rule; 9] = [stale, gone, failed, stuck, unknown, waiting, degraded, converging, idle];
    let said = RULES.iter().find_map(|rule| rule(scene, limits, now)).unwrap_or_else(|| converged(scene));
    let previous = scene.judgement.as_ref().filter(|previous| previous.verdict == said.verdict);
    let since = said.since.or(previous.map(|previous| previous.since)).unwrap_or(now);
    let next_check_at = next_check_at(scene, &said, limits, now);
    // The chain still stands on the last verdict; what is fine now does not need its old failures as proof.
    let fine = matches!(said.verdict, Verdict::Converged | Verdict::Idle);
    let chain = if fine { vec![] } else { chain::of(scene, limits) };
    let because = Because {
        rule: said.rule.to_owned(),
        text: said.text.clone(),
        evidence: chain.into_iter().rev().filter_map(|link| link.evidence).take(3).collect(),
    };
    Judged {
        judgement: Judgement { verdict: said.verdict, since, sentence: said.text, because: vec![because] },
        next_check_at,
    }
}

/// Two things happen by time alone: a gap gets stuck, and flapping ends. Silence of a source is noticed elsewhere.
fn next_check_at(scene: &Scene, said: &Said, limits: &Limits, now: Ts) -> Option<Ts> {
    let may_get_stuck = matches!(said.verdict, Verdict::Unknown | Verdict::Degraded | Verdict::Converging)
        && said.rule != STALE
        && scene.has_gap();
    let stuck = may_get_stuck.then(|| scene.stuck_at(limits));
    let calm = scene.flapping_until(limits).filter(|_| said.rule == FLAPPING);
    stuck.into_iter().chain(calm).filter(|at| *at > now).min()
}

const STALE: &str = "stale-source";
const FLAPPING: &str = "flapping";

/// Data older than the stale limit says nothing about now.
///
/// Before: Ready=True, source silent for three intervals. After: Unknown, "last known: Converged".
fn stale(scene: &Scene, _: &Limits, _: Ts) -> Option<Said> {
    let Freshness::Stale { since } = scene.freshness else { return None };
    let text = match (since, &scene.judgement) {
        // The last known verdict is in the sentence already; it must survive being judged again.
        (Some(_), Some(last)) if last.because.iter().any(|because| because.rule == STALE) => {
            last.sentence.clone()
        }
        (Some(since), Some(last)) => {
            format!("no report since {}; last known: {}", since.clock(), last.verdict.word())
        }
        (Some(since), None) => format!("no report since {}", since.clock()),
        (None, _) => "its source has never reported".to_owned(),
    };
    Some(Said { verdict: Verdict::Unknown, rule: STALE, text, since })
}

/// What is gone wants nothing.
fn gone(scene: &Scene, _: &Limits, _: Ts) -> Option<Said> {
    let at = scene.object.gone_at?;
    Some(Said { verdict: Verdict::Idle, rule: "gone", text: "it is gone".to_owned(), since: Some(at) })
}

/// A controller that gave up says `Stalled=True` about the current spec.
///
/// Before: Stalled=True about generation 2, spec is 2. After: Failed. About generation 1: this rule is silent.
fn failed(scene: &Scene, _: &Limits, _: Ts) -> Option<Said> {
    let object = &scene.object;
    let stalled = object.condition("Stalled").filter(|stalled| stalled.is_true())?;
    if stalled.is_about_older(object.generation) {
        return None;
    }
    let text = phrase(&format!("{} ({})", stalled.message, stalled.reason), 300);
    Some(Said { verdict: Verdict::Failed, rule: "stalled", text, since: Some(stalled.since) })
}

/// There is a gap, and either the same step keeps failing, here or in a dependency, or nothing came closer
/// to what is desired for longer than the limit.
///
/// What was paused on purpose does not get stuck by time: nothing is trying.
///
/// Before: three StartInstance failures in a row. After: Stuck, with the attempt in the sentence.
fn stuck(scene: &Scene, limits: &Limits, now: Ts) -> Option<Said> {
    if !scene.has_gap() {
        return None;
    }
    let since = Some(scene.gap_since());
    let verdict = Verdict::Stuck;
    if let Some(failures) = scene.failures().filter(|failures| failures.n >= limits.same_failures) {
        return Some(Said { verdict, rule: "same-step-failed", text: with_failure(scene, failures), since });
    }
    let blocker = deepest(scene).filter(|blocker| {
        blocker.judgement.as_ref().is_some_and(|j| matches!(j.verdict, Verdict::Stuck | Verdict::Failed))
    });
    if let Some(blocker) = blocker {
        let text = format!("{}; {}", scene.own_words(), blocking(blocker));
        return Some(Said { verdict, rule: "failing-dependency", text, since });
    }
    let paused = scene.object.condition("Paused").is_some_and(model::Condition::is_true);
    if !paused && now >= scene.stuck_at(limits) {
        let cause = deepest(scene).map(|blocker| format!("; {}", blocking(blocker))).unwrap_or_default();
        let text = format!(
            "{}{cause}; no progress for longer than {} (limit)",
            scene.own_words(),
            limits.stuck_after.words()
        );
        return Some(Said { verdict, rule: "no-progress", text, since });
    }
    None
}

/// A controller says that it does not know.
fn unknown(scene: &Scene, _: &Limits, _: Ts) -> Option<Said> {
    let object = &scene.object;
    if object.conditions.is_empty() && scene.children.is_empty() && object.observed_generation.is_none() {
        let text = "no conditions reported yet".to_owned();
        return Some(Said { verdict: Verdict::Unknown, rule: "not-reported", text, since: None });
    }
    let ready = object.condition("Ready").filter(|c| c.status == model::ConditionStatus::Unknown)?;
    let text = phrase(&format!("its controller does not know: {} {}", ready.reason, ready.message), 300);
    Some(Said { verdict: Verdict::Unknown, rule: "condition-unknown", text, since: Some(ready.since) })
}

/// It stopped on purpose.
fn waiting(scene: &Scene, _: &Limits, _: Ts) -> Option<Said> {
    let paused = scene.object.condition("Paused").filter(|paused| paused.is_true())?;
    let text = phrase(&format!("paused: {}", paused.message), 300);
    Some(Said { verdict: Verdict::Waiting, rule: "paused", text, since: Some(paused.since) })
}

/// It serves, but impaired: `Degraded=True` about the current spec, or readiness that flips.
fn degraded(scene: &Scene, limits: &Limits, now: Ts) -> Option<Said> {
    let object = &scene.object;
    let verdict = Verdict::Degraded;
    if let Some(degraded) =
        object.condition("Degraded").filter(|c| c.is_true() && !c.is_about_older(object.generation))
    {
        let cause = deepest(scene).map(|blocker| format!("; {}", blocking(blocker))).unwrap_or_default();
        let text = format!("{}{cause}", words_of(degraded, 300));
        return Some(Said { verdict, rule: "degraded", text, since: Some(degraded.since) });
    }
    // A group that says nothing of itself is rolled up instead.
    let serves = object.condition("Ready").is_some() && !scene.has_gap();
    if let Some(impaired) = deepest(scene).filter(|_| serves) {
        let text = format!("{}; {}", scene.own_words(), blocking(impaired));
        return Some(Said { verdict, rule: "impaired-dependency", text, since: None });
    }
    let flips = scene.flips_since(now - limits.flap_window);
    if flips >= limits.flips {
        let text =
            format!("{}; ready ↔ not ready {flips}× in {}", scene.own_words(), limits.flap_window.words());
        return Some(Said { verdict, rule: FLAPPING, text, since: None });
    }
    None
}

/// There is a gap, and progress within the limit.
fn converging(scene: &Scene, _: &Limits, _: Ts) -> Option<Said> {
    if !scene.has_gap() {
        return None;
    }
    let text = match scene.failures() {
        Some(failures) => with_failure(scene, failures),
        None => match deepest(scene).filter(|blocker| blocker.failures().is_some()) {
            Some(blocker) => format!("{}; {}", scene.own_words(), blocking(blocker)),
            None => scene.own_words(),
        },
    };
    Some(Said { verdict: Verdict::Converging, rule: "progress", text, since: Some(scene.gap_since()) })
}

/// Nothing is wanted, and nothing is there.
fn idle(scene: &Scene, _: &Limits, _: Ts) -> Option<Said> {
    let wanted = scene.object.desired.get("instances").and_then(serde_json::Value::as_i64);
    let nothing_declared = scene.object.conditions.is_empty() && scene.children.is_empty();
    if wanted == Some(0) {
        return Some(Said {
            verdict: Verdict::Idle,
            rule: "nothing-wanted",
            text: scene.own_words(),
            since: None,
        });
    }
    nothing_declared.then(|| Said {
        verdict: Verdict::Idle,
        rule: "empty",
        text: "nothing is declared here".to_owned(),
        since: None,
    })
}

/// Nothing else applied. A group without conditions of its own is as bad as its worst member.
fn converged(scene: &Scene) -> Said {
    let ready = scene.object.condition("Ready");
    if ready.is_none() && !scene.children.is_empty() {
        // Of a member that nobody has looked at we know nothing; it must not pass for quiet.
        let members = scene
            .children
            .iter()
            .map(|child| child.judgement.as_ref().map_or(Verdict::Unknown, |j| j.verdict));
        let verdict = Verdict::roll_up(members.clone());
        let (n, all) = (members.filter(|member| *member == verdict).count(), scene.children.len());
        let text = format!("{n} of {all} {}", verdict.as_str());
        return Said { verdict, rule: "roll-up", text, since: None };
    }
    Said {
        verdict: Verdict::Converged,
        rule: "no-gap",
        text: scene.own_words(),
        since: ready.map(|ready| ready.since),
    }
}

/// The dependency at the end of the chain; `None` when the object has none that is in the way.
fn deepest(scene: &Scene) -> Option<&Scene> {
    let mut here = chain::worst_child(scene)?;
    while let Some(next) = chain::worst_child(here) {
        here = next;
    }
    Some(here)
}

fn blocking(blocker: &Scene) -> String {
    let name = phrase(&blocker.object.name, 100);
    match (blocker.failures(), &blocker.judgement) {
        (Some(failures), _) => format!("{name} {}", failure(failures)),
        // What impairs it is in its own verdict: that it is ready now says nothing.
        (None, Some(said)) if said.verdict == Verdict::Degraded => {
            format!("{name}: {}", phrase(&said.sentence, 300))
        }
        (None, _) => format!("{name}: {}", blocker.own_words()),
    }
}

fn with_failure(scene: &Scene, failures: Failures<'_>) -> String {
    match scene.object.kind_is_leaf() {
        true => failure(failures),
        false => format!("{}; {}", scene.own_words(), failure(failures)),
    }
}

fn failure(failures: Failures<'_>) -> String {
    let last = failures.last;
    let said = [
        phrase(&last.message, 160),
        phrase(&last.reason, 60),
        phrase(&format!("{} failed", last.action), 60),
    ];
    let what = said.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    match failures.n {
        1 => what,
        // Only where the controller itself counts is it an attempt; else it is the same thing seen again.
        n if failures.last.attempt == Some(n) => format!("{what}, attempt {n}"),
        n => format!("{what}, {n} times in a row"),
    }
}

/// Whether the object speaks for itself, so that its failure needs no other words.
trait Leaf {
    fn kind_is_leaf(&self) -> bool;
}

impl Leaf for model::Object {
    fn kind_is_leaf(&self) -> bool {
        self.key.kind().as_str() == model::ObjectKind::INSTANCE
    }
}
