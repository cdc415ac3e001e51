//! The composition root: the only place that knows every part.
//!
//! Order matters here and nowhere else: the platform's first report is recorded before anything is judged, so
//! that a start does not look like an outage; workloads end before the store closes.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use app::pages::Frames;
use axum::serve::ListenerExt as _;
use control::{
    Activator, Clock, Commands, Driver, Random,
    fanout::Fanout,
    ingest,
    reconcilers::{Receipts, Retention, Rollout, Verdicts, Waits, retention::Keep},
};
use local::{Config as LocalConfig, Platform};
use model::{Role, SourceId, Span, TokenId};
use rules::Limits;
use sources::{Actuator, Sink, Source};
use store::{Options, Store, Token};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Serve,
    demo,
    http::{
        self, Reports,
        assets::Site,
        guard::Places,
        live::{self, Sockets},
        session,
    },
    metrics::Metrics,
    secret,
    shared::Shared,
    state::{AppState, Parts},
    upkeep::Upkeep,
};

/// How often the embedded platform promises to speak.
const INTERVAL: Span = Span::seconds(5);
/// How long open requests may take when the server ends.
const DRAIN: Duration = Duration::from_secs(3);
/// Bytes that the kernel takes for a connection before they can be sent. It would take megabytes for one that does
/// not read; ours are kept once for everybody instead.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 * 1024;

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The one-time link that signs an administrator in.
    pub sign_in_link: String,
    /// The secret of the administrator's token.
    pub admin_token: String,
    state: AppState,
    driver: Driver,
    http: JoinHandle<std::io::Result<()>>,
    source: JoinHandle<()>,
    ingest: JoinHandle<()>,
    /// Ends sources and ingest; later than everything else.
    last: CancellationToken,
}

/// Random bits of the operating system.
fn random() -> Random {
    Arc::new(|| getrandom::u64().expect("the operating system gives randomness"))
}

/// Starts everything and returns when the server can be used.
///
/// # Errors
/// What could not be opened, with its cause.
pub async fn start(serve: &Serve, data: &Path, vt: &Path) -> anyhow::Result<Server> {
    let clock = control::clock::real();
    let random = random();
    make_private(data).with_context(|| format!("cannot make the data folder {}", data.display()))?;
    let url = serve.store(data);
    let store =
        Store::open(&url, Options::new(clock.clone())).await.with_context(|| format!("cannot open {url}"))?;
    let listener = TcpListener::bind(serve.listen)
        .await
        .with_context(|| format!("cannot listen on {}", serve.listen))?;
    let address = listener.local_addr().context("cannot tell the listen address")?;

    let (shutdown, last) = (CancellationToken::new(), CancellationToken::new());
    let source_id = source_of(&store).await?;
    let platform = Platform::new(LocalConfig {
        data_dir: data.to_owned(),
        vt_binary: vt.to_owned(),
        shim_args: vec!["shim".into()],
        clock: clock.clone(),
        interval: INTERVAL,
        source: source_id.clone(),
    })
    .context("cannot prepare the embedded platform")?;
    store.source_register(&platform.info()).await.context("cannot register the embedded platform")?;
    let (queue, batches) = mpsc::channel(ingest::QUEUE);
    let ingest = tokio::spawn(ingest::run(store.clone(), batches, last.clone()));
    let mut heard = store.watch();
    let sink = Sink::new(source_id.clone(), queue);
    let reporting = platform.clone();
    let until = last.clone();
    let source = tokio::spawn(async move { reporting.run(sink, until).await });
    first_report(&store, &source_id, &clock, &mut heard).await;

    let rung = Activator::new();
    let commands =
        Commands::new(store.clone(), clock.clone(), random.clone(), rung.clone(), source_id.clone());
    let limits = Limits { stuck_after: serve.stuck_after, ..Limits::default() };
    let driver =
        reconcilers(&store, &platform, &source_id, &clock, &random, limits, serve.keep(), rung, &shutdown);
    let fanout = Fanout::new(store.clone(), clock.clone(), limits);
    tokio::spawn(fanout.clone().run(shutdown.clone()));

    let admin_token = admin_token(&store, data, &clock, &random).await?;
    let link = secret::mint();
    store
        .link_insert(secret::hash(&link), session::link_end(clock()))
        .await
        .context("cannot make the sign-in link")?;
    let places = Places::of(address, serve);
    let origin = places.public_origin.clone().unwrap_or_else(|| format!("http://{}", shown(address)));
    let state = AppState::new(Parts {
        artefacts: platform.artefacts(),
        tasks: driver.statuses(),
        data: data.to_owned(),
        serve: serve.clone(),
        site: Arc::new(Site::open()),
        anonymous: serve.anonymous.is_some(),
        shared: Shared::default(),
        frames: Frames::default(),
        rollups: Shared::default(),
        sockets: Sockets::new(shutdown.clone()),
        metrics: Metrics::default(),
        reports: Reports::default(),
        shutdown: shutdown.clone(),
        upkeep: Upkeep::new(url),
        store,
        commands,
        fanout,
        platform,
        places,
        limits,
        clock,
        random,
    });
    let app = http::router(state.clone());
    tokio::spawn(live::recheck(state.clone()));
    // Small frames do not wait for each other's acknowledgement.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        #[cfg(target_os = "linux")]
        if let Err(error) = socket2::SockRef::from(&*stream).set_tcp_notsent_lowat(UNSENT) {
            tracing::debug!(%error, "a connection keeps the kernel's bound for what is not sent");
        }
    });
    let ends = shutdown.clone();
    let http = tokio::spawn(async move {
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, app).with_graceful_shutdown(async move { ends.cancelled().await }).await
    });
    if serve.demo {
        tokio::spawn(demo::populate(state.clone(), vt.to_owned()));
    }
    let sign_in_link = format!("{origin}/sign-in?link={link}");
    Ok(Server { address, sign_in_link, admin_token, state, driver, http, source, ingest, last })
}

impl Server {
    /// What handlers can reach, for tests.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Waits until somebody asks for a backup to take the store's place.
    pub async fn restore_asked(&self) -> store::Incoming {
        self.state.upkeep.restore_asked().await
    }

    /// Ends everything in order: no new orders, open requests, workloads, their last words, the store.
    pub async fn stop(self) {
        self.state.shutdown.cancel();
        if tokio::time::timeout(DRAIN, self.http).await.is_err() {
            tracing::warn!("requests were still open after {} s", DRAIN.as_secs());
        }
        self.driver.join().await;
        self.state.platform.shutdown().await;
        self.last.cancel();
        let _ = self.source.await;
        let _ = self.ingest.await;
        self.state.store.close().await;
    }
}

#[expect(clippy::too_many_arguments, reason = "this is the one place where the parts meet")]
fn reconcilers(
    store: &Store,
    platform: &Arc<Platform>,
    source: &SourceId,
    clock: &Clock,
    random: &Random,
    limits: Limits,
    keep: Keep,
    rung: Activator,
    shutdown: &CancellationToken,
) -> Driver {
    let mut driver = Driver::new(clock.clone(), store.watch(), shutdown.clone());
    let actuator: Arc<dyn Actuator> = platform.clone();
    let rollout = Rollout::new(store.clone(), actuator, source.clone(), clock.clone(), random.clone());
    let second = Span::seconds(1);
    driver.start(rollout, second, rung);
    driver.start(Verdicts::new(store.clone(), clock.clone(), limits), second, Activator::new());
    driver.start(Receipts::new(store.clone(), clock.clone()), second, Activator::new());
    driver.start(Waits::new(store.clone(), clock.clone()), second, Activator::new());
    let retention = Retention::new(store.clone(), clock.clone(), keep);
    driver.start(retention, Span::minutes(1), Activator::new());
    driver
}

/// The embedded platform of one store has one id, for ever: in a restored store, that of the store it came from.
async fn source_of(store: &Store) -> anyhow::Result<SourceId> {
    let mut reader = store.read().await.context("cannot read the store")?;
    if let Some(ours) = reader.source_of_kind(Platform::KIND).await.context("cannot read the sources")? {
        return Ok(ours);
    }
    let hash = secret::hash(store.store_id());
    Ok(SourceId::mint(u64::from_le_bytes([
        hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7],
    ])))
}

/// Waits until the platform's first report is recorded, or a moment: verdicts must not see an old silence.
async fn first_report(
    store: &Store,
    source: &SourceId,
    clock: &Clock,
    heard: &mut tokio::sync::watch::Receiver<model::Seq>,
) {
    let begin = clock();
    let fresh = async {
        loop {
            let state = match store.read().await {
                Ok(mut reader) => reader.source(source).await.ok().flatten(),
                Err(_) => None,
            };
            if state.and_then(|state| state.last_seen_at).is_some_and(|seen| seen >= begin - Span::seconds(1))
            {
                return;
            }
            let _ = tokio::time::timeout(Duration::from_millis(20), heard.changed()).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(2), fresh).await.is_err() {
        tracing::warn!("the embedded platform has not reported yet");
    }
}

pub(crate) fn make_private(data: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data)
}

/// The token of whoever may read the data folder: made once, kept in a file that only they can read.
async fn admin_token(store: &Store, data: &Path, clock: &Clock, random: &Random) -> anyhow::Result<String> {
    let path = data.join("admin.token");
    if let Ok(text) = std::fs::read_to_string(&path) {
        let token = text.trim().to_owned();
        if store.token_by_hash(&secret::hash(&token)).await.context("cannot read tokens")?.is_some() {
            return Ok(token);
        }
    }
    let token = secret::mint();
    write_private(&path, &token).with_context(|| format!("cannot write {}", path.display()))?;
    // A restored store knows an administrator's token of another folder; whoever has this folder is the one now.
    let known = store.tokens().await.context("cannot read tokens")?;
    for old in known.iter().filter(|token| token.name == session::ADMIN && token.revoked_at.is_none()) {
        store.token_revoke(&old.id, clock()).await.context("cannot revoke the administrator's old token")?;
    }
    let row = Token {
        id: TokenId::mint(random()),
        name: session::ADMIN.to_owned(),
        role: Role::Admin,
        source: None,
        created_at: clock(),
        expires_at: None,
        revoked_at: None,
    };
    store.token_insert(&row, secret::hash(&token)).await.context("cannot store the administrator's token")?;
    Ok(token)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let beside = path.with_extension("token.new");
    let _ = std::fs::remove_file(&beside);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

/// An address that a browser can open.
fn shown(address: SocketAddr) -> SocketAddr {
    match address.ip().is_unspecified() {
        true => SocketAddr::from(([127, 0, 0, 1], address.port())),
        false => address,
    }
}
