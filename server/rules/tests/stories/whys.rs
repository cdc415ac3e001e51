//! The rules behind "why", in their order, and the rows that they explain.

use model::{
    Event, EvidenceKind, FieldState, Gap, Outcome, Verdict,
    fixtures::{self, NOON},
};
use rules::{Limits, Scene, gap};

use super::builders::{False, True, *};

fn gap_of(mut scene: Scene, seconds: i64) -> Gap {
    judge_all(&mut scene, at(seconds));
    gap::of(&scene, &Limits::default(), at(seconds))
}

fn texts(gap: &Gap) -> Vec<&str> {
    gap.evidence.iter().map(|evidence| evidence.text.as_str()).collect()
}

fn quota(seq: i64) -> Event {
    let message = "10 of 10 used".to_owned();
    Event { outcome: Outcome::Failed, reason: "QuotaExceeded".into(), message, ..fixtures::event(seq) }
}

#[test]
fn one_the_deepest_failing_dependency_comes_first() {
    let gap = gap_of(broken_rollout(1), 5);
    assert_eq!(
        texts(&gap),
        [
            "StartInstance failed: exited with code 1",
            "Ready=False InstancesNotReady: 3 of 4 ready",
            "Ready=False InstancesNotReady: r-2 wants 4 instances, 3 are ready",
        ]
    );
    assert_eq!(
        (gap.evidence[0].by.as_str(), gap.evidence[0].event),
        ("instance", Some(fixtures::event(1).id()))
    );
}

#[test]
fn two_the_same_failure_is_counted_from_the_third_on() {
    assert_eq!(
        texts(&gap_of(broken_rollout(2), 5))[0],
        "StartInstance failed, attempt 2: exited with code 1"
    );
    assert_eq!(texts(&gap_of(broken_rollout(3), 5))[0], "StartInstance failed ×3: exited with code 1");
}

#[test]
fn three_what_ready_says_stands_where_no_event_does() {
    let gap = gap_of(ready("env", "checkout/prod", False, "3 of 4 ready"), 5);
    assert_eq!(texts(&gap), ["Ready=False InstancesNotReady: 3 of 4 ready"]);
}

#[test]
fn four_degraded_follows_ready_and_only_about_the_current_spec() {
    let mut web = ready("env", "checkout/prod", False, "3 of 4 ready");
    say(&mut web, fixtures::condition("Degraded", True, "ReadinessLost"));
    let gap = gap_of(web.clone(), 5);
    assert_eq!(texts(&gap), ["Ready=False InstancesNotReady: 3 of 4 ready", "Degraded ReadinessLost:"]);
    web.object.generation = 2;
    assert_eq!(gap_of(web, 5).evidence, []);
}

#[test]
fn five_oscillation_is_inferred_and_named() {
    let mut web = ready("env", "checkout/prod", False, "3 of 4 ready");
    web.events = flips(4);
    let gap = gap_of(web.clone(), 5);
    assert_eq!(texts(&gap)[1], "ready ↔ not ready 4× in 10 min");
    assert_eq!(
        (gap.evidence[1].kind, gap.evidence[1].by.as_str()),
        (EvidenceKind::Inferred, "rule: oscillation")
    );
    assert_eq!(gap.evidence[1].href, "/events?object=env:checkout%2Fprod&group=0");
    web.events = flips(3);
    assert_eq!(gap_of(web, 5).evidence.len(), 1);
}

#[test]
fn six_a_refusal_anywhere_in_scope_is_evidence_even_when_something_else_failed_since() {
    let mut env = ready("env", "checkout/prod", False, "3 of 4 ready");
    let mut release = ready("release", "r-2", True, "4 of 4 ready");
    let mut instance = ready("instance", "i-1", True, "ready");
    instance.events = vec![fixtures::event(3), quota(2)];
    release.children = vec![instance];
    env.children = vec![release];
    assert_eq!(texts(&gap_of(env.clone(), 5))[1], "QuotaExceeded: 10 of 10 used");
    env.children[0].children[0].events[1].reason = "Exited".into();
    assert_eq!(gap_of(env, 5).evidence.len(), 1);
}

#[test]
fn a_refusal_that_is_the_failure_of_the_chain_is_said_once() {
    let mut instance = ready("instance", "i-1", False, "down");
    instance.events = vec![quota(2)];
    assert_eq!(texts(&gap_of(instance, 5)), ["StartInstance failed: 10 of 10 used"]);
}

#[test]
fn seven_nothing_happened_since_the_change_except_the_change_itself() {
    let mut env = ready("env", "checkout/prod", True, "r-1 runs 4 of 4 instances");
    env.object.generation = 2;
    env.object.current.insert("changed_at".into(), at(10).to_string().into());
    env.events = vec![Event { controller: "user".into(), outcome: Outcome::Info, ..fixtures::event(10) }];
    env.events.extend(failures(1));
    env.events[1].outcome = Outcome::Done;
    let gap = gap_of(env.clone(), 21);
    assert_eq!(texts(&gap), ["no controller has touched this since 12:00:10Z"]);
    assert_eq!(gap.evidence[0].kind, EvidenceKind::Inferred);
    assert_eq!(gap_of(env.clone(), 20).evidence, [], "ten seconds are nothing");
    let mut instance = ready("instance", "i-1", True, "ready");
    instance.events = vec![fixtures::event(11)];
    let mut release = ready("release", "r-2", True, "4 of 4 ready");
    release.children = vec![instance];
    env.children = vec![release];
    assert_eq!(gap_of(env, 21).evidence, [], "an instance was touched");
}

#[test]
fn eight_without_evidence_it_says_what_it_looked_at() {
    let mut env = ready("env", "checkout/prod", True, "ready");
    env.object.generation = 2;
    env.events = vec![fixtures::event(1)];
    let gap = gap_of(env, 5);
    assert_eq!(gap.evidence, []);
    let looked_at =
        "We have no evidence. Looked at: 1 events, 1 conditions and 0 dependencies of checkout/prod.";
    assert_eq!(gap.looked_at.as_deref(), Some(looked_at));
}

#[test]
fn three_pieces_are_enough_and_the_strongest_stay() {
    let mut instance = ready("instance", "i-1", False, "down");
    instance.events = flips(6);
    instance.events.insert(0, quota(7));
    say(&mut instance, fixtures::condition("Degraded", True, "Slow"));
    let by: Vec<String> = gap_of(instance, 8).evidence.into_iter().map(|evidence| evidence.by).collect();
    assert_eq!(by, ["instance", "Degraded", "rule: oscillation"]);
}

#[test]
fn no_gap_needs_no_why() {
    let mut web = ready("env", "checkout/prod", True, "4 of 4 ready");
    web.object.desired.insert("instances".into(), 4.into());
    web.object.current.insert("instances".into(), 4.into());
    let gap = gap_of(web, 600);
    assert!(gap.is_closed() && gap.evidence.is_empty() && gap.chain.is_empty());
    assert_eq!((gap.looked_at, gap.limit, gap.next), (None, None, None));
}

#[test]
fn differing_rows_come_first_with_their_reason_and_numbers_with_their_difference() {
    let mut env = broken_rollout(3);
    for (field, desired, current) in
        [("run", "running", Some("running")), ("image", "b", None), ("release", "r-2", Some("r-1"))]
    {
        env.object.desired.insert(field.into(), desired.into());
        if let Some(current) = current {
            env.object.current.insert(field.into(), current.into());
        }
    }
    let gap = gap_of(env, 5);
    let rows: Vec<_> = gap
        .rows
        .iter()
        .map(|row| {
            (row.field.as_str(), row.desired.as_str(), row.current.as_deref(), row.state, row.why.is_some())
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("instances", "4", Some("3 (-1)"), FieldState::Differs, true),
            ("release", "r-2", Some("r-1"), FieldState::Differs, true),
            ("image", "b", None, FieldState::UnknownCurrent, false),
            ("run", "running", Some("running"), FieldState::Equal, false),
        ]
    );
}

#[test]
fn while_it_converges_rows_move_and_while_it_is_unknown_no_difference_is_invented() {
    let mut env = broken_rollout(1);
    let gap = gap_of(env.clone(), 5);
    assert_eq!((gap.rows[0].state, &gap.limit), (FieldState::Moving, &None));
    env.freshness = model::Freshness::Stale { since: Some(NOON) };
    let row = gap_of(env, 5).rows.remove(0);
    assert_eq!((row.state, row.current), (FieldState::UnknownCurrent, None));
}

#[test]
fn every_stuck_verdict_prints_the_limit_it_hit() {
    let limit = |n, seconds| gap_of(broken_rollout(n), seconds).limit;
    assert_eq!(limit(3, 5).as_deref(), Some("the same step failed 3 times or more in a row (limit 3)"));
    assert_eq!(limit(3, 60).as_deref(), Some("no progress for longer than 1 min (limit)"));
    assert_eq!(limit(1, 60).as_deref(), Some("no progress for longer than 1 min (limit)"));
    assert_eq!(limit(1, 59), None);
    assert_eq!(told(broken_rollout(1), at(60)).0, Verdict::Stuck);
}
