//! Instances as real processes: how they start, fail, are found ready, and stop.

use crate::support::{World, demo, events, marked, order};
use model::{InstanceState, Observation, Span};
use sources::{ActuateError, Actuator};

fn messages(world: &World, action: &str, outcome: &str) -> Vec<String> {
    let events = world.events().into_iter().filter(|e| e.action == action && e.outcome.as_str() == outcome);
    events.map(|event| event.message.clone()).collect()
}

#[tokio::test]
async fn a_healthy_app_is_ready_soon_and_says_so_in_order() {
    let mut world = World::new();
    let order = demo("healthy");
    world.start(&order).await;
    world.start(&order).await;
    world.until("ready", |w| w.event("StartInstance", "done").is_some()).await;
    assert!(matches!(&world.seen[0], Observation::Snapshot { objects, .. } if objects.is_empty()));
    let actual = world.actual(&order).await.expect("it is there");
    assert_eq!((actual.state, actual.ready, actual.starts), (InstanceState::Running, true, 1));
    world.until("the state was reported", |w| w.object().is_some_and(|o| o.current["ready"] == true)).await;
    let object = world.object().expect("reported").clone();
    let port = object.current["port"].as_u64().expect("a port");
    assert!(object.current["pid"].as_i64().expect("a pid") > 0);
    world.until("it logs", |w| w.printed(&format!("listening on 127.0.0.1:{port}"))).await;
    world.until("it is alive when quiet", |w| w.seen.contains(&Observation::Alive)).await;
    assert!(world.platform.by_env().await.into_keys().eq([order.target.env_id.clone()]));
    assert_eq!(world.events().len(), 2, "ordered once, ready once");
    let seen = world.shutdown().await;
    assert_eq!(
        events(&seen).last().map(|e| (e.action.as_str(), e.outcome.as_str())),
        Some(("StopInstance", "done"))
    );
    assert!(matches!(seen.last(), Some(Observation::Gone(_) | Observation::Alive)));
    assert!(marked(&order.id).is_empty());
}

#[tokio::test]
async fn a_process_that_exits_is_started_again_less_and_less_often_with_its_attempts_counted() {
    let mut world = World::new();
    let order = order(&["sh", "-c", "echo hello; echo boom >&2; exit 3"]);
    world.start(&order).await;
    world.until("four failures", |w| messages(w, "StartInstance", "failed").len() >= 4).await;
    let failed: Vec<_> = world.events().into_iter().filter(|e| e.outcome.as_str() == "failed").collect();
    for (n, event) in (1..).zip(&failed) {
        assert_eq!((event.attempt, event.reason.as_str()), (Some(n), "Exited"));
        assert!(
            event.message.starts_with("exited with code 3 after ") && event.message.ends_with(": boom"),
            "{event:?}"
        );
    }
    let waits: Vec<_> = failed.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(
        waits[0] >= Span::millis(20) && waits[1] >= Span::millis(40) && waits[2] >= Span::millis(80),
        "{waits:?}"
    );
    let keys: std::collections::BTreeSet<_> = world.events().iter().map(|e| e.dedupe.clone()).collect();
    assert_eq!(keys.len(), world.events().len());
    let actual = world.actual(&order).await.expect("it is there");
    assert_eq!(actual.last_exit.expect("kept").code, Some(3));
    assert!(!actual.ready && actual.starts >= 4);
    let object = world.object().expect("reported");
    assert_eq!(object.conditions[0].reason, "CrashLoop");
    assert_eq!(object.current["exit_code"], 3);
    world.shutdown().await;
}

#[tokio::test]
async fn a_program_that_does_not_exist_says_so_and_is_stalled() {
    let mut world = World::new();
    let mut order = order(&["bin/nothing"]);
    world.start(&order).await;
    world.until("it failed", |w| w.event("StartInstance", "failed").is_some()).await;
    let event = world.event("StartInstance", "failed").expect("just seen");
    assert_eq!(event.reason, "CannotStart");
    assert_eq!(event.message, "cannot start bin/nothing: no such file or directory");
    world.until("stalled", |w| w.object().is_some_and(|o| o.conditions[3].is_true())).await;
    order = demo("healthy");
    order.spec.workdir = Some("no/such/folder".into());
    world.start(&order).await;
    let words = "/no/such/folder does not exist";
    world
        .until("it says which", |w| messages(w, "StartInstance", "failed").iter().any(|m| m.ends_with(words)))
        .await;
    world.shutdown().await;
}

#[tokio::test]
async fn never_ready_and_wrong_port_fail_their_check_and_are_left_running() {
    for (fault, words) in [("never-ready", "status 503"), ("wrong-port", "connection refused")] {
        let mut world = World::new();
        let order = demo(fault);
        world.start(&order).await;
        world.until("the check failed", |w| w.event("HealthCheck", "failed").is_some()).await;
        let event = world.event("HealthCheck", "failed").expect("just seen");
        assert!(
            event.message.contains(words) && event.message.starts_with("GET /healthz on port "),
            "{event:?}"
        );
        let actual = world.actual(&order).await.expect("it is there");
        assert_eq!((actual.state, actual.ready, actual.starts), (InstanceState::Starting, false, 1));
        world.shutdown().await;
    }
}

#[tokio::test]
async fn an_instance_that_dies_while_ready_is_replaced_by_a_ready_one() {
    let mut world = World::new();
    let order = demo("crash-after=1");
    world.start(&order).await;
    world.until("it was ready twice", |w| messages(w, "StartInstance", "done").len() >= 2).await;
    let end = world.event("RunInstance", "failed").expect("it ended in between");
    assert!(end.message.ends_with(": fatal: connection to the ledger lost"), "{end:?}");
    world.shutdown().await;
}

#[tokio::test]
async fn stopping_is_graceful_and_then_the_instance_is_gone() {
    let mut world = World::new();
    let script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done";
    let order = order(&["sh", "-c", script]);
    world.start(&order).await;
    world.until("it runs", |w| w.printed("up")).await;
    world.platform.stop(&order.id).await.expect("taken");
    world.platform.stop(&order.id).await.expect("twice is once");
    world.until("gone", |w| w.is_gone(&order)).await;
    assert!(world.printed("bye"));
    let done = world.event("StopInstance", "done").expect("said");
    assert_eq!(done.reason, "");
    assert!(world.actual(&order).await.is_none() && marked(&order.id).is_empty());
    world.shutdown().await;
}

#[tokio::test]
async fn what_ignores_term_is_killed_after_its_grace_time() {
    let mut world = World::new();
    let mut order = order(&["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.02; done"]);
    order.spec.stop_grace = Span::millis(150);
    world.start(&order).await;
    world.until("it runs", |w| w.printed("up")).await;
    world.platform.stop(&order.id).await.expect("taken");
    world.until("gone", |w| w.is_gone(&order)).await;
    assert_eq!(world.event("StopInstance", "done").expect("said").reason, "GraceExpired");
    assert!(marked(&order.id).is_empty());
    world.shutdown().await;
}

#[tokio::test]
async fn stopping_between_two_starts_and_unknown_instances_is_fine() {
    let mut world = World::new();
    let mut order = order(&["false"]);
    order.spec.restart.from = Span::seconds(60);
    world.start(&order).await;
    world.until("it waits", |w| w.event("StartInstance", "failed").is_some()).await;
    world.platform.stop(&order.id).await.expect("taken");
    world.until("gone", |w| w.is_gone(&order)).await;
    world.platform.stop(&demo("healthy").id).await.expect("unknown is stopped");
    world.shutdown().await;
}

#[tokio::test]
async fn a_platform_that_shuts_down_ends_everything_and_takes_no_more() {
    let mut world = World::new();
    let orders: Vec<_> = (0..3).map(|_| demo("healthy")).collect();
    for order in &orders {
        world.start(order).await;
    }
    world.until("all run", |w| messages(w, "StartInstance", "done").len() == 3).await;
    world.platform.shutdown().await;
    assert!(orders.iter().all(|order| marked(&order.id).is_empty()));
    let refused = world.platform.start(demo("healthy")).await;
    assert!(matches!(refused, Err(ActuateError::ShuttingDown)));
    world.shutdown().await;
}
