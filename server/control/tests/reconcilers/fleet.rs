//! A pass over a fleet costs what has changed, and misses nothing.

use control::Reconciler as _;
use model::Span;

use crate::world::World;

/// Three apps at rest, with two instances each.
async fn at_rest() -> World {
    let world = World::new().await;
    for app in ["checkout", "search", "mail"] {
        world.apply_app(app, 2).await;
    }
    world.settle().await;
    world
}

#[tokio::test]
async fn a_fleet_at_rest_is_not_looked_at() {
    let world = at_rest().await;
    assert_eq!(world.rollout.pass().await.envs, 0);
}

#[tokio::test]
async fn only_the_env_that_somebody_changed_is_looked_at() {
    let world = at_rest().await;
    world.apply_app("search", 3).await;
    let status = world.rollout.pass().await;
    assert_eq!((status.envs, status.started), (1, 1));
}

#[tokio::test]
async fn only_the_env_whose_instances_changed_is_looked_at() {
    let world = at_rest().await;
    let id = world.fake.all()[0].id.clone();
    world.fake.crash(&id, 1);
    assert_eq!(world.rollout.pass().await.envs, 1);
}

#[tokio::test]
async fn an_env_that_lost_its_last_instance_is_looked_at() {
    let world = at_rest().await;
    let env = world.fake.all()[0].env_id.clone();
    for instance in world.fake.all().iter().filter(|instance| instance.env_id == env) {
        world.fake.forget(&instance.id);
    }
    let status = world.rollout.pass().await;
    assert_eq!((status.envs, status.started), (1, 2));
}

#[tokio::test]
async fn what_comes_back_to_where_it_was_is_reported_again() {
    let world = at_rest().await;
    let was = world.fake.all()[0].clone();
    world.fake.crash(&was.id, 1);
    world.rollout.pass().await;
    world.fake.edit(&was.id, |instance| *instance = was.clone());
    let head = world.store.head();
    world.rollout.pass().await;
    assert!(world.store.head() > head);
}

#[tokio::test]
async fn an_env_whose_order_failed_is_looked_at_by_the_next_pass() {
    let world = at_rest().await;
    world.apply_app("mail", 3).await;
    world.fake.fail_starts(1);
    assert_eq!(world.rollout.pass().await.errors.len(), 1);
    let second = world.rollout.pass().await;
    assert_eq!((second.envs, second.started), (1, 1));
}

#[tokio::test]
async fn once_in_a_while_all_envs_are_looked_at() {
    let world = at_rest().await;
    world.clock.pass(Span::seconds(31));
    assert_eq!(world.rollout.pass().await.envs, 3);
}

#[tokio::test]
async fn instances_that_nobody_wants_are_stopped_in_any_pass() {
    let world = at_rest().await;
    let mut stray = world.fake.all()[0].clone();
    stray.id = model::InstanceId::mint(99);
    stray.env_id = model::EnvId::mint(99);
    world.fake.put(stray);
    assert_eq!(world.rollout.pass().await.stopped, 1);
}

#[tokio::test]
async fn many_envs_are_reported_with_few_writes() {
    let world = World::new().await;
    for n in 0..60 {
        world.apply_app(&format!("app-{n}"), 1).await;
    }
    let writes = || world.store.timings().1.count;
    let before = writes();
    assert_eq!(world.rollout.pass().await.started, 60);
    assert!(writes() - before <= 8, "{} writes", writes() - before);
    world.fake.make_all_ready();
    let before = writes();
    world.rollout.pass().await;
    assert!(writes() - before <= 8, "{} writes, with those that say which releases hold", writes() - before);
    let mut reader = world.store.read().await.unwrap();
    for env in reader.envs().await.unwrap() {
        let releases = reader.releases(&env.target.env_id).await.unwrap();
        assert!(releases.iter().all(|release| release.converged_at.is_some()), "{}", env.target.app);
    }
}

#[tokio::test]
async fn an_env_that_cannot_be_read_holds_up_nobody_else() {
    let world = World::new().await;
    for app in ["checkout", "search", "mail"] {
        world.apply_app(app, 1).await;
    }
    world.damage_releases_of("search");
    let status = world.rollout.pass().await;
    assert_eq!((status.envs, status.started, status.errors.len()), (3, 2, 1), "{status:?}");
    assert_eq!(status.errors[0].doing, "reconcile search/prod");
}
