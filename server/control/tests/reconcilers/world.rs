//! One app on a platform in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use control::{
    Activator, Commands, Random, Reconciler as _,
    clock::Manual,
    commands::{Apply, Submit, Submitted},
    reconcilers::{Receipts, Rollout, Verdicts, Waits},
};
use model::{
    Actor, AppSpec, Batch, EnvId, ObjectKey, ObjectKind, Observation, Receipt, ReceiptId, Role, Seq, Span,
    TraceId, Verb, Verdict, Wait,
    fixtures::{self, NOON},
    observation::SourceInfo,
    plan::Ask,
};
use rules::Limits;
use sources::fake::FakePlatform;
use store::{JournalKind, Options, Store, StoreUrl};

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Manual,
    pub(crate) fake: Arc<FakePlatform>,
    pub(crate) rollout: Rollout,
    pub(crate) verdicts: Verdicts,
    pub(crate) receipts: Receipts,
    pub(crate) waits: Waits,
    commands: Commands,
    random: Random,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Manual::at(NOON);
        let url = StoreUrl::Sqlite(folder.path().join("store.db"));
        let store = Store::open(&url, Options::new(clock.clock())).await.unwrap();
        let source = fixtures::source();
        let info = SourceInfo {
            id: source.clone(),
            name: "fake".into(),
            kind: "fake".into(),
            interval: Span::seconds(5),
        };
        store.source_register(&info).await.unwrap();
        let fake = FakePlatform::new(source.clone(), NOON);
        let next = Arc::new(AtomicU64::new(1000));
        let random: Random = Arc::new(move || next.fetch_add(1, Ordering::SeqCst));
        let world = Self {
            rollout: Rollout::new(store.clone(), fake.clone(), source.clone(), clock.clock(), random.clone()),
            verdicts: Verdicts::new(store.clone(), clock.clock(), Limits::default()),
            receipts: Receipts::new(store.clone(), clock.clock()),
            waits: Waits::new(store.clone(), clock.clock()),
            commands: Commands::new(store.clone(), clock.clock(), random.clone(), Activator::new(), source),
            random,
            store,
            clock,
            fake,
            folder,
        };
        world.alive().await;
        world
    }

    /// The platform speaks, so that nothing is stale.
    pub(crate) async fn alive(&self) {
        let now = (self.clock.clock())();
        let batch = Batch { source: fixtures::source(), at: now, observations: vec![Observation::Alive] };
        self.store.ingest(vec![batch]).await.unwrap();
    }

    pub(crate) async fn apply(&self, instances: u32) -> ReceiptId {
        self.apply_spec(fixtures::spec(instances)).await
    }

    /// The same app with another command: its next release.
    pub(crate) async fn apply_other(&self, instances: u32) -> ReceiptId {
        self.apply_command("bin/other", instances).await
    }

    /// Another app of the same platform.
    pub(crate) async fn apply_app(&self, name: &str, instances: u32) -> ReceiptId {
        self.apply_spec(AppSpec { app: name.to_owned(), ..fixtures::spec(instances) }).await
    }

    /// The same app, which runs this.
    pub(crate) async fn apply_command(&self, command: &str, instances: u32) -> ReceiptId {
        let mut spec = fixtures::spec(instances);
        for process in spec.processes.values_mut() {
            process.command = vec![command.to_owned()];
        }
        self.apply_spec(spec).await
    }

    /// Damages what is recorded of the releases of an app.
    pub(crate) fn damage_releases_of(&self, app: &str) {
        let sql = format!(
            "UPDATE releases SET spec = '{{' WHERE env IN \
             (SELECT e.id FROM envs e JOIN apps a ON a.id = e.app WHERE a.name = '{app}')"
        );
        let database = self.folder.path().join("store.db");
        let done = std::process::Command::new("sqlite3").arg(database).arg(sql).status().unwrap();
        assert!(done.success());
    }

    /// How many releases the journal has a new state of.
    pub(crate) async fn releases_touched_since(&self, since: Seq) -> usize {
        let rows = self.store.read().await.unwrap().journal(since, 1000).await.unwrap();
        let states = rows.into_iter().filter(|row| row.kind == JournalKind::Object);
        let keys: BTreeSet<ObjectKey> = states.filter_map(|row| row.object).collect();
        keys.iter().filter(|key| key.kind().as_str() == ObjectKind::RELEASE).count()
    }

    async fn apply_spec(&self, spec: AppSpec) -> ReceiptId {
        let apply = Apply {
            actor: operator(),
            spec,
            files: BTreeMap::new(),
            dry_run: false,
            reason: "a test".into(),
            wait: Some(Span::minutes(10)),
            key: format!("key-{}", (self.random)()),
            trace_id: TraceId::mint(1),
        };
        let applied = Box::pin(self.commands.apply(apply)).await.unwrap().unwrap();
        accepted(applied.submitted.unwrap())
    }

    async fn env_id(&self) -> EnvId {
        let envs = self.store.read().await.unwrap().envs().await.unwrap();
        envs.into_iter().next().unwrap().target.env_id
    }

    /// Plans and confirms one command.
    pub(crate) async fn act(&self, verb: Verb, ask: Ask) -> ReceiptId {
        let env = self.env_id().await;
        let plan = self.commands.plan(&operator(), &env, verb, &ask).await.unwrap().unwrap().unwrap();
        let submit = Submit {
            actor: operator(),
            env,
            verb,
            ask,
            generation: plan.expected_generation,
            plan_hash: plan.hash,
            reason: "a test".into(),
            wait: Some(Span::minutes(10)),
            key: format!("key-{}", (self.random)()),
            trace_id: TraceId::mint(1),
        };
        accepted(Box::pin(self.commands.submit(submit)).await.unwrap())
    }

    /// Judges, then follows receipts and waits.
    pub(crate) async fn judge(&self) {
        self.verdicts.pass().await;
        self.receipts.pass().await;
        self.waits.pass().await;
    }

    /// Lets everything that is ordered become ready, until there is nothing more to order.
    pub(crate) async fn settle(&self) {
        for _ in 0..20 {
            let status = self.rollout.pass().await;
            self.fake.make_all_ready();
            if status.started + status.stopped == 0 {
                break;
            }
        }
        self.rollout.pass().await;
        self.judge().await;
    }

    pub(crate) async fn receipt(&self, id: &ReceiptId) -> Receipt {
        self.store.read().await.unwrap().receipt(id).await.unwrap().unwrap()
    }

    pub(crate) async fn wait_of(&self, id: &ReceiptId) -> Wait {
        let wait = self.receipt(id).await.wait.unwrap();
        self.store.read().await.unwrap().wait(&wait).await.unwrap().unwrap()
    }

    pub(crate) async fn verdict(&self) -> Verdict {
        self.judgement().await.verdict
    }

    pub(crate) async fn sentence(&self) -> String {
        self.judgement().await.sentence
    }

    async fn judgement(&self) -> model::Judgement {
        let key = model::ObjectKey::env(&self.env_id().await);
        self.store.read().await.unwrap().judgement(&key).await.unwrap().unwrap()
    }
}

fn operator() -> Actor {
    Actor { name: "ci".into(), role: Role::Operator }
}

fn accepted(submitted: Submitted) -> ReceiptId {
    match submitted {
        Submitted::Accepted(receipt) => receipt.id,
        other => panic!("not accepted: {other:?}"),
    }
}
