//! The server under test.

use std::{fmt, net::SocketAddr, path::PathBuf};

use model::{Batch, NewEvent, Observation, Outcome, Role, Seq, TokenId, Ts};
use server::{config::Serve, secret, state::AppState, wiring};
use store::{Store, Token};
use tempfile::TempDir;

use crate::{Client, postgres::Database};

/// A real server with a data folder, a store and tokens of its own. It ends with this value.
pub struct TestApp {
    /// The running server; `None` only while it is being stopped.
    server: Option<wiring::Server>,
    /// Where it listens.
    pub address: SocketAddr,
    /// How it was started.
    pub serve: Serve,
    vt: PathBuf,
    folder: TempDir,
    operator: String,
    viewer: String,
    // Dropped last: the server's connections end with it.
    database: Option<Database>,
}

/// What is wrong with a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Healthy,
    /// It exits with code 1 before it listens.
    CrashAtStart,
    /// It answers 503 for ever.
    NeverReady,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Healthy => "healthy",
            Self::CrashAtStart => "crash-at-start",
            Self::NeverReady => "never-ready",
        })
    }
}

impl TestApp {
    /// Starts a server over a fresh SQLite file; `vt` is the binary that workloads run under.
    pub async fn start(vt: &str) -> Self {
        Self::start_with(vt, |_| {}).await
    }

    /// The same with other settings.
    pub async fn start_with(vt: &str, change: impl FnOnce(&mut Serve)) -> Self {
        Self::begin(vt, None, change).await
    }

    /// Starts a server over a fresh PostgreSQL database; `None` where no PostgreSQL is given.
    pub async fn start_on_postgres(vt: &str) -> Option<Self> {
        let database = Database::fresh()?;
        Some(Self::begin(vt, Some(database), |_| {}).await)
    }

    async fn begin(vt: &str, database: Option<Database>, change: impl FnOnce(&mut Serve)) -> Self {
        let folder =
            tempfile::Builder::new().prefix("vantage-test-").tempdir().expect("a folder can be made");
        let mut serve = Serve {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            database: database.as_ref().map(|database| store::StoreUrl::parse(&database.url())),
            ..Serve::default()
        };
        change(&mut serve);
        let server = wiring::start(&serve, folder.path(), vt.as_ref()).await.unwrap_or_else(|error| {
            panic!("the server did not start: {error:#}");
        });
        let address = server.address;
        let mut app = Self {
            server: Some(server),
            address,
            serve,
            vt: vt.into(),
            folder,
            operator: String::new(),
            viewer: String::new(),
            database,
        };
        app.operator = app.token("operator", Role::Operator, None).await.1;
        app.viewer = app.token("viewer", Role::Viewer, None).await.1;
        app
    }

    fn server(&self) -> &wiring::Server {
        self.server.as_ref().expect("a stopped server is not asked")
    }

    /// What handlers can reach.
    #[must_use]
    pub fn state(&self) -> &AppState {
        self.server().state()
    }

    /// The store behind it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.state().store
    }

    /// Its data folder.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The one-time link that it printed.
    #[must_use]
    pub fn sign_in_link(&self) -> &str {
        &self.server().sign_in_link
    }

    /// The secret of its administrator's token.
    #[must_use]
    pub fn admin_token(&self) -> &str {
        &self.server().admin_token
    }

    /// Nobody.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(format!("http://{}", self.address))
    }

    /// Somebody who may do everything.
    #[must_use]
    pub fn admin(&self) -> Client {
        self.anonymous().with_token(self.admin_token())
    }

    /// Somebody who may change desired state.
    #[must_use]
    pub fn operator(&self) -> Client {
        self.anonymous().with_token(&self.operator)
    }

    /// Somebody who may read.
    #[must_use]
    pub fn viewer(&self) -> Client {
        self.anonymous().with_token(&self.viewer)
    }

    /// Makes a token and answers its id and secret. One that has ended already cannot be made over the API.
    ///
    /// # Panics
    /// When the name is taken.
    pub async fn token(&self, name: &str, role: Role, expires_at: Option<Ts>) -> (TokenId, String) {
        let secret = secret::mint();
        let token = Token {
            id: TokenId::mint(self.state().random()),
            name: name.to_owned(),
            role,
            source: None,
            created_at: self.state().now(),
            expires_at,
            revoked_at: None,
        };
        let stored = self.store().token_insert(&token, secret::hash(&secret)).await;
        stored.unwrap_or_else(|error| panic!("token {name}: {error}"));
        (token.id, secret)
    }

    /// Records events with these messages, as the embedded platform would; answers where the last one is in the journal.
    ///
    /// # Panics
    /// When the store does not take them.
    pub async fn record(&self, messages: &[&str]) -> Seq {
        let source =
            self.store().read().await.expect("the store answers").sources().await.expect("it has sources");
        let source = source.first().expect("the embedded platform is registered").id.clone();
        let event = |message: &&str| {
            Observation::Event(Box::new(NewEvent {
                at: self.state().now(),
                source: source.clone(),
                controller: "instance".to_owned(),
                object: "instance:ins_test".parse().expect("an object's key"),
                app: Some("web".to_owned()),
                env: Some("prod".to_owned()),
                action: "StartInstance".to_owned(),
                outcome: Outcome::Failed,
                reason: "Tested".to_owned(),
                message: (*message).to_owned(),
                attempt: None,
                trace_id: None,
                dedupe: None,
            }))
        };
        let observations = messages.iter().map(event).collect();
        let batch = Batch { source: source.clone(), at: self.state().now(), observations };
        let before = self.store().head();
        self.store().ingest(vec![batch]).await.expect("the store takes events");
        let mut reader = self.store().read().await.expect("the store answers");
        let head = reader.as_of();
        let recorded = reader.events_between(before, head, 10_000).await.expect("the store answers");
        recorded.iter().rfind(|event| event.reason == "Tested").expect("events are recorded at once").seq
    }

    /// An app file of one process `web`, quick to fail and quick to be found ready.
    #[must_use]
    pub fn manifest(&self, title: &str, instances: u32, fault: Fault) -> String {
        let (app, env) = title.split_once('/').expect("titles are app/env");
        let vt = serde_json::Value::from(self.vt.to_string_lossy());
        format!(
            "app: {app}
env: {env}
processes:
  web:
    command: [{vt}, demo-app, --fault, {fault}, --port, \"$PORT\"]
    instances: {instances}
    port: 8080
    health: {{ http: /healthz, interval: 200ms, timeout: 1s, failures: 3 }}
    restart: {{ from: 50ms, to: 500ms }}
    stop_grace: 1s
rollout: {{ max_unavailable: 2 }}
"
        )
    }

    /// Stops the server in order and starts it again over the same data.
    ///
    /// # Panics
    /// When it does not start again.
    pub async fn restart(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        let server = wiring::start(&self.serve, self.folder.path(), &self.vt).await;
        let server = server.unwrap_or_else(|error| panic!("the server did not start again: {error:#}"));
        self.address = server.address;
        self.server = Some(server);
    }

    /// Ends everything in order: no workload of the test is left.
    pub async fn stop(mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // A test that ends without `stop` ends its server too; workloads end with their parents' pipes.
        if let Some(server) = &self.server {
            server.state().shutdown.cancel();
        }
        drop(self.database.take());
    }
}
