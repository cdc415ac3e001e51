//! What a command would do, as it is shown before anybody confirms, and what makes that answer out of date.

use std::collections::BTreeMap;

use model::{
    Actor, EnvRecord, Freshness, Plan, ReceiptId, Release, Role, RunState, Span, Ts, Verb,
    fixtures::{self, NOON},
    plan::Ask,
    spec::FilePin,
};
use proptest::prelude::*;
use rules::command::{self, Refusal, Situation};

use super::builders::at;

/// Everything that a situation borrows.
#[derive(Clone)]
struct Desk {
    actor: Actor,
    env: EnvRecord,
    releases: Vec<Release>,
    running: BTreeMap<i64, u32>,
    freshness: Freshness,
    open: Option<ReceiptId>,
    now: Ts,
}

/// r-3 is half rolled out at generation 3; r-1 and r-2 converged before, r-2 last.
fn desk() -> Desk {
    let mut releases: Vec<Release> = (1..=3).map(fixtures::release).collect();
    releases[0].converged_at = Some(at(60));
    releases[1].converged_at = Some(at(120));
    for (release, byte) in releases.iter_mut().zip(["a", "b", "c"]) {
        let pin = FilePin { sha256: byte.repeat(64), executable: true };
        release.files.insert("bin/checkout".into(), pin);
    }
    let web = releases[2].spec.processes.get_mut("web").expect("the fixture has it");
    web.command = vec!["python3".into(), "serve.py".into()];
    let mail = model::spec::ProcessSpec { instances: 2, ..web.clone() };
    releases[2].spec.processes.insert("mail".into(), mail);
    Desk {
        actor: Actor { name: "ana".into(), role: Role::Operator },
        env: fixtures::env_record(3, &releases[2]),
        releases,
        running: BTreeMap::from([(2, 3), (3, 1)]),
        freshness: Freshness::Live,
        open: None,
        now: at(300),
    }
}

impl Desk {
    fn plan(&self, verb: Verb, ask: &Ask) -> Result<Plan, Refusal> {
        let Self { actor, env, releases, running, freshness, open, now } = self;
        let (freshness, now, open_receipt) = (*freshness, *now, open.as_ref());
        command::plan(verb, ask, &Situation { actor, env, releases, running, freshness, open_receipt, now })
    }

    fn rollback(&self) -> Plan {
        self.plan(Verb::Rollback, &Ask::default()).expect("r-2 has converged before")
    }
}

fn scale(instances: u32) -> Ask {
    Ask { process: Some("web".into()), instances: Some(instances), ..Ask::default() }
}

/// The plan as a page shows it.
fn text(plan: &Plan) -> String {
    let mut lines = vec![plan.title.clone(), format!("generation {}", plan.expected_generation)];
    lines.extend(plan.will_change.iter().map(|c| format!("~ {}: {} → {}", c.field, c.from, c.to)));
    lines.extend(plan.will_not_change.iter().map(|text| format!("= {text}")));
    lines.extend(plan.steps.iter().enumerate().map(|(i, step)| format!("{}. {step}", i + 1)));
    lines.extend(plan.guardrails.iter().map(|guard| format!("{:?}: {}", guard.level, guard.text)));
    lines.push(format!("type to confirm: {}", plan.type_to_confirm.as_deref().unwrap_or("nothing")));
    lines.push(format!("[{}]", plan.confirm));
    lines.join("\n")
}

#[test]
fn the_rollback_plan_says_everything_before_it_is_confirmed() {
    let plan = desk().rollback();
    insta::assert_snapshot!(text(&plan), @r"
    Roll back checkout/prod to r-2?
    generation 3
    ~ desired release: r-3 → r-2
    ~ command of mail: python3 serve.py → none
    ~ command of web: python3 serve.py → bin/checkout
    ~ artefact: 1 pinned files (c0007413) → 1 pinned files (dcd0f200)
    ~ instances of mail: 2 → 0
    = data that the processes wrote: nothing is restored or deleted
    = other envs of the app
    1. replace 1 of 4 instances, at most 1 missing at a time
    2. done when 4 of 4 instances of r-2 are ready
    Pass: ana may do this (operator)
    Pass: the platform reports
    Pass: no other command is running
    Pass: r-2 has converged before, at 2026-02-18 12:02:00Z
    type to confirm: nothing
    [Roll back to r-2]
    ");
    assert_eq!((plan.blocked(), plan.made_at), (None, at(300)));
    assert_eq!(plan.intent.release, Some(fixtures::release(2).id));
}

#[test]
fn deleting_asks_for_the_name_and_keeps_the_records() {
    let plan = desk().plan(Verb::Delete, &Ask::default()).expect("it can always be asked");
    insta::assert_snapshot!(text(&plan), @r"
    Delete checkout/prod?
    generation 3
    ~ instances of mail: 2 → 0
    ~ instances of web: 4 → 0
    ~ state: running → deleted
    = data that the processes wrote: nothing is restored or deleted
    = recorded events, receipts and the audit trail: they stay until retention ends
    1. stop 4 instances: TERM, then KILL after the grace time
    Pass: ana may do this (operator)
    Pass: the platform reports
    Pass: no other command is running
    type to confirm: checkout/prod
    [Delete checkout/prod]
    ");
}

#[test]
fn a_program_outside_the_artefact_is_named_as_not_pinned() {
    let mut desk = desk();
    desk.env = fixtures::env_record(4, &desk.releases[1]);
    let ask = Ask { release: Some(desk.releases[2].id.clone()), ..Ask::default() };
    let plan = desk.plan(Verb::Deploy, &ask).expect("r-3 exists");
    assert!(
        plan.will_not_change.iter().any(|text| text.starts_with("python3: it is not part of the artefact"))
    );
    assert!(text(&plan).contains("Warn: r-3 has never converged"));
}

#[test]
fn what_must_not_be_done_is_planned_and_blocked() {
    let blocked = |change: fn(&mut Desk), verb, ask: &Ask| {
        let mut desk = desk();
        change(&mut desk);
        desk.plan(verb, ask).expect("it makes sense").blocked().map(str::to_owned).expect("blocked")
    };
    let ask = Ask::default();
    let by = blocked(|desk| desk.actor.role = Role::Viewer, Verb::Rollback, &ask);
    assert_eq!(by, "ana is a viewer; this needs the operator role");
    let by = blocked(|desk| desk.freshness = Freshness::Stale { since: None }, Verb::Rollback, &ask);
    assert_eq!(by, "the platform has not reported lately, so the plan may be wrong");
    assert_eq!(
        blocked(|_| {}, Verb::Scale, &scale(4)),
        "nothing would change: this is what is desired already"
    );
    let by = blocked(|desk| desk.env.intent.run = RunState::Deleted, Verb::Restart, &ask);
    assert_eq!(by, "the app is being deleted");
}

#[test]
fn questions_without_an_answer_are_refused_in_words() {
    let refused = |verb, ask: Ask| desk().plan(verb, &ask).expect_err("makes no sense").to_string();
    assert_eq!(refused(Verb::Deploy, Ask::default()), "which release? name one of r-1, r-2, r-3");
    let unknown = Ask { release: Some(fixtures::release(9).id), ..Ask::default() };
    assert!(refused(Verb::Rollback, unknown).starts_with("checkout/prod has no release rel_"));
    let ask = Ask { instances: Some(2), ..Ask::default() };
    assert_eq!(refused(Verb::Scale, ask.clone()), "which process? name one of mail, web");
    let nope = Ask { process: Some("nope".into()), ..ask };
    assert_eq!(refused(Verb::Scale, nope), "r-3 has no process nope; it has mail, web");
    assert_eq!(refused(Verb::Scale, scale(101)), "how many instances? 0 to 100");
    let mut new = desk();
    (new.releases, new.env.intent.release) = (vec![], None);
    let said = |verb| new.plan(verb, &Ask::default()).expect_err("nothing was released").to_string();
    assert_eq!(said(Verb::Restart), "checkout/prod has no release yet; apply one first");
    assert!(said(Verb::Rollback).ends_with("there is nothing to roll back to"));
}

#[test]
fn what_never_had_a_release_can_still_be_stopped() {
    let mut new = desk();
    (new.releases, new.env.intent.release, new.running) = (vec![], None, BTreeMap::new());
    let plan = new.plan(Verb::Stop, &Ask::default()).expect("it makes sense");
    assert_eq!(plan.steps, ["stop 0 instances: TERM, then KILL after the grace time"]);
}

#[test]
fn what_is_stopped_can_be_scaled_for_its_next_start() {
    let mut desk = desk();
    desk.env.intent.run = RunState::Stopped;
    let plan = desk.plan(Verb::Scale, &scale(7)).expect("it makes sense");
    let change = &plan.will_change[0];
    assert_eq!((change.field.as_str(), change.to.as_str()), ("instances of web once started", "7"));
    assert_eq!((plan.will_change.len(), plan.blocked()), (1, None));
    assert_eq!(plan.steps, ["nothing starts now: the app is stopped, and a restart starts it"]);
}

proptest! {
    #[test]
    fn the_hash_does_not_change_with_time_or_with_the_order_of_releases(later in 0_i64..1_000_000, age in 0_i64..40) {
        let mut desk = desk();
        let hash = desk.rollback().hash;
        desk.now = desk.now + Span::seconds(later);
        desk.freshness = Freshness::Delayed { age: Span::seconds(age) };
        desk.releases.reverse();
        prop_assert_eq!(hash.len(), 64);
        prop_assert_eq!(desk.rollback().hash, hash);
    }

    #[test]
    fn the_hash_changes_with_the_generation(generation in any::<i64>()) {
        let mut desk = desk();
        let hash = desk.rollback().hash;
        desk.env.generation = generation;
        let plan = desk.rollback();
        prop_assert_eq!(plan.expected_generation, generation);
        prop_assert_eq!(plan.hash == hash, generation == 3);
    }

    #[test]
    fn the_hash_changes_with_the_intent(a in 0_u32..=100, b in 0_u32..=100, restarts in 0_i64..5) {
        let hash = |n, restarts| {
            let mut desk = desk();
            desk.env.intent.restarts = restarts;
            desk.plan(Verb::Scale, &scale(n)).expect("within the limit").hash
        };
        prop_assert_eq!(hash(a, 0) == hash(b, restarts), a == b && restarts == 0);
    }

    #[test]
    fn a_plan_is_the_same_however_often_it_is_made(n in 0_u32..=100, seconds in 0_i64..1000) {
        let mut desk = desk();
        desk.now = NOON + Span::seconds(seconds);
        prop_assert_eq!(desk.plan(Verb::Scale, &scale(n)), desk.plan(Verb::Scale, &scale(n)));
    }
}

#[test]
fn the_hash_changes_when_a_plan_gets_blocked_and_not_when_a_warning_comes_or_goes() {
    let plain = desk().rollback().hash;
    let with = |change: fn(&mut Desk)| {
        let mut desk = desk();
        change(&mut desk);
        desk.rollback().hash
    };
    assert_ne!(with(|desk| desk.actor.role = Role::Viewer), plain);
    assert_ne!(with(|desk| desk.freshness = Freshness::Stale { since: None }), plain);
    assert_eq!(with(|desk| desk.open = Some(ReceiptId::mint(1))), plain);
    assert_eq!(with(|desk| desk.actor.role = Role::Admin), plain);
}
