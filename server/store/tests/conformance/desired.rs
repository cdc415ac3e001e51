//! Commands: desired state, releases, receipts, waits.

use model::{
    AppId, Checked, EnvId, EnvRef, NewEvent, ObjectKey, Plan, Receipt, ReceiptId, ReceiptPhase, ReleaseId,
    RunState, Seq, Span, TraceId, Verb, Wait, WaitId, WaitPhase,
    audit::AuditFilter,
    fixtures::{self, NOON},
    plan::{Ask, Intent},
    wait::{Item, Until},
};
use store::{
    EnvWrite, IdempotencyKey, JournalKind, ObjectFilter, ReleaseMark, Store, StoreError, Submitted,
    WaitInserted,
};

use crate::place::{Place, audit, batch, new_event, object, seen};

crate::on_both_engines!(
    a_command_writes_everything_or_nothing,
    a_repeated_command_gets_the_same_receipt_and_another_one_under_its_key_is_refused,
    a_command_for_an_older_generation_is_stale,
    of_two_commands_for_one_generation_one_is_accepted,
    a_newer_command_supersedes_receipts_and_waits,
    a_receipt_only_moves_forward,
    open_receipts_of_all_envs_are_listed_and_moved_at_once,
    a_release_converges_and_stops_to_hold,
    a_wait_is_stored_changed_and_closed,
    a_forgotten_env_frees_its_name,
    envs_have_moved_whose_desired_state_was_changed_since_or_forgotten,
    a_command_without_its_source_leaves_nothing,
);

pub fn command(n: u64, generation: i64) -> EnvWrite {
    let target = fixtures::env_ref();
    let release = fixtures::release(n.cast_signed());
    let intent = Intent {
        release: Some(release.id.clone()),
        scale: [("web".into(), 3)].into(),
        run: RunState::Running,
        restarts: 1,
    };
    let plan = Plan {
        verb: Verb::Deploy,
        target: target.clone(),
        title: "Deploy?".into(),
        confirm: "Deploy".into(),
        ask: Ask::default(),
        expected_generation: generation,
        hash: "h".into(),
        will_change: vec![],
        will_not_change: vec![],
        steps: vec![],
        guardrails: vec![],
        type_to_confirm: None,
        intent: intent.clone(),
        made_at: NOON,
    };
    let receipt = Receipt {
        id: ReceiptId::mint(n),
        verb: Verb::Deploy,
        target: target.clone(),
        generation: generation + 1,
        phase: ReceiptPhase::Accepted,
        phase_at: NOON,
        accepted_at: NOON,
        actor: "mira".into(),
        reason: "new".into(),
        trace_id: TraceId::mint(n),
        wait: Some(WaitId::mint(n)),
        checked: None,
        plan,
    };
    let wait = Wait { receipt: Some(receipt.id.clone()), generation: Some(generation + 1), ..wait(n) };
    EnvWrite {
        declare: Some(target.clone()),
        new_release: Some(release),
        env_id: target.env_id.clone(),
        expected_generation: generation,
        intent,
        verb: Verb::Deploy,
        receipt,
        wait: Some(wait),
        audit: audit("deploy", Some(target.env_id.clone())),
        event: NewEvent {
            object: ObjectKey::env(&target.env_id),
            action: "Deploy".into(),
            controller: "user".into(),
            ..new_event(NOON, "x")
        },
        idempotency: Some(IdempotencyKey {
            actor: "mira".into(),
            key: format!("key-{n}"),
            request_hash: "r".into(),
        }),
    }
}

fn wait(n: u64) -> Wait {
    let target = fixtures::env_ref();
    Wait {
        id: WaitId::mint(n),
        object: ObjectKey::env(&target.env_id),
        title: "checkout/prod".into(),
        target: Some(target),
        until: Until::converged_at(1),
        receipt: None,
        generation: None,
        owner: "mira".into(),
        created_at: NOON,
        deadline: NOON + Span::seconds(60),
        phase: WaitPhase::Waiting,
        ended_at: None,
        items: vec![Item { text: "converged".into(), met: false }],
        blind_since: None,
    }
}

async fn accepted(store: &Store, command: EnvWrite) -> Receipt {
    match store.env_submit(command).await.unwrap() {
        Submitted::Accepted { receipt, .. } => *receipt,
        other => panic!("{other:?}"),
    }
}

async fn a_command_writes_everything_or_nothing(place: Place) {
    let store = place.ready().await;
    let before = store.head();
    let Submitted::Accepted { receipt, release } = store.env_submit(command(1, 0)).await.unwrap() else {
        panic!()
    };
    let release = *release.unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!((release.number, receipt.generation), (1, 1));
    let env = reader.env(&EnvId::mint(1)).await.unwrap().unwrap();
    assert_eq!(env.intent, command(1, 0).intent);
    assert_eq!(
        (env.generation, env.changed_by_verb, env.changed_by.as_str()),
        (1, Some(Verb::Deploy), "mira")
    );
    assert_eq!(reader.env_by_name("checkout", "prod").await.unwrap(), Some(env.clone()));
    assert_eq!(reader.env_by_name("checkout", "dev").await.unwrap(), None);
    assert_eq!(reader.envs().await.unwrap(), [env]);
    assert_eq!(reader.app_by_name("checkout").await.unwrap(), Some(AppId::mint(1)));
    assert_eq!(reader.release(&release.id).await.unwrap(), Some(release.clone()));
    assert_eq!(reader.releases(&EnvId::mint(1)).await.unwrap(), [release]);
    assert_eq!(reader.receipt(&receipt.id).await.unwrap(), Some((*receipt).clone()));
    assert_eq!(reader.receipt_open(&EnvId::mint(1)).await.unwrap(), Some((*receipt).clone()));
    let used = reader.receipt_by_key("mira", "key-1").await.unwrap().unwrap();
    assert_eq!((used.request_hash.as_str(), &used.receipt), ("r", &*receipt));
    assert_eq!(reader.wait(&WaitId::mint(1)).await.unwrap(), command(1, 0).wait);
    assert_eq!(reader.audit(&model::audit::AuditFilter::default(), None, 9).await.unwrap().len(), 1);
    let kinds: Vec<_> = reader.journal(before, 99).await.unwrap().iter().map(|row| row.kind).collect();
    use JournalKind as K;
    assert_eq!(kinds, [K::Release, K::Env, K::Receipt, K::Wait, K::Event, K::Audit]);
    let rows = reader.journal(before, 99).await.unwrap();
    assert!(rows.iter().all(|row| row.env == Some(EnvId::mint(1))), "{rows:?}");
    assert_eq!(rows[2].subject.as_deref(), Some(receipt.id.as_str()));
}

async fn a_repeated_command_gets_the_same_receipt_and_another_one_under_its_key_is_refused(place: Place) {
    let store = place.ready().await;
    let first = accepted(&store, command(1, 0)).await;
    let head = store.head();
    let again = store.env_submit(EnvWrite {
        receipt: Receipt { id: ReceiptId::mint(9), ..first.clone() },
        ..command(1, 0)
    });
    assert_eq!(again.await.unwrap(), Submitted::Repeated(Box::new(first)));
    let mut other = command(2, 1);
    other.idempotency =
        Some(IdempotencyKey { request_hash: "other".into(), ..command(1, 0).idempotency.unwrap() });
    assert_eq!(store.env_submit(other).await.unwrap(), Submitted::KeyReused);
    assert_eq!(store.head(), head);
}

async fn a_command_for_an_older_generation_is_stale(place: Place) {
    let store = place.ready().await;
    accepted(&store, command(1, 0)).await;
    let head = store.head();
    assert_eq!(store.env_submit(command(2, 0)).await.unwrap(), Submitted::Stale { current: 1 });
    assert_eq!(store.head(), head);
    // The key was not used up: the same request may be made again for the right generation.
    let second = accepted(&store, command(2, 1)).await;
    assert_eq!(second.generation, 2);
    let unknown = EnvWrite { declare: None, env_id: EnvId::mint(77), ..command(3, 0) };
    assert!(matches!(store.env_submit(unknown).await, Err(StoreError::NotFound { .. })));
    let renamed = EnvRef { app_id: AppId::mint(8), env_id: EnvId::mint(8), ..fixtures::env_ref() };
    let renamed = EnvWrite { env_id: EnvId::mint(8), declare: Some(renamed), ..command(3, 0) };
    assert!(matches!(store.env_submit(renamed).await, Err(StoreError::Conflict { .. })));
}

async fn of_two_commands_for_one_generation_one_is_accepted(place: Place) {
    let store = place.ready().await;
    accepted(&store, command(1, 0)).await;
    let rivals: Vec<_> = (2..8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.env_submit(command(n, 1)).await.unwrap() })
        })
        .collect();
    let mut n_accepted = 0;
    for rival in rivals {
        match rival.await.unwrap() {
            Submitted::Accepted { .. } => n_accepted += 1,
            other => assert_eq!(other, Submitted::Stale { current: 2 }),
        }
    }
    assert_eq!(n_accepted, 1);
    assert_eq!(store.read().await.unwrap().receipts_open(9).await.unwrap().len(), 1);
}

async fn a_newer_command_supersedes_receipts_and_waits(place: Place) {
    let store = place.ready().await;
    accepted(&store, command(1, 0)).await;
    store.wait_insert(&wait(50), audit("wait.create", None), None).await.unwrap();
    let now = place.pass(3);
    accepted(&store, command(2, 1)).await;
    let mut reader = store.read().await.unwrap();
    let old = reader.receipt(&ReceiptId::mint(1)).await.unwrap().unwrap();
    assert_eq!((old.phase, old.phase_at), (ReceiptPhase::Superseded { by: ReceiptId::mint(2) }, now));
    let old = reader.wait(&WaitId::mint(1)).await.unwrap().unwrap();
    assert_eq!(
        (old.phase, old.ended_at),
        (WaitPhase::Superseded { by: Some(ReceiptId::mint(2)) }, Some(now))
    );
    let ids = |waits: Vec<Wait>| waits.into_iter().map(|wait| wait.id).collect::<Vec<_>>();
    let open = [WaitId::mint(2), WaitId::mint(50)];
    assert_eq!(ids(reader.waits_page(true, None, 9).await.unwrap()), open);
    assert_eq!(ids(reader.waits_page(true, Some(&open[0]), 9).await.unwrap()), open[1..]);
    assert_eq!(ids(reader.waits_open_of(&EnvId::mint(1), 9).await.unwrap()), open);
    assert_eq!(reader.waits_open_of(&EnvId::mint(9), 9).await.unwrap(), []);
    let mut listed = reader.waits_open_ids().await.unwrap();
    listed.sort_unstable();
    assert_eq!(listed, open);
    let some = [open[1].clone(), WaitId::mint(99)];
    assert_eq!(ids(reader.waits_by_id(&some).await.unwrap()), open[1..]);
    let ids = |receipts: Vec<Receipt>| receipts.into_iter().map(|receipt| receipt.id).collect::<Vec<_>>();
    assert_eq!(ids(reader.receipts(None, 9).await.unwrap()), [ReceiptId::mint(2), ReceiptId::mint(1)]);
    assert_eq!(ids(reader.receipts_open(9).await.unwrap()), [ReceiptId::mint(2)]);
    assert_eq!(ids(reader.receipts(Some(&EnvId::mint(1)), 1).await.unwrap()), [ReceiptId::mint(2)]);
    let page = reader.receipts_page(None, None, 1).await.unwrap();
    assert_eq!(ids(page), [ReceiptId::mint(2)]);
    let env = EnvId::mint(1);
    let page = reader.receipts_page(Some(&env), Some(&ReceiptId::mint(2)), 9).await.unwrap();
    assert_eq!(ids(page), [ReceiptId::mint(1)]);
    for (env, after) in
        [(&env, ReceiptId::mint(1)), (&env, ReceiptId::mint(99)), (&EnvId::mint(9), ReceiptId::mint(2))]
    {
        assert_eq!(ids(reader.receipts_page(Some(env), Some(&after), 9).await.unwrap()), [], "{env} {after}");
    }
    let numbers: Vec<_> = reader.releases(&EnvId::mint(1)).await.unwrap().iter().map(|r| r.number).collect();
    assert_eq!(numbers, [2, 1]);
}

async fn a_receipt_only_moves_forward(place: Place) {
    let store = place.ready().await;
    let id = accepted(&store, command(1, 0)).await.id;
    let now = place.pass(2);
    let moved = async |next: ReceiptPhase| store.receipts_move(&[(id.clone(), next)]).await.unwrap();
    assert_eq!(moved(ReceiptPhase::Applying).await, 1);
    assert_eq!(moved(ReceiptPhase::Accepted).await, 0);
    assert_eq!(moved(ReceiptPhase::Failed { reason: "no\0".into() }).await, 1);
    assert_eq!(moved(ReceiptPhase::Converged).await, 0);
    let checked = Checked { by: "jo".into(), at: now };
    let receipt = store.receipt_check(&id, checked.clone(), audit("receipt.check", None)).await.unwrap();
    assert_eq!((receipt.checked.as_ref(), receipt.phase_at), (Some(&checked), now));
    assert_eq!(receipt.phase, ReceiptPhase::Failed { reason: "no\u{fffd}".into() });
    assert_eq!(store.read().await.unwrap().receipt(&id).await.unwrap(), Some(receipt));
}

/// The first command of an app-env of its own.
fn command_of_another(n: u64) -> EnvWrite {
    let command = command(n, 0);
    let target = EnvRef {
        app_id: AppId::mint(n),
        app: format!("app-{n}"),
        env_id: EnvId::mint(n),
        ..command.receipt.target.clone()
    };
    EnvWrite {
        declare: Some(target.clone()),
        env_id: target.env_id.clone(),
        receipt: Receipt { target, ..command.receipt },
        ..command
    }
}

async fn open_receipts_of_all_envs_are_listed_and_moved_at_once(place: Place) {
    let store = place.ready().await;
    for n in [1, 2, 3] {
        accepted(&store, command_of_another(n)).await;
    }
    let open = async |limit| {
        let mut reader = store.read().await.unwrap();
        let page: Vec<_> = reader.receipts_open(limit).await.unwrap().into_iter().map(|one| one.id).collect();
        let mut all = reader.receipts_open_ids().await.unwrap();
        all.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(all[..page.len()], page);
        page
    };
    assert_eq!(open(2).await, [ReceiptId::mint(3), ReceiptId::mint(2)]);
    assert_eq!(open(9).await.len(), 3);
    let before = store.head();
    let moves = [(1, ReceiptPhase::Converged), (99, ReceiptPhase::Converged), (3, ReceiptPhase::Applying)]
        .map(|(n, phase)| (ReceiptId::mint(n), phase));
    assert_eq!(store.receipts_move(&moves).await.unwrap(), 2);
    assert_eq!(store.head().0, before.0 + 2, "the journal tells of each, and of no other");
    assert_eq!(open(9).await, [ReceiptId::mint(3), ReceiptId::mint(2)]);
    assert_eq!(store.receipts_move(&[]).await.unwrap(), 0);
}

async fn a_release_converges_and_stops_to_hold(place: Place) {
    let store = place.ready().await;
    accepted(&store, command(1, 0)).await;
    let id = ReleaseId::mint(1);
    let marks = async || {
        let release = store.read().await.unwrap().release(&id).await.unwrap().unwrap();
        (release.converged_at, release.held_until)
    };
    let put = async |mark| !store.releases_mark(&[(id.clone(), mark)]).await.unwrap().is_empty();
    assert!(!put(ReleaseMark::HeldUntil(NOON)).await);
    assert!(put(ReleaseMark::Converged(NOON)).await);
    assert!(!put(ReleaseMark::Converged(NOON + Span::seconds(1))).await);
    assert_eq!(marks().await, (Some(NOON), None));
    let end = NOON + Span::seconds(5);
    assert!(put(ReleaseMark::HeldUntil(end)).await);
    assert!(!put(ReleaseMark::HeldUntil(end + Span::seconds(1))).await);
    assert_eq!(marks().await, (Some(NOON), Some(end)));
    let (before, again) = (store.head(), end + Span::seconds(2));
    let both =
        [(ReleaseId::mint(9), ReleaseMark::Converged(again)), (id.clone(), ReleaseMark::Converged(again))];
    let news = store.releases_mark(&both).await.unwrap();
    assert_eq!(news, std::slice::from_ref(&id), "one that nobody knows is passed over");
    assert_eq!(marks().await, (Some(again), None));
    assert_eq!(store.head().0, before.0 + 1, "the journal tells of each that is news, and of no other");
    assert_eq!(store.releases_mark(&[]).await.unwrap(), []);
}

async fn a_wait_is_stored_changed_and_closed(place: Place) {
    let store = place.ready().await;
    accepted(&store, command(1, 0)).await;
    let key = IdempotencyKey { actor: "mira".into(), key: "w".into(), request_hash: "1".into() };
    let wait = wait(7);
    let insert =
        async |wait: &Wait, key| store.wait_insert(wait, audit("wait.create", None), key).await.unwrap();
    assert_eq!(insert(&wait, Some(key.clone())).await, WaitInserted::Created);
    let again = Wait { id: WaitId::mint(8), ..wait.clone() };
    assert_eq!(insert(&again, Some(key.clone())).await, WaitInserted::Repeated(Box::new(wait.clone())));
    let reused = IdempotencyKey { request_hash: "2".into(), ..key };
    assert_eq!(insert(&again, Some(reused)).await, WaitInserted::KeyReused);
    let head = store.head();
    let update = async |read: &Wait, wait: &Wait, entry| store.wait_update(read, wait, entry).await.unwrap();
    assert!(!update(&wait, &wait, None).await);
    assert_eq!(store.head(), head);
    let mut met = wait.clone();
    met.items[0].met = true;
    met.blind_since = Some(NOON);
    assert!(update(&wait, &met, None).await);
    assert_eq!(store.head(), Seq(head.0 + 1));
    let longer = Wait { deadline: met.deadline + Span::seconds(60), ..met.clone() };
    assert!(update(&met, &longer, Some(audit("wait.extend", None))).await);
    let late = Wait { phase: WaitPhase::TimedOut, ended_at: Some(NOON), ..met.clone() };
    assert!(!update(&met, &late, Some(audit("too late", None))).await, "it was extended meanwhile");
    let failed = WaitPhase::Failed { reason: "gone".into() };
    let wait = Wait { phase: failed, ended_at: Some(NOON), ..longer.clone() };
    assert!(update(&longer, &wait, None).await);
    let reopened = Wait { phase: WaitPhase::Waiting, ..wait.clone() };
    assert!(!update(&wait, &reopened, None).await);
    let mut reader = store.read().await.unwrap();
    let audit = reader.audit(&AuditFilter::default(), None, 9).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|line| line.entry.action.as_str()).collect();
    assert_eq!(actions, ["wait.extend", "wait.create", "deploy"]);
    assert_eq!(reader.wait(&wait.id).await.unwrap(), Some(wait));
    let all = reader.waits_page(false, None, 9).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(reader.waits_page(false, Some(&all[0].id), 9).await.unwrap(), all[1..]);
    assert_eq!(reader.waits_page(false, Some(&all[1].id), 9).await.unwrap(), []);
    assert_eq!(reader.waits_page(true, None, 9).await.unwrap(), all[1..]);
    assert!(matches!(store.wait_update(&again, &again, None).await, Err(StoreError::NotFound { .. })));
}

async fn a_forgotten_env_frees_its_name(place: Place) {
    let store = place.ready().await;
    accepted(&store, command(1, 0)).await;
    assert!(matches!(store.env_forget(&EnvId::mint(1)).await, Err(StoreError::Conflict { .. })));
    store.ingest(vec![batch(NOON, vec![object(seen("ins_1", vec![]))])]).await.unwrap();
    let mut delete = command(2, 1);
    delete.intent.run = RunState::Deleted;
    accepted(&store, delete).await;
    assert!(store.env_forget(&EnvId::mint(1)).await.unwrap());
    assert!(!store.env_forget(&EnvId::mint(1)).await.unwrap());
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.envs().await.unwrap(), []);
    assert_eq!(reader.env(&EnvId::mint(1)).await.unwrap(), None);
    assert_eq!(reader.objects(&ObjectFilter::default()).await.unwrap(), []);
    // Receipts still say what they were about.
    assert_eq!(reader.receipt(&ReceiptId::mint(1)).await.unwrap().unwrap().target, fixtures::env_ref());
    let target = EnvRef { env_id: EnvId::mint(2), ..fixtures::env_ref() };
    let mut anew = command(3, 0);
    anew.env_id = target.env_id.clone();
    anew.wait = None;
    anew.declare = Some(target);
    assert_eq!(accepted(&store, anew).await.generation, 1);
}

async fn envs_have_moved_whose_desired_state_was_changed_since_or_forgotten(place: Place) {
    let store = place.ready().await;
    let moved = async |after: Seq| store.read().await.unwrap().envs_moved(after).await.unwrap();
    accepted(&store, command(1, 0)).await;
    let declared = store.head();
    assert_eq!(moved(Seq(0)).await, [EnvId::mint(1)]);
    // What is observed moves nothing.
    store.ingest(vec![batch(NOON, vec![object(seen("ins_1", vec![]))])]).await.unwrap();
    assert_eq!(moved(declared).await, []);
    let mut delete = command(2, 1);
    delete.intent.run = RunState::Deleted;
    accepted(&store, delete).await;
    assert_eq!(moved(declared).await, [EnvId::mint(1)]);
    let deleted = store.head();
    store.env_forget(&EnvId::mint(1)).await.unwrap();
    assert_eq!(moved(deleted).await, [EnvId::mint(1)]);
}

async fn a_command_without_its_source_leaves_nothing(place: Place) {
    let store = place.open().await;
    assert!(matches!(store.env_submit(command(1, 0)).await, Err(StoreError::NotFound { .. })));
    let mut reader = store.read().await.unwrap();
    assert_eq!((reader.as_of(), store.head()), (Seq(0), Seq(0)));
    assert_eq!(reader.envs().await.unwrap(), []);
    assert_eq!(reader.app_by_name("checkout").await.unwrap(), None);
    assert_eq!(reader.receipt_by_key("mira", "key-1").await.unwrap(), None);
}
