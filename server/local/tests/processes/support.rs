//! A platform on a temporary folder, orders for it, and bounded waits for what it says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use local::{Config, Platform};
use model::{
    ActualInstance, InstanceId, NewEvent, Observation, ReleaseId, SourceId, Span, StartInstance, fixtures,
    observation::{NewLogLine, ObservedObject},
    spec::{Health, ProcessSpec, Restart},
};
use sources::{Actuator, Sink, Source};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub(crate) const VT: &str = env!("CARGO_BIN_EXE_vt-shim-test");
/// Far more than anything here takes, even on a busy machine.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) platform: Arc<Platform>,
    pub(crate) seen: Vec<Observation>,
    queue: mpsc::Receiver<model::Batch>,
    end: CancellationToken,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let begun = Instant::now();
        let micros = move || i64::try_from(begun.elapsed().as_micros()).expect("a short test");
        let config = Config {
            data_dir: folder.path().join("data"),
            vt_binary: VT.into(),
            shim_args: vec!["shim".into()],
            clock: Arc::new(move || fixtures::NOON + Span(micros())),
            interval: Span::millis(200),
            source: SourceId::mint(1),
        };
        let platform = Platform::new(config).expect("opens");
        let (sender, queue) = mpsc::channel(1000);
        let end = CancellationToken::new();
        let (source, token) = (Arc::clone(&platform), end.clone());
        tokio::spawn(async move { source.run(Sink::new(SourceId::mint(1), sender), token).await });
        Self { _folder: folder, platform, seen: vec![], queue, end }
    }

    pub(crate) async fn start(&self, order: &StartInstance) {
        self.platform.start(order.clone()).await.expect("taken");
    }

    /// Waits until this holds; says what was seen when it never does.
    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + BOUND;
        loop {
            while let Ok(batch) = self.queue.try_recv() {
                self.seen.extend(batch.observations);
            }
            if holds(self) {
                return;
            }
            assert!(Instant::now() < deadline, "never: {what}\n{:#?}", self.seen);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops everything and hears the rest.
    pub(crate) async fn shutdown(mut self) -> Vec<Observation> {
        self.platform.shutdown().await;
        self.end.cancel();
        while let Some(batch) = self.queue.recv().await {
            self.seen.extend(batch.observations);
        }
        self.seen
    }

    pub(crate) fn events(&self) -> Vec<&NewEvent> {
        events(&self.seen)
    }

    pub(crate) fn event(&self, action: &str, outcome: &str) -> Option<&NewEvent> {
        self.events().into_iter().rfind(|event| event.action == action && event.outcome.as_str() == outcome)
    }

    pub(crate) fn logs(&self) -> Vec<&NewLogLine> {
        let logs = self
            .seen
            .iter()
            .filter_map(|seen| if let Observation::Log(line) = seen { Some(line) } else { None });
        logs.collect()
    }

    pub(crate) fn printed(&self, text: &str) -> bool {
        self.logs().iter().any(|line| line.line == text)
    }

    /// The newest state of the only object.
    pub(crate) fn object(&self) -> Option<&ObservedObject> {
        self.seen.iter().rev().find_map(|seen| match seen {
            Observation::Object(object) => Some(&**object),
            _ => None,
        })
    }

    pub(crate) fn is_gone(&self, order: &StartInstance) -> bool {
        self.seen.iter().any(|seen| matches!(seen, Observation::Gone(key) if key.id() == order.id.as_str()))
    }

    pub(crate) async fn actual(&self, order: &StartInstance) -> Option<ActualInstance> {
        let all = self.platform.instances(&order.target.env_id).await;
        all.into_iter().find(|instance| instance.id == order.id)
    }
}

pub(crate) fn events(seen: &[Observation]) -> Vec<&NewEvent> {
    let events = seen.iter().filter_map(|seen| match seen {
        Observation::Event(event) => Some(&**event),
        _ => None,
    });
    events.collect()
}

/// An order to run this, without a port and without a health check.
pub(crate) fn order(command: &[&str]) -> StartInstance {
    // Other tests run at the same time, in other processes too.
    static ORDERS: AtomicU64 = AtomicU64::new(1);
    let random = (u64::from(std::process::id()) << 20) | ORDERS.fetch_add(1, Ordering::Relaxed);
    let health = Health {
        http: None,
        tcp: false,
        interval: Span::millis(50),
        timeout: Span::millis(500),
        failures: 2,
    };
    StartInstance {
        id: InstanceId::mint(random),
        target: fixtures::env_ref(),
        process: "web".into(),
        release: ReleaseId::mint(random),
        release_number: 2,
        restarts: 0,
        generation: 3,
        spec: ProcessSpec {
            command: command.iter().map(|argument| (*argument).to_owned()).collect(),
            workdir: None,
            env: BTreeMap::new(),
            instances: 1,
            port: None,
            health,
            restart: Restart { from: Span::millis(20), to: Span::millis(100) },
            stop_grace: Span::seconds(5),
        },
        files: BTreeMap::new(),
    }
}

/// An order to run the demo app with this fault.
pub(crate) fn demo(fault: &str) -> StartInstance {
    let mut order = order(&[VT, "demo-app", "--fault", fault, "--port", "$PORT"]);
    order.spec.port = Some(8080);
    order.spec.health.http = Some("/healthz".into());
    order
}

/// Every process that carries this instance's mark, shims included, zombies not.
pub(crate) fn marked(id: &InstanceId) -> BTreeSet<i32> {
    let mark = format!("VT_INSTANCE={id}");
    let pids = fs::read_dir("/proc").expect("a Linux machine").filter_map(Result::ok);
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|b| *b == 0).any(|variable| variable == mark.as_bytes())
    })
    .collect()
}

/// The arguments of a process, with spaces between.
pub(crate) fn arguments(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}
