//! Where tests put their stores: a temporary file, and a schema of the PostgreSQL that `VT_TEST_POSTGRES` names.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU32, Ordering},
};

use model::{
    Actor, Batch, Condition, EnvId, NewEvent, Object, Observation, ObservedObject, Outcome, Role, SourceId,
    Span, TraceId, Ts, fixtures, observation::SourceInfo,
};
use store::{AuditEntry, Options, Store, StoreUrl};

/// A place for one store, with a clock that the test moves.
pub struct Place {
    pub url: StoreUrl,
    clock: Arc<AtomicI64>,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("vantage.db"));
        Self { url, clock: Arc::new(AtomicI64::new(fixtures::NOON.0)), _folder: Some(folder) }
    }

    /// `None`, and a sentence, where no PostgreSQL is given.
    pub async fn postgres() -> Option<Self> {
        let Ok(base) = std::env::var("VT_TEST_POSTGRES") else {
            println!("skipped on PostgreSQL: VT_TEST_POSTGRES is not set");
            return None;
        };
        static N: AtomicU32 = AtomicU32::new(0);
        let mut random = [0_u8; 6];
        getrandom::fill(&mut random).unwrap();
        let n = N.fetch_add(1, Ordering::Relaxed);
        let schema: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let schema = format!("vt_{n}_{schema}");
        let mut conn = <sqlx::PgConnection as sqlx::Connection>::connect(&base).await.unwrap();
        sqlx::query("SELECT set_config('vt.schema', $1, false)")
            .bind(&schema)
            .execute(&mut conn)
            .await
            .unwrap();
        sqlx::raw_sql("DO $$ BEGIN EXECUTE format('CREATE SCHEMA %I', current_setting('vt.schema')); END $$")
            .execute(&mut conn)
            .await
            .unwrap();
        let glue = if base.contains('?') { '&' } else { '?' };
        let url = StoreUrl::Postgres(format!("{base}{glue}options[search_path]={schema}"));
        Some(Self { url, clock: Arc::new(AtomicI64::new(fixtures::NOON.0)), _folder: None })
    }

    pub fn options(&self) -> Options {
        let clock = Arc::clone(&self.clock);
        Options::new(Arc::new(move || Ts(clock.load(Ordering::Relaxed))))
    }

    pub async fn open(&self) -> Store {
        Store::open(&self.url, self.options()).await.unwrap()
    }

    /// A store with the source of the fixtures, which speaks every five seconds.
    pub async fn ready(&self) -> Store {
        let store = self.open().await;
        store.source_register(&source_info()).await.unwrap();
        store
    }

    pub fn now(&self) -> Ts {
        Ts(self.clock.load(Ordering::Relaxed))
    }

    pub fn set(&self, now: Ts) {
        self.clock.store(now.0, Ordering::Relaxed);
    }

    /// Moves the clock by so many seconds; answers what it shows then.
    pub fn pass(&self, seconds: i64) -> Ts {
        self.set(self.now() + Span::seconds(seconds));
        self.now()
    }
}

/// Runs each rule on both engines, under its own name.
#[macro_export]
macro_rules! on_both_engines {
    ($($rule:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() { super::$rule($crate::place::Place::sqlite()).await; })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                if let Some(place) = $crate::place::Place::postgres().await { super::$rule(place).await; }
            })*
        }
    };
}

pub fn source_info() -> SourceInfo {
    SourceInfo {
        id: fixtures::source(),
        name: "this machine".into(),
        kind: "local".into(),
        interval: Span::seconds(5),
    }
}

pub fn batch(at: Ts, observations: Vec<Observation>) -> Batch {
    batch_of(fixtures::source(), at, observations)
}

pub fn batch_of(source: SourceId, at: Ts, observations: Vec<Observation>) -> Batch {
    Batch { source, at, observations }
}

/// An instance of `checkout/prod` with these conditions.
pub fn seen(id: &str, conditions: Vec<Condition>) -> ObservedObject {
    let Object { key, name, app, env, generation, observed_generation, desired, current, refs, .. } =
        fixtures::object("instance", id);
    ObservedObject {
        key,
        name,
        app,
        env,
        generation,
        observed_generation,
        desired,
        current,
        refs,
        conditions,
    }
}

pub fn object(seen: ObservedObject) -> Observation {
    Observation::Object(Box::new(seen))
}

pub fn new_event(at: Ts, id: &str) -> NewEvent {
    NewEvent {
        at,
        source: fixtures::source(),
        controller: "instance".into(),
        object: fixtures::object("instance", id).key,
        app: Some("checkout".into()),
        env: Some("prod".into()),
        action: "StartInstance".into(),
        outcome: Outcome::Done,
        reason: String::new(),
        message: String::new(),
        attempt: None,
        trace_id: None,
        dedupe: None,
    }
}

pub fn event(new: NewEvent) -> Observation {
    Observation::Event(Box::new(new))
}

pub fn audit(action: &str, env: Option<EnvId>) -> AuditEntry {
    AuditEntry {
        at: fixtures::NOON,
        actor: Actor { name: "mira".into(), role: Role::Operator },
        action: action.into(),
        target: "checkout/prod".into(),
        env,
        reason: "because".into(),
        outcome: "accepted".into(),
        receipt: None,
        trace_id: TraceId::mint(1),
    }
}
