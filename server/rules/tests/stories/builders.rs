//! `checkout/prod` wants four instances of r-2, and one of them does not start.

use model::{
    Because, Condition, ConditionStatus, Event, Freshness, Judgement, Object, Outcome, Span, Ts, Verdict,
    fixtures::{self, NOON},
};
use rules::{
    Limits, Scene,
    verdict::{self, Judged},
};

pub(crate) use ConditionStatus::{False, True, Unknown};

/// So many seconds after noon.
pub(crate) fn at(seconds: i64) -> Ts {
    NOON + Span::seconds(seconds)
}

/// An object by itself, of a source that talks.
pub(crate) fn scene(object: Object) -> Scene {
    Scene { object, judgement: None, events: vec![], children: vec![], freshness: Freshness::Live }
}

/// An object whose `Ready` has this status since noon.
pub(crate) fn ready(kind: &str, name: &str, status: ConditionStatus, message: &str) -> Scene {
    let mut scene = scene(fixtures::object(kind, name));
    let reason = if status == True { "AllReady" } else { "InstancesNotReady" };
    say(&mut scene, Condition { message: message.into(), ..fixtures::condition("Ready", status, reason) });
    scene
}

/// Replaces the condition of this type.
pub(crate) fn say(scene: &mut Scene, condition: Condition) {
    hush(scene, &condition.ty);
    scene.object.conditions.push(condition);
}

/// Takes the condition of this type away.
pub(crate) fn hush(scene: &mut Scene, ty: &str) {
    scene.object.conditions.retain(|condition| condition.ty != ty);
}

/// A start that failed so many seconds after noon.
pub(crate) fn failure(seconds: i64) -> Event {
    let message = "exited with code 1".to_owned();
    Event { outcome: Outcome::Failed, reason: "Exited".into(), message, ..fixtures::event(seconds) }
}

/// The last failures of an instance, newest first.
pub(crate) fn failures(n: i64) -> Vec<Event> {
    (1..=n).rev().map(failure).collect()
}

/// Readiness that came and went so often, the last time ready.
pub(crate) fn flips(n: i64) -> Vec<Event> {
    let event = |seq: i64| if (n - seq) % 2 == 0 { fixtures::event(seq) } else { failure(seq) };
    (0..=n).rev().map(event).collect()
}

/// What was said before.
pub(crate) fn said(verdict: Verdict, rule: &str, sentence: &str) -> Judgement {
    let because = Because { rule: rule.into(), text: sentence.into(), evidence: vec![] };
    Judgement { verdict, since: NOON, sentence: sentence.into(), because: vec![because] }
}

/// The env, its release and an instance that failed to start `n` times; nothing is judged yet.
pub(crate) fn broken_rollout(n: i64) -> Scene {
    let mut instance = ready("instance", "i-9f2k", False, "exited with code 1");
    instance.events = failures(n);
    let mut release = ready("release", "r-2", False, "3 of 4 ready");
    release.children = vec![ready("instance", "i-1", True, "ready"), instance];
    let mut env = ready("env", "checkout/prod", False, "r-2 wants 4 instances, 3 are ready");
    env.object.desired.insert("instances".into(), 4.into());
    env.object.current.insert("instances".into(), 3.into());
    env.children = vec![release];
    env
}

pub(crate) fn judge(scene: &Scene, now: Ts) -> Judged {
    verdict::judge(scene, &Limits::default(), now)
}

/// Which rule speaks.
pub(crate) fn rule(scene: &Scene, now: Ts) -> String {
    judge(scene, now).judgement.because[0].rule.clone()
}

/// Judges dependencies before what stands on them, as the server does.
pub(crate) fn judge_all(scene: &mut Scene, now: Ts) {
    for child in &mut scene.children {
        judge_all(child, now);
    }
    scene.judgement = Some(judge(scene, now).judgement);
}

/// The judgement of a scene in which everything was judged.
pub(crate) fn told(mut scene: Scene, now: Ts) -> (Verdict, String) {
    judge_all(&mut scene, now);
    let judgement = scene.judgement.expect("just judged");
    (judgement.verdict, judgement.sentence)
}
