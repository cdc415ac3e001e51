//! What carries desired state out: which instances to start and which to stop, now.
//!
//! One pass plans only what is safe at this moment; the next pass sees what came of it. So a rollout whose
//! new instances do not become ready stops by itself: there is nothing more that may be taken away.

use std::collections::BTreeMap;

use model::{ActualInstance, InstanceId, InstanceState, Release, RunState, plan::Intent, spec::Strategy};

/// What one pass does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps {
    /// How many instances of which process to start.
    pub start: BTreeMap<String, u32>,
    /// Which instances to stop, and why.
    pub stop: Vec<(InstanceId, &'static str)>,
}

impl Steps {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start.is_empty() && self.stop.is_empty()
    }
}

/// How many instances of a process are wanted.
#[must_use]
pub fn wanted(intent: &Intent, release: &Release, process: &str) -> u32 {
    if intent.run != RunState::Running {
        return 0;
    }
    let own = release.spec.processes.get(process).map_or(0, |process| process.instances);
    intent.scale.get(process).copied().filter(|_| release.spec.processes.contains_key(process)).unwrap_or(own)
}

/// Plans one pass over one env. `release` is the desired one; without it nothing may run.
#[must_use]
pub fn steps(intent: &Intent, release: Option<&Release>, actual: &[ActualInstance]) -> Steps {
    let mut steps = Steps::default();
    let live = |instance: &&ActualInstance| instance.state != InstanceState::Stopping;
    let Some(release) = release.filter(|_| intent.run == RunState::Running) else {
        let why = if intent.run == RunState::Deleted { "the app is deleted" } else { "the app is stopped" };
        steps.stop.extend(actual.iter().filter(live).map(|instance| (instance.id.clone(), why)));
        return steps;
    };
    let unknown = |instance: &&ActualInstance| !release.spec.processes.contains_key(&instance.process);
    let orphans = actual.iter().filter(live).filter(unknown);
    steps.stop.extend(orphans.map(|instance| (instance.id.clone(), "the release has no such process")));
    for process in release.spec.processes.keys() {
        let mine: Vec<&ActualInstance> =
            actual.iter().filter(live).filter(|instance| &instance.process == process).collect();
        one_process(intent, release, process, &mine, &mut steps);
    }
    steps
}

fn one_process(
    intent: &Intent,
    release: &Release,
    process: &str,
    mine: &[&ActualInstance],
    steps: &mut Steps,
) {
    let wanted = wanted(intent, release, process) as usize;
    let up_to_date = |i: &ActualInstance| i.release == release.id && i.restarts >= intent.restarts;
    // What serves least goes first: not ready before ready, old before new, then the youngest.
    let mut by_worth: Vec<&ActualInstance> = mine.to_vec();
    by_worth.sort_by_key(|i| (i.ready, up_to_date(i), std::cmp::Reverse(i.created_at), i.id.clone()));

    let missing_copies = wanted.saturating_sub(by_worth.len());
    if missing_copies > 0 {
        steps.start.insert(process.to_owned(), u32::try_from(missing_copies).unwrap_or(u32::MAX));
    }
    let mut stop = |instance: &ActualInstance, why| steps.stop.push((instance.id.clone(), why));
    // Too many: after scaling down, and in the middle of a rollout.
    let surplus = by_worth.len().saturating_sub(wanted);
    for instance in by_worth.drain(..surplus) {
        stop(instance, "more instances than wanted");
    }
    let ready = by_worth.iter().filter(|i| i.ready).count();
    let old: Vec<&ActualInstance> = by_worth.into_iter().filter(|i| !up_to_date(i)).collect();
    if old.is_empty() {
        return;
    }
    let replaceable = match release.spec.rollout.strategy {
        Strategy::AllAtOnce => old.len(),
        Strategy::Rolling => {
            let not_ready_old = old.iter().filter(|i| !i.ready).count();
            let missing = wanted.saturating_sub(ready);
            let allowed = (release.spec.rollout.max_unavailable.max(1) as usize).saturating_sub(missing);
            // An old instance that does not serve costs nothing to take away.
            not_ready_old + allowed
        }
    };
    for instance in old.iter().take(replaceable) {
        stop(instance, "replaced by the desired release");
    }
}

#[cfg(test)]
mod tests {
    use model::{EnvId, ReleaseId, Ts, fixtures};
    use proptest::prelude::*;

    use super::*;

    fn instance(n: u64, release: i64, ready: bool) -> ActualInstance {
        ActualInstance {
            id: InstanceId::mint(n),
            env_id: EnvId::mint(1),
            process: "web".into(),
            release: ReleaseId::mint(release.unsigned_abs()),
            release_number: release,
            restarts: 0,
            state: if ready { InstanceState::Running } else { InstanceState::Restarting },
            ready,
            starts: 1,
            last_exit: None,
            not_ready: None,
            created_at: Ts(i64::try_from(n).unwrap_or(0)),
            ready_since: Ts(0),
        }
    }

    fn intent(release: i64) -> Intent {
        fixtures::env_record(1, &fixtures::release(release)).intent
    }

    fn plan(release: i64, actual: &[ActualInstance]) -> (u32, Vec<String>) {
        let steps = steps(&intent(release), Some(&fixtures::release(release)), actual);
        let stop = steps.stop.iter().map(|(id, _)| id.to_string()).collect();
        (steps.start.values().sum(), stop)
    }

    fn ids(of: &[u64]) -> Vec<String> {
        of.iter().map(|n| InstanceId::mint(*n).to_string()).collect()
    }

    #[test]
    fn an_empty_env_gets_all_instances_at_once() {
        assert_eq!(plan(1, &[]), (4, vec![]));
    }

    #[test]
    fn a_new_release_takes_one_ready_instance_away_and_no_more() {
        let all: Vec<_> = (1..=4).map(|n| instance(n, 1, true)).collect();
        assert_eq!(plan(2, &all), (0, ids(&[4])));
    }

    #[test]
    fn a_release_that_does_not_become_ready_stops_the_rollout() {
        let mut all: Vec<_> = (1..=3).map(|n| instance(n, 1, true)).collect();
        assert_eq!(plan(2, &all), (1, vec![]));
        all.push(instance(9, 2, false));
        assert_eq!(plan(2, &all), (0, vec![]));
    }

    #[test]
    fn rolling_back_takes_the_broken_one_away_and_restores_the_rest() {
        let mut all: Vec<_> = (1..=3).map(|n| instance(n, 1, true)).collect();
        all.push(instance(9, 2, false));
        assert_eq!(plan(1, &all), (0, ids(&[9])));
        all.pop();
        assert_eq!(plan(1, &all), (1, vec![]));
    }

    #[test]
    fn stopped_and_deleted_envs_lose_every_instance() {
        let all = [instance(1, 1, true), instance(2, 1, false)];
        for run in [RunState::Stopped, RunState::Deleted] {
            let intent = Intent { run, ..intent(1) };
            assert_eq!(steps(&intent, Some(&fixtures::release(1)), &all).stop.len(), 2);
        }
    }

    #[test]
    fn a_restart_replaces_instances_of_the_same_release() {
        let all: Vec<_> = (1..=4).map(|n| instance(n, 1, true)).collect();
        let intent = Intent { restarts: 1, ..intent(1) };
        assert_eq!(steps(&intent, Some(&fixtures::release(1)), &all).stop.len(), 1);
    }

    proptest! {
        #[test]
        fn a_rolling_update_never_takes_more_ready_instances_than_it_may(
            olds in 0_u64..8, ready_olds in 0_u64..8, news in 0_u64..8, ready_news in 0_u64..8,
        ) {
            let old = (0..olds).map(|n| instance(n, 1, n < ready_olds));
            let new = (0..news).map(|n| instance(100 + n, 2, n < ready_news));
            let all: Vec<_> = old.chain(new).collect();
            let steps = steps(&intent(2), Some(&fixtures::release(2)), &all);
            let stopped = |i: &ActualInstance| steps.stop.iter().any(|(id, _)| id == &i.id);
            let before = all.iter().filter(|i| i.ready).count();
            let after = all.iter().filter(|i| i.ready && !stopped(i)).count();
            prop_assert!(after >= before.min(3), "{before} ready became {after}");
        }

        #[test]
        fn carrying_the_steps_out_ends_with_the_desired_instances(olds in 0_u64..10, ready_olds in 0_u64..10) {
            let mut all: Vec<_> = (0..olds).map(|n| instance(n, 1, n < ready_olds)).collect();
            let mut next = 1000;
            for _ in 0..40 {
                let steps = steps(&intent(2), Some(&fixtures::release(2)), &all);
                if steps.is_empty() { break; }
                all.retain(|i| !steps.stop.iter().any(|(id, _)| id == &i.id));
                for _ in 0..steps.start.values().sum() {
                    next += 1;
                    all.push(instance(next, 2, true));
                }
            }
            prop_assert!(all.len() == 4 && all.iter().all(|i| i.release_number == 2 && i.ready));
        }
    }
}
