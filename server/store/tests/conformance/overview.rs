//! The overview: envs in the order of their verdicts, in windows, and counted.

use std::collections::BTreeMap;

use model::{
    AppId, EnvId, EnvRef, Judgement, ObjectKey, Ts, Verdict,
    fixtures::{self, NOON},
};
use store::{EnvWrite, Store, Submitted};

use crate::{
    desired::command,
    place::{Place, batch, object, seen},
};

crate::on_both_engines!(
    envs_come_in_the_order_of_their_verdicts_in_windows_and_counted,
    a_forgotten_env_is_neither_shown_nor_counted,
);

fn id(n: u64) -> EnvId {
    EnvId::mint(n)
}

/// An env of its own, without a wait and an idempotency key.
async fn declare(store: &Store, n: u64) {
    let target =
        EnvRef { app_id: AppId::mint(n), app: format!("app-{n}"), env_id: id(n), env: "prod".to_owned() };
    let mut write =
        EnvWrite { env_id: id(n), wait: None, idempotency: None, new_release: None, ..command(n, 0) };
    write.declare = Some(target.clone());
    write.receipt.target = target.clone();
    write.receipt.wait = None;
    write.event.object = ObjectKey::env(&target.env_id);
    write.audit.env = Some(target.env_id);
    assert!(matches!(store.env_submit(write).await.unwrap(), Submitted::Accepted { .. }));
}

async fn judge(store: &Store, n: u64, verdict: Verdict, since: i64) {
    let judgement = Judgement {
        verdict,
        since: Ts(since),
        sentence: format!("it is {}", verdict.word()),
        because: vec![],
    };
    store.verdict_put(&ObjectKey::env(&id(n)), &judgement, store.head(), None).await.unwrap();
}

async fn envs_come_in_the_order_of_their_verdicts_in_windows_and_counted(place: Place) {
    let store = place.ready().await;
    for n in 1..=6 {
        declare(&store, n).await;
    }
    let mut reported = seen("x", vec![]);
    reported.key = ObjectKey::env(&id(2));
    reported.desired = [("release".to_owned(), "r-1".into())].into();
    store.ingest(vec![batch(NOON, vec![object(reported)])]).await.unwrap();
    judge(&store, 1, Verdict::Converged, 5).await;
    judge(&store, 2, Verdict::Stuck, 9).await;
    judge(&store, 3, Verdict::Stuck, 3).await;
    judge(&store, 4, Verdict::Converging, 1).await;
    judge(&store, 5, Verdict::Failed, 7).await;
    // A later sentence does not move it, another verdict does.
    judge(&store, 3, Verdict::Stuck, 20).await;
    let mut reader = store.read().await.unwrap();
    let all = reader.env_heads(Verdict::Failed, Verdict::Idle, 0, 99).await.unwrap();
    let order: Vec<EnvId> = all.iter().map(|head| head.target.env_id.clone()).collect();
    assert_eq!(order, [5, 3, 2, 6, 4, 1].map(id));
    let stuck = &all[2];
    assert_eq!(stuck.judgement.as_ref().unwrap().sentence, "it is Stuck");
    let seen = stuck.object.as_ref().unwrap();
    assert_eq!((&seen.source, seen.desired["release"].as_str()), (&fixtures::source(), Some("r-1")));
    assert_eq!((all[3].judgement.as_ref(), all[3].object.as_ref()), (None, None), "nobody has judged it");
    let newest = stuck.receipt.clone().unwrap();
    let receipts = reader.receipts_by_id(&[newest.clone(), "rc_none".parse().unwrap()]).await.unwrap();
    assert_eq!(receipts.iter().map(|receipt| &receipt.id).collect::<Vec<_>>(), [&newest]);
    let window = reader.env_heads(Verdict::Failed, Verdict::Degraded, 1, 2).await.unwrap();
    assert_eq!(window, all[1..3]);
    let named = reader.env_heads_by_name(1, 3).await.unwrap();
    let order: Vec<&str> = named.iter().map(|head| head.target.app.as_str()).collect();
    assert_eq!(order, ["app-2", "app-3", "app-4"]);
    assert_eq!(named[0], all[2]);
    let counts = BTreeMap::from([
        (Verdict::Failed, 1),
        (Verdict::Stuck, 2),
        (Verdict::Unknown, 1),
        (Verdict::Converging, 1),
        (Verdict::Converged, 1),
    ]);
    assert_eq!(reader.env_counts().await.unwrap(), counts);
    assert_eq!(reader.open_counts().await.unwrap(), (0, 6));
}

async fn a_forgotten_env_is_neither_shown_nor_counted(place: Place) {
    let store = place.ready().await;
    declare(&store, 1).await;
    let mut write =
        EnvWrite { declare: None, new_release: None, wait: None, idempotency: None, ..command(2, 1) };
    write.env_id = id(1);
    write.intent.run = model::RunState::Deleted;
    store.env_submit(write).await.unwrap();
    assert!(store.env_forget(&id(1)).await.unwrap());
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.env_heads(Verdict::Failed, Verdict::Idle, 0, 9).await.unwrap(), []);
    assert_eq!(reader.env_heads_by_name(0, 9).await.unwrap(), []);
    assert!(reader.env_counts().await.unwrap().is_empty());
}
