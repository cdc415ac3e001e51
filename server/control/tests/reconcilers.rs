//! The reconcilers over a real store, a platform in memory and a clock that the test moves.
//!
//! Every reconciler: it works, a second pass does nothing, what fails is tried again by the next pass.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "reconcilers/fleet.rs"]
mod fleet;
#[path = "reconcilers/world.rs"]
mod world;

use control::{
    Reconciler as _,
    reconcilers::{Retention, retention::Keep},
};
use model::{ReceiptPhase, Span, Verb, Verdict, WaitPhase, fixtures::NOON, plan::Ask};
use sources::fake::{OnStart, Order};
use world::World;

#[tokio::test]
async fn a_new_release_is_ordered_once_and_a_second_pass_does_nothing() {
    let world = World::new().await;
    world.apply(4).await;
    let first = world.rollout.pass().await;
    assert_eq!((first.started, first.stopped), (4, 0));
    world.fake.make_all_ready();
    world.rollout.pass().await;
    let head = world.store.head();
    let second = world.rollout.pass().await;
    assert_eq!((second.envs, second.started, second.stopped, second.errors.len()), (1, 0, 0, 0));
    assert_eq!(world.store.head(), head, "an unchanged env leaves no trace in the journal");
}

#[tokio::test]
async fn a_deploy_is_no_news_about_the_releases_before_it() {
    let world = World::new().await;
    let mut touched = Vec::new();
    for n in 0..5_u8 {
        world.apply_command(&format!("bin/checkout-{n}"), 1).await;
        let before = world.store.head();
        world.settle().await;
        touched.push(world.releases_touched_since(before).await);
    }
    assert_eq!(touched, [1, 2, 2, 2, 2], "only the release that comes and the one that goes");
    let due = world.store.read().await.unwrap().due(NOON, 100).await.unwrap();
    assert_eq!(due, [], "and nothing of it waits for a verdict");
}

#[tokio::test]
async fn an_order_that_the_platform_refuses_is_tried_again_by_the_next_pass() {
    let world = World::new().await;
    world.apply(2).await;
    world.fake.fail_starts(1);
    let first = world.rollout.pass().await;
    assert_eq!((first.started, first.errors.len()), (1, 1));
    let second = world.rollout.pass().await;
    assert_eq!((second.started, second.errors.len()), (1, 0));
    assert_eq!(world.fake.all().len(), 2);
}

#[tokio::test]
async fn a_release_that_never_gets_ready_stops_the_rollout_and_a_rollback_ends_it() {
    let world = World::new().await;
    world.apply(4).await;
    world.settle().await;
    world.fake.on_start(OnStart::Crash);
    world.apply_other(4).await;
    for _ in 0..6 {
        world.rollout.pass().await;
    }
    let ready = world.fake.all().iter().filter(|instance| instance.ready).count();
    assert_eq!(ready, 3, "only one instance was taken away");
    world.fake.on_start(OnStart::Ready);
    world.act(Verb::Rollback, Ask::default()).await;
    world.settle().await;
    assert!(world.fake.all().iter().all(|instance| instance.ready && instance.release_number == 1));
    assert_eq!(world.fake.all().len(), 4);
}

#[tokio::test]
async fn a_receipt_and_its_wait_follow_what_is_observed_and_not_what_was_ordered() {
    let world = World::new().await;
    let receipt = world.apply(2).await;
    world.rollout.pass().await;
    world.judge().await;
    assert_eq!(world.receipt(&receipt).await.phase, ReceiptPhase::Applying);
    assert_eq!(world.wait_of(&receipt).await.phase, WaitPhase::Waiting);
    world.settle().await;
    assert_eq!(world.receipt(&receipt).await.phase, ReceiptPhase::Converged);
    assert_eq!(world.wait_of(&receipt).await.phase, WaitPhase::Converged);
    assert_eq!(world.receipts.pass().await.moved, 0, "a second pass does nothing");
    assert_eq!(world.waits.pass().await.ended, 0, "a second pass does nothing");
}

#[tokio::test]
async fn an_old_receipt_is_followed_however_many_newer_ones_stay_open() {
    let world = World::new().await;
    let oldest = world.apply(1).await;
    world.rollout.pass().await;
    world.fake.make_all_ready();
    world.rollout.pass().await;
    world.verdicts.pass().await;
    for n in 0..510 {
        world.apply_app(&format!("app-{n}"), 1).await;
    }
    let status = world.receipts.pass().await;
    assert_eq!((status.open, status.moved), (511, 1));
    assert_eq!(world.receipt(&oldest).await.phase, ReceiptPhase::Converged);
}

#[tokio::test]
async fn an_old_wait_times_out_however_many_newer_ones_are_open() {
    let world = World::new().await;
    let oldest = world.apply(1).await;
    world.clock.pass(Span::minutes(9));
    for n in 0..510 {
        world.apply_app(&format!("app-{n}"), 1).await;
    }
    world.clock.pass(Span::minutes(2));
    let status = world.waits.pass().await;
    assert_eq!((status.open, status.ended), (511, 1));
    assert_eq!(world.wait_of(&oldest).await.phase, WaitPhase::TimedOut);
}

#[tokio::test]
async fn a_newer_command_supersedes_the_receipt_and_the_wait_of_the_older_one() {
    let world = World::new().await;
    let older = world.apply(2).await;
    world.act(Verb::Stop, Ask::default()).await;
    world.judge().await;
    assert!(matches!(world.receipt(&older).await.phase, ReceiptPhase::Superseded { .. }));
    assert!(matches!(world.wait_of(&older).await.phase, WaitPhase::Superseded { .. }));
}

#[tokio::test]
async fn stuck_arises_from_time_alone() {
    let world = World::new().await;
    world.apply(1).await;
    world.rollout.pass().await;
    world.judge().await;
    assert_eq!(world.verdict().await, Verdict::Converging);
    world.clock.pass(Span::seconds(61));
    world.alive().await;
    world.judge().await;
    assert_eq!(world.verdict().await, Verdict::Stuck);
}

#[tokio::test]
async fn a_wait_that_is_not_met_times_out_and_the_change_goes_on() {
    let world = World::new().await;
    let receipt = world.apply(1).await;
    world.rollout.pass().await;
    world.clock.pass(Span::minutes(11));
    world.alive().await;
    world.judge().await;
    assert_eq!(world.wait_of(&receipt).await.phase, WaitPhase::TimedOut);
    assert!(world.receipt(&receipt).await.phase.is_open(), "timing out ends the watching, not the change");
}

#[tokio::test]
async fn a_silent_source_makes_its_objects_unknown_and_keeps_what_was_last_known() {
    let world = World::new().await;
    world.apply(1).await;
    world.settle().await;
    assert_eq!(world.verdict().await, Verdict::Converged);
    world.clock.pass(Span::seconds(60));
    world.verdicts.pass().await;
    assert_eq!(world.verdict().await, Verdict::Unknown);
    assert!(world.sentence().await.contains("last known: Converged"), "{}", world.sentence().await);
    world.alive().await;
    world.verdicts.pass().await;
    assert_eq!(world.verdict().await, Verdict::Converged);
}

#[tokio::test]
async fn a_deleted_env_is_forgotten_when_its_last_instance_is_gone() {
    let world = World::new().await;
    world.apply(2).await;
    world.settle().await;
    world.fake.take_orders();
    let receipt = world.act(Verb::Delete, Ask::default()).await;
    let first = world.rollout.pass().await;
    assert_eq!(first.stopped, 2);
    assert!(world.fake.take_orders().iter().all(|order| matches!(order, Order::Stop(_))));
    world.rollout.pass().await;
    world.judge().await;
    assert!(world.store.read().await.unwrap().envs().await.unwrap().is_empty());
    assert_eq!(world.receipt(&receipt).await.phase, ReceiptPhase::Converged);
}

#[tokio::test]
async fn one_pass_forgets_everything_that_is_too_old_however_small_its_steps_are() {
    let world = World::new().await;
    world.apply(4).await;
    world.settle().await;
    world.clock.pass(Span::minutes(100 * 24 * 60));
    world.alive().await;
    let before = world.store.head();
    let keep = Keep { step: 3, ..Keep::default() };
    let retention = Retention::new(world.store.clone(), world.clock.clock(), keep);
    let first = retention.pass().await;
    assert!(first.deleted > 20 && first.errors.is_empty(), "{first:?}");
    let left = world.store.read().await.unwrap().journal(model::Seq(0), 1000).await.unwrap();
    assert!(left.len() < 5, "{left:?}");
    assert_eq!(retention.pass().await.deleted, 0, "a second pass does nothing");
    assert_eq!(world.store.head(), before, "forgetting is not an event");
    assert_eq!(world.verdict().await, Verdict::Converged, "the present is kept");
}
