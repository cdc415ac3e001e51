//! The platform itself: takes orders, keeps instances alive, and says what it sees.
//!
//! It knows no desired state: how many instances there should be and which to replace is decided by whoever orders
//! them. It adopts nothing either; after a start of the server there are no instances until they are ordered.

mod health;
mod instance;
mod life;
mod outbox;
mod process;
pub mod reasons;
mod report;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use model::{
    ActualInstance, EnvId, InstanceId, NewEvent, ObjectKey, ObjectKind, Observation, Outcome, SourceId, Span,
    StartInstance, Ts, observation::SourceInfo,
};
use sources::{ActuateError, Actuator, Sink, Source};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{instance::Instance, outbox::Outbox};
use crate::{
    artefact::{ArtefactError, Artefacts},
    port::Ports,
};

/// Observations that go out together.
const BATCH: usize = 500;

/// The clock that everything here is stamped with.
pub type Clock = Arc<dyn Fn() -> Ts + Send + Sync>;

/// What a platform needs to know.
#[derive(Clone)]
pub struct Config {
    /// Where blobs and release trees lie.
    pub data_dir: PathBuf,
    /// The executable whose `vt shim` starts workloads; normally our own.
    pub vt_binary: PathBuf,
    /// The arguments that make it a shim; normally `["shim"]`.
    pub shim_args: Vec<OsString>,
    /// What time it is.
    pub clock: Clock,
    /// How often it promises to speak.
    pub interval: Span,
    /// Its id as a source; stable across restarts of the server.
    pub source: SourceId,
}

/// The embedded platform.
pub struct Platform {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    closing: AtomicBool,
}

/// What instances share.
pub(crate) struct Shared {
    config: Config,
    artefacts: Arc<Artefacts>,
    ports: Ports,
    outbox: Outbox,
    instances: Mutex<BTreeMap<InstanceId, Arc<Instance>>>,
}

impl Shared {
    fn now(&self) -> Ts {
        (self.config.clock)()
    }

    fn instances(&self) -> MutexGuard<'_, BTreeMap<InstanceId, Arc<Instance>>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, id: &InstanceId) {
        self.instances().remove(id);
    }
}

impl Platform {
    /// What kind of source it is.
    pub const KIND: &str = "local";

    /// A platform without instances.
    ///
    /// # Errors
    /// What the disk said about the data folder.
    pub fn new(config: Config) -> io::Result<Arc<Self>> {
        // Instances run elsewhere; a relative path would be theirs, not ours.
        let vt_binary = std::path::absolute(&config.vt_binary)?;
        let data_dir = std::path::absolute(&config.data_dir)?;
        let artefacts = Arc::new(Artefacts::open(&data_dir)?);
        let config = Config { vt_binary, data_dir, ..config };
        let (ports, outbox, instances) = (Ports::default(), Outbox::default(), Mutex::default());
        let shared = Arc::new(Shared { config, artefacts, ports, outbox, instances });
        Ok(Arc::new(Self { shared, tasks: TaskTracker::new(), closing: AtomicBool::new(false) }))
    }

    /// The files that releases pin.
    #[must_use]
    pub fn artefacts(&self) -> Arc<Artefacts> {
        Arc::clone(&self.shared.artefacts)
    }

    /// Takes no more starts, stops every instance and returns when nothing of them is left. End the source only
    /// afterwards, so that what is said about these ends is still heard.
    pub async fn shutdown(&self) {
        self.closing.store(true, Ordering::SeqCst);
        let instances: Vec<_> = self.shared.instances().values().cloned().collect();
        instances.iter().for_each(|instance| instance.stop.cancel());
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The pinned files of a release, in place.
    async fn tree(&self, order: &StartInstance) -> Result<PathBuf, ActuateError> {
        let (artefacts, release, files) = (self.artefacts(), order.release.clone(), order.files.clone());
        let made = tokio::task::spawn_blocking(move || artefacts.materialise(&release, &files)).await;
        let made = made.map_err(|error| ActuateError::Io(io::Error::other(error)))?;
        made.map_err(|error| match error {
            ArtefactError::Missing(_) => {
                ActuateError::ArtefactMissing(io::Error::new(io::ErrorKind::NotFound, error))
            }
            error => ActuateError::Io(io::Error::other(error)),
        })
    }

    fn lost_events(&self, n: u64) -> NewEvent {
        let (source, at) = (self.shared.config.source.clone(), self.shared.now());
        let kind = "source".parse().expect("a plain word is a kind");
        NewEvent {
            at,
            object: ObjectKey::new(kind, source.as_str()).expect("an id of ours is an object id"),
            source,
            controller: reasons::CONTROLLER.to_owned(),
            app: None,
            env: None,
            action: "Report".to_owned(),
            outcome: Outcome::Info,
            reason: reasons::EVENTS_LOST.to_owned(),
            message: format!("{n} events were dropped, because they were not read fast enough"),
            attempt: None,
            trace_id: None,
            dedupe: Some(format!("lost:{}", at.0)),
        }
    }

    fn waiting(&self) -> Vec<Observation> {
        let taken = self.shared.outbox.take(BATCH);
        let mut observations = taken.observations;
        if taken.lost_events > 0 {
            observations.push(Observation::Event(Box::new(self.lost_events(taken.lost_events))));
        }
        observations
    }
}

#[async_trait]
impl Actuator for Platform {
    async fn instances(&self, env: &EnvId) -> Vec<ActualInstance> {
        let instances = self.shared.instances();
        let of_env = instances.values().filter(|instance| &instance.order().target.env_id == env);
        of_env.map(|instance| instance.actual()).collect()
    }

    async fn by_env(&self) -> BTreeMap<EnvId, Vec<ActualInstance>> {
        let mut found = BTreeMap::<_, Vec<_>>::new();
        for instance in self.shared.instances().values() {
            found.entry(instance.order().target.env_id.clone()).or_default().push(instance.actual());
        }
        found
    }

    async fn start(&self, order: StartInstance) -> Result<(), ActuateError> {
        if self.shared.instances().contains_key(&order.id) {
            return Ok(());
        }
        let tree = self.tree(&order).await?;
        let mut instances = self.shared.instances();
        // Under the lock: either shutdown sees this instance, or we see the shutdown.
        if self.closing.load(Ordering::SeqCst) {
            return Err(ActuateError::ShuttingDown);
        }
        if instances.contains_key(&order.id) {
            return Ok(());
        }
        let instance = Arc::new(Instance::new(Arc::clone(&self.shared), order, tree));
        instances.insert(instance.order().id.clone(), Arc::clone(&instance));
        self.tasks.spawn(async move { instance.run().await });
        Ok(())
    }

    async fn stop(&self, id: &InstanceId) -> Result<(), ActuateError> {
        if let Some(instance) = self.shared.instances().get(id) {
            instance.stop.cancel();
        }
        Ok(())
    }
}

#[async_trait]
impl Source for Platform {
    fn info(&self) -> SourceInfo {
        let Config { source, interval, .. } = &self.shared.config;
        SourceInfo {
            id: source.clone(),
            name: "this machine".to_owned(),
            kind: Self::KIND.to_owned(),
            interval: *interval,
        }
    }

    async fn run(&self, sink: Sink, shutdown: CancellationToken) {
        let now = self.shared.now();
        let objects = self.shared.instances().values().map(|instance| instance.object()).collect();
        let full_set = Observation::Snapshot { kinds: vec![ObjectKind::instance()], objects };
        let mut batch = vec![full_set];
        let mut last = false;
        loop {
            if !batch.is_empty() && sink.send(self.shared.now().max(now), batch).await.is_err() {
                return;
            }
            batch = self.waiting();
            if !batch.is_empty() {
                continue;
            }
            if last {
                return;
            }
            tokio::select! {
                () = self.shared.outbox.changed() => {}
                () = tokio::time::sleep(self.shared.config.interval.std() / 2) => batch.push(Observation::Alive),
                () = shutdown.cancelled() => last = true,
            }
        }
    }
}
