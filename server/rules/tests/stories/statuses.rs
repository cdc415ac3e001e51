//! What the rollout controller says about an env, from what really runs.

use model::{
    ActualInstance, EnvId, EnvRecord, InstanceId, InstanceState, Object, ObservedObject, Release, RunState,
    fixtures::{self, NOON},
};
use rules::status::{self, Memory};

use super::builders::at;

fn instances(release: i64, ready: u64, not_ready: u64) -> Vec<ActualInstance> {
    let one = |n: u64| ActualInstance {
        id: InstanceId::mint(release.unsigned_abs() * 100 + n),
        env_id: EnvId::mint(1),
        process: "web".into(),
        release: fixtures::release(release).id,
        release_number: release,
        restarts: 0,
        state: if n < ready { InstanceState::Running } else { InstanceState::Restarting },
        ready: n < ready,
        starts: 1,
        last_exit: None,
        not_ready: None,
        created_at: NOON,
        ready_since: NOON,
    };
    (0..ready + not_ready).map(one).collect()
}

/// The env wants four of r-2 at generation 2.
fn wanting() -> (EnvRecord, Release) {
    let release = fixtures::release(2);
    (fixtures::env_record(2, &release), release)
}

fn observe(env: &EnvRecord, actual: &[ActualInstance], memory: &Memory) -> ObservedObject {
    let release = env.intent.release.as_ref().map(|_| fixtures::release(2));
    status::env(env, release.as_ref(), actual, memory, at(9))
}

/// `Ready/Reconciling/Degraded` by reason, a lower-case reason for one that does not hold; and the sentence.
fn said(object: &ObservedObject) -> (String, String) {
    let reasons: Vec<String> = object
        .conditions
        .iter()
        .map(|c| if c.is_true() { c.reason.clone() } else { c.reason.to_lowercase() })
        .collect();
    assert!(object.conditions.iter().all(|c| c.observed_generation == Some(object.generation)));
    (reasons.join(" "), object.conditions[0].message.clone())
}

fn converged_before() -> Memory {
    Memory { converged_generation: Some(2), progress_at: Some(at(1)), progress: Some((2, 4)) }
}

#[test]
fn all_of_the_desired_release_and_nothing_else_is_converged() {
    let object = observe(&wanting().0, &instances(2, 4, 0), &Memory::default());
    assert_eq!(said(&object), ("AllReady settled asdesired".into(), "r-2 runs 4 of 4 instances".into()));
    assert_eq!((&object.desired["release"], &object.current["release"]), (&"r-2".into(), &"r-2".into()));
    assert_eq!(Memory::read(&object.current).converged_generation, Some(2));
}

#[test]
fn a_rollout_names_what_still_serves() {
    let all = [instances(1, 3, 0), instances(2, 0, 1)].concat();
    let object = observe(&wanting().0, &all, &Memory::default());
    let words = "r-2 wants 4 instances, none is ready, 3 of r-1 still serving";
    assert_eq!(said(&object), ("instancesnotready RollingOut asdesired".into(), words.into()));
    assert_eq!(
        (&object.current["release"], &object.current["serving"]),
        (&"r-2 ×1, r-1 ×3".into(), &3.into())
    );
}

#[test]
fn a_rollout_that_is_stuck_half_way_makes_no_progress_and_is_not_degraded() {
    let all = [instances(1, 2, 0), instances(2, 1, 1)].concat();
    let first = observe(&wanting().0, &all, &Memory::default());
    let memory = Memory::read(&first.current);
    assert_eq!((memory.progress_at, memory.progress), (Some(at(9)), Some((2, 1))));
    let object = status::env(&wanting().0, Some(&wanting().1), &all, &memory, at(99));
    assert_eq!(Memory::read(&object.current), memory, "ninety seconds later nothing came closer");
    let words = "r-2 wants 4 instances, 1 is ready, 2 of r-1 still serving";
    assert_eq!(said(&object), ("instancesnotready RollingOut asdesired".into(), words.into()));
    let all = [instances(1, 1, 0), instances(2, 2, 1)].concat();
    let object = status::env(&wanting().0, Some(&wanting().1), &all, &memory, at(100));
    assert_eq!(Memory::read(&object.current).progress_at, Some(at(100)), "one more is ready");
}

#[test]
fn readiness_lost_after_convergence_is_degraded_and_recovers() {
    let object = observe(&wanting().0, &instances(2, 3, 1), &converged_before());
    let words = "r-2 wants 4 instances, 3 are ready";
    assert_eq!(said(&object), ("instancesnotready Recovering ReadinessLost".into(), words.into()));
    let memory = Memory::read(&object.current);
    assert_eq!(
        (memory.progress_at, memory.converged_generation),
        (Some(at(1)), Some(2)),
        "a loss is no progress"
    );
    let object = observe(&wanting().0, &instances(2, 4, 0), &memory);
    assert_eq!(said(&object).0, "AllReady settled asdesired");
    assert_eq!(Memory::read(&object.current).progress_at, Some(at(9)), "what comes back is");
}

#[test]
fn a_new_generation_starts_over_and_is_not_degraded_by_the_old_one() {
    let (mut env, _) = wanting();
    env.generation = 3;
    let object = observe(&env, &instances(2, 3, 1), &converged_before());
    assert_eq!(said(&object).0, "instancesnotready RollingOut asdesired");
    assert_eq!(Memory::read(&object.current).progress, Some((3, 3)));
}

#[test]
fn a_restart_counts_only_instances_that_were_started_for_it() {
    let (mut env, _) = wanting();
    env.intent.restarts = 1;
    let object = observe(&env, &instances(2, 4, 0), &Memory::default());
    assert_eq!(said(&object).1, "r-2 wants 4 instances, none is ready, 4 of r-2 still serving");
}

#[test]
fn a_stopped_env_says_what_is_left_and_then_that_it_was_on_purpose() {
    let (mut env, _) = wanting();
    env.intent.run = RunState::Stopped;
    let object = observe(&env, &instances(2, 2, 0), &converged_before());
    assert_eq!(
        said(&object),
        ("instancesnotready Stopping asdesired".into(), "stopping; 2 still running".into())
    );
    let object = observe(&env, &[], &converged_before());
    assert_eq!(said(&object), ("NothingWanted settled asdesired".into(), "stopped on purpose".into()));
    assert_eq!((&object.desired["run"], &object.current["run"]), (&"stopped".into(), &"stopped".into()));
    assert_eq!(
        (&object.desired["release"], &object.current["release"]),
        (&"none running".into(), &"none running".into())
    );
}

#[test]
fn a_deleted_env_counts_down_and_leaves_out_what_is_stopping_already() {
    let (mut env, _) = wanting();
    env.intent.run = RunState::Deleted;
    let mut all = instances(2, 3, 0);
    all[0].state = InstanceState::Stopping;
    let object = observe(&env, &all, &Memory::default());
    let words = "being deleted; 2 still to stop";
    assert_eq!(said(&object), ("instancesnotready Stopping asdesired".into(), words.into()));
    assert_eq!(object.current["stopping"], 1);
}

#[test]
fn an_env_without_a_release_is_declared_and_wants_nothing() {
    let (mut env, _) = wanting();
    env.intent.release = None;
    let object = observe(&env, &[], &Memory::default());
    let words = "declared, nothing released yet";
    assert_eq!(said(&object), ("NothingWanted settled asdesired".into(), words.into()));
    assert_eq!(object.desired["instances"], 0);
}

#[test]
fn a_release_that_is_no_longer_wanted_counts_what_is_left_of_it() {
    let (env, r2) = wanting();
    let r1 = fixtures::release(1);
    let all = [instances(1, 2, 0), instances(2, 1, 1)].concat();
    assert_eq!(status::release(&env, &r1, &all, NOON).conditions[0].message, "2 still to stop");
    assert_eq!(status::release(&env, &r2, &all, NOON).conditions[0].message, "1 of 4 ready");
    assert_eq!(status::release(&env, &r1, &all[2..], NOON).conditions[0].message, "not running");
    assert_eq!(status::release(&env, &r2, &instances(2, 4, 0), NOON).conditions[0].reason, "AllReady");
}

#[test]
fn a_release_is_history_once_it_is_known_to_run_nowhere() {
    let (env, r2) = wanting();
    let r1 = fixtures::release(1);
    let left = instances(1, 1, 0);
    let known = |release: &Release, actual: &[ActualInstance]| {
        let ObservedObject { desired, current, conditions, .. } =
            status::release(&env, release, actual, NOON);
        Object { desired, current, conditions, ..fixtures::object("release", release.id.as_str()) }
    };
    assert!(status::is_history(&env, &r1, &[], &known(&r1, &[])));
    assert!(!status::is_history(&env, &r1, &[], &known(&r1, &left)), "that its last one ended is news");
    assert!(!status::is_history(&env, &r1, &left, &known(&r1, &[])), "it runs again");
    assert!(!status::is_history(&env, &r2, &[], &known(&r2, &[])), "it is wanted");
}
