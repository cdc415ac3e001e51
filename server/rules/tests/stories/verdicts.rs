//! Each rule of a verdict: when it speaks, when it is silent, and which one speaks first.

use model::{
    Freshness, Span, Ts, Verdict,
    fixtures::{self, NOON},
};
use rules::{Limits, Scene};

use super::builders::{False, True, Unknown, *};

#[test]
fn a_silent_source_makes_it_unknown_and_keeps_what_was_known() {
    let mut web = ready("env", "checkout/prod", True, "r-1 runs 4 of 4 instances");
    web.judgement = Some(said(Verdict::Converged, "no-gap", "r-1 runs 4 of 4 instances"));
    web.freshness = Freshness::Delayed { age: Span::seconds(20) };
    assert_eq!(rule(&web, at(60)), "no-gap");
    web.freshness = Freshness::Stale { since: Some(NOON) };
    let words = "no report since 12:00:00Z; last known: Converged";
    assert_eq!(told(web.clone(), at(60)), (Verdict::Unknown, words.into()));
    judge_all(&mut web, at(60));
    assert_eq!(told(web, at(120)), (Verdict::Unknown, words.into()), "judged again, it says the same");
}

#[test]
fn what_was_unknown_before_the_silence_says_so_and_not_its_old_reason() {
    let mut web = ready("env", "checkout/prod", Unknown, "the probe is lost");
    judge_all(&mut web, NOON);
    web.freshness = Freshness::Stale { since: Some(NOON) };
    assert_eq!(told(web, at(1)).1, "no report since 12:00:00Z; last known: Unknown");
    let mut new = scene(fixtures::object("env", "checkout/prod"));
    new.freshness = Freshness::Stale { since: None };
    assert_eq!(told(new, at(1)).1, "its source has never reported");
}

#[test]
fn what_is_gone_wants_nothing() {
    let mut instance = ready("instance", "i-1", False, "stopping");
    assert_eq!(rule(&instance, NOON), "progress");
    instance.object.gone_at = Some(at(5));
    let judged = judge(&instance, at(600));
    assert_eq!((judged.judgement.verdict, judged.judgement.since), (Verdict::Idle, at(5)));
    assert_eq!(judged.next_check_at, None);
}

#[test]
fn a_controller_that_gave_up_on_the_current_spec_has_failed() {
    let mut web = ready("env", "checkout/prod", False, "0 of 4");
    say(&mut web, fixtures::condition("Stalled", True, "InvalidSpec"));
    assert_eq!(told(web.clone(), NOON), (Verdict::Failed, "(InvalidSpec)".into()));
    web.object.generation = 2;
    assert_eq!(rule(&web, NOON), "progress", "it gave up on generation 1");
}

#[test]
fn the_third_failure_of_the_same_step_is_stuck_and_the_second_is_not() {
    let mut instance = ready("instance", "i-1", False, "down");
    instance.events = failures(2);
    assert_eq!(
        told(instance.clone(), at(3)),
        (Verdict::Converging, "exited with code 1, 2 times in a row".into())
    );
    instance.events = failures(3);
    assert_eq!(
        told(instance.clone(), at(3)),
        (Verdict::Stuck, "exited with code 1, 3 times in a row".into())
    );
    instance.events[1].reason = "PullBackoff".into();
    assert_eq!(rule(&instance, at(3)), "progress", "another failure in between ends the run");
    instance.events[0].attempt = Some(7);
    assert_eq!(
        told(instance, at(3)).1,
        "exited with code 1, attempt 7",
        "the controller counts better than we do"
    );
}

#[test]
fn a_success_in_between_ends_the_run_and_a_mere_note_does_not() {
    let mut instance = ready("instance", "i-1", False, "down");
    instance.events = failures(3);
    instance.events.insert(0, fixtures::event(4));
    assert_eq!(rule(&instance, at(5)), "progress");
    instance.events[0].outcome = model::Outcome::Info;
    assert_eq!(rule(&instance, at(5)), "same-step-failed");
    instance.events[0].outcome = model::Outcome::Started;
    assert_eq!(rule(&instance, at(5)), "same-step-failed");
}

#[test]
fn an_env_is_stuck_with_its_instance_and_says_which() {
    let words = "r-2 wants 4 instances, 3 are ready; i-9f2k exited with code 1, 3 times in a row";
    assert_eq!(told(broken_rollout(3), at(3)), (Verdict::Stuck, words.into()));
    let words = "r-2 wants 4 instances, 3 are ready; i-9f2k exited with code 1, 2 times in a row";
    assert_eq!(told(broken_rollout(2), at(3)), (Verdict::Converging, words.into()));
}

#[test]
fn stuck_arises_from_time_alone_at_the_instant_that_was_announced() {
    let gap = ready("env", "checkout/prod", False, "3 of 4 ready");
    let mut degraded = gap.clone();
    say(&mut degraded, fixtures::condition("Degraded", True, "ReadinessLost"));
    let mut unsure = gap.clone();
    say(&mut unsure, fixtures::condition("Ready", Unknown, "Silent"));
    let mut silent = scene(fixtures::object("env", "checkout/prod"));
    silent.object.observed_generation = None;
    silent.object.desired.insert("release".into(), "r-1".into());
    for (scene, before) in [
        (gap, Verdict::Converging),
        (degraded, Verdict::Degraded),
        (unsure, Verdict::Unknown),
        (silent, Verdict::Unknown),
    ] {
        let judged = judge(&scene, NOON);
        assert_eq!((judged.judgement.verdict, judged.next_check_at), (before, Some(at(60))));
        assert_eq!(judge(&scene, at(60) - Span(1)).judgement.verdict, before);
        let late = judge(&scene, at(60));
        assert_eq!((late.judgement.verdict, late.judgement.since), (Verdict::Stuck, NOON));
        assert_eq!(late.judgement.because[0].rule, "no-progress");
        assert!(late.judgement.sentence.ends_with("no progress for longer than 1 min (limit)"));
        assert_eq!(late.next_check_at, None);
    }
}

#[test]
fn progress_and_a_new_desire_move_the_limit() {
    let mut web = ready("env", "checkout/prod", False, "3 of 4 ready");
    web.object.current.insert("progress_at".into(), at(30).to_string().into());
    assert_eq!(judge(&web, at(80)).next_check_at, Some(at(90)));
    web.object.current.insert("changed_at".into(), at(50).to_string().into());
    let judged = judge(&web, at(80));
    assert_eq!((judged.judgement.since, judged.next_check_at), (at(50), Some(at(110))));
}

#[test]
fn a_controller_that_does_not_know_is_believed() {
    let mut web = ready("env", "checkout/prod", Unknown, "the probe is lost");
    let words = "its controller does not know: InstancesNotReady the probe is lost";
    assert_eq!(told(web.clone(), NOON), (Verdict::Unknown, words.into()));
    say(&mut web, fixtures::condition("Ready", False, "Down"));
    assert_eq!(told(web, NOON), (Verdict::Converging, "Down".into()));
}

#[test]
fn what_was_paused_on_purpose_waits_for_ever() {
    let mut web = ready("env", "checkout/prod", False, "1 of 4 ready");
    say(&mut web, fixtures::condition("Paused", True, "CanaryStep"));
    for now in [NOON, at(86_400)] {
        let judged = judge(&web, now);
        assert_eq!((judged.judgement.verdict, judged.next_check_at), (Verdict::Waiting, None));
    }
    say(&mut web, fixtures::condition("Paused", False, "CanaryStep"));
    assert_eq!(rule(&web, NOON), "progress");
}

#[test]
fn impaired_service_is_degraded_when_it_is_about_the_current_spec() {
    let mut web = ready("env", "checkout/prod", True, "serves");
    say(&mut web, fixtures::condition("Degraded", True, "ReadinessLost"));
    assert_eq!(told(web.clone(), NOON), (Verdict::Degraded, "ReadinessLost".into()));
    web.object.generation = 2;
    assert_eq!(rule(&web, NOON), "progress", "it was about generation 1");
}

#[test]
fn what_is_ready_and_stands_on_something_impaired_is_degraded() {
    let mut web = ready("env", "checkout/prod", True, "serves");
    let mut instance = ready("instance", "i-1", True, "ready");
    web.children = vec![instance.clone()];
    assert_eq!(told(web.clone(), at(10)), (Verdict::Converged, "serves".into()));
    instance.events = flips(4);
    web.children = vec![instance];
    let words = "serves; i-1: ready; ready ↔ not ready 4× in 10 min";
    assert_eq!(told(web, at(10)), (Verdict::Degraded, words.into()));
}

#[test]
fn flapping_is_degraded_until_its_flips_are_old() {
    let mut web = ready("env", "checkout/prod", True, "serves");
    web.events = flips(3);
    assert_eq!(rule(&web, at(10)), "no-gap");
    web.events = flips(4);
    let judged = judge(&web, at(10));
    assert_eq!(judged.judgement.sentence, "serves; ready ↔ not ready 4× in 10 min");
    let calm = judged.next_check_at.expect("time ends it");
    assert_eq!((rule(&web, calm - Span(1)), rule(&web, calm)), ("flapping".into(), "no-gap".into()));
}

#[test]
fn a_gap_converges_and_no_gap_does_not() {
    let web = ready("env", "checkout/prod", False, "3 of 4 ready");
    assert_eq!(told(web, NOON), (Verdict::Converging, "3 of 4 ready".into()));
    let mut web = ready("env", "checkout/prod", True, "4 of 4 ready");
    assert_eq!(rule(&web, NOON), "no-gap");
    web.object.generation = 2;
    assert_eq!(told(web, NOON), (Verdict::Converging, "generation 2 is not observed yet".into()));
}

#[test]
fn nothing_wanted_and_nothing_declared_are_idle_and_not_healthy() {
    let mut web = ready("env", "checkout/prod", True, "stopped on purpose");
    web.object.desired.insert("instances".into(), 0.into());
    assert_eq!(told(web.clone(), NOON), (Verdict::Idle, "stopped on purpose".into()));
    web.object.desired.insert("instances".into(), 4.into());
    assert_eq!(rule(&web, NOON), "no-gap");
    let empty = scene(fixtures::object("app", "checkout"));
    assert_eq!(told(empty, NOON), (Verdict::Idle, "nothing is declared here".into()));
}

#[test]
fn a_group_is_as_bad_as_its_worst_member() {
    let mut app = scene(fixtures::object("app", "checkout"));
    app.children = vec![ready("env", "checkout/prod", True, "ok"), broken_rollout(3)];
    assert_eq!(told(app.clone(), at(3)), (Verdict::Stuck, "1 of 2 stuck".into()));
    app.children.truncate(1);
    assert_eq!(told(app, at(3)), (Verdict::Converged, "1 of 1 converged".into()));
}

#[test]
fn a_member_that_nobody_looked_at_is_not_quiet() {
    let mut app = scene(fixtures::object("app", "checkout"));
    let known = ready("env", "checkout/prod", True, "ok");
    let mut new = known.clone();
    new.judgement = None;
    app.children = vec![known, new];
    judge_all(&mut app.children[0], NOON);
    assert_eq!(told(app.clone(), NOON), (Verdict::Converged, "2 of 2 converged".into()), "judged first");
    assert_eq!(judge(&app, NOON).judgement.sentence, "1 of 2 unknown");
}

#[test]
fn a_platform_without_generations_is_compared_by_what_it_says() {
    let mut machine = scene(fixtures::object("machine", "m-17"));
    machine.object.observed_generation = None;
    let words = "no conditions reported yet";
    for now in [NOON, at(86_400)] {
        assert_eq!(told(machine.clone(), now), (Verdict::Unknown, words.into()), "nothing is desired");
    }
    machine.object.desired.insert("version".into(), "1.9".into());
    machine.object.current.insert("version".into(), "1.8".into());
    assert_eq!(judge(&machine, NOON).next_check_at, Some(at(60)));
    assert_eq!(rule(&machine, at(60)), "no-progress");
    machine.object.current.insert("version".into(), "1.9".into());
    assert_eq!(told(machine.clone(), at(60)), (Verdict::Unknown, words.into()));
    machine.object.current.clear();
    say(&mut machine, fixtures::condition("Ready", True, "Serves"));
    assert_eq!(rule(&machine, at(60)), "no-gap", "its controller knows better than a missing field");
}

#[test]
fn a_verdict_keeps_its_age_and_drops_the_proof_of_what_is_over() {
    let mut web = ready("instance", "i-1", True, "serves");
    hush(&mut web, "Ready");
    say(&mut web, fixtures::condition("Healthy", True, "Serves"));
    web.events = failures(3);
    web.judgement = Some(said(Verdict::Converged, "no-gap", "serves"));
    let judged = judge(&web, at(600)).judgement;
    assert_eq!(
        (judged.verdict, judged.since, judged.because[0].evidence.len()),
        (Verdict::Converged, NOON, 0)
    );
    web.judgement = Some(said(Verdict::Stuck, "same-step-failed", "exited"));
    let judged = judge(&web, at(600)).judgement;
    assert_eq!(
        (judged.verdict, judged.since, judged.because[0].evidence.len()),
        (Verdict::Converged, at(600), 0)
    );
}

/// What ends the reign of a rule.
type Undo = fn(&mut Scene, &mut Ts);

#[test]
fn the_rules_speak_in_the_order_of_the_vocabulary() {
    let mut web = broken_rollout(3);
    judge_all(&mut web, at(3));
    let mut now = at(600);
    web.freshness = Freshness::Stale { since: Some(NOON) };
    web.object.gone_at = Some(NOON);
    web.events = failures(3);
    web.object.desired.insert("instances".into(), 0.into());
    for (ty, status) in [("Stalled", True), ("Ready", Unknown), ("Degraded", True)] {
        say(&mut web, fixtures::condition(ty, status, "Because"));
    }
    let undo: [(&str, Undo); 13] = [
        ("stale-source", |web, _| web.freshness = Freshness::Live),
        ("gone", |web, _| web.object.gone_at = None),
        ("stalled", |web, _| hush(web, "Stalled")),
        ("same-step-failed", |web, _| web.events = flips(4)),
        ("failing-dependency", |web, _| web.children.clear()),
        ("no-progress", |web, _| say(web, fixtures::condition("Paused", True, "Because"))),
        ("condition-unknown", |web, _| say(web, fixtures::condition("Ready", False, "Because"))),
        ("paused", |web, now| {
            hush(web, "Paused");
            *now = at(30);
        }),
        ("degraded", |web, _| hush(web, "Degraded")),
        ("flapping", |web, _| web.events.clear()),
        ("progress", |web, _| say(web, fixtures::condition("Ready", True, "Because"))),
        ("nothing-wanted", |web, _| web.object.desired.clear()),
        ("no-gap", |_, _| {}),
    ];
    for (expected, undo) in undo {
        assert_eq!(rule(&web, now), expected);
        undo(&mut web, &mut now);
    }
    assert_eq!(Limits::default().same_failures, 3, "the stories above count on it");
}
