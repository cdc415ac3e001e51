//! The two ports.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::{
    ActualInstance, Batch, EnvId, InstanceId, Observation, SourceId, StartInstance, Ts,
    observation::SourceInfo,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Where a source puts what it sees. Bounded: a source that is faster than the store waits.
#[derive(Debug, Clone)]
pub struct Sink {
    source: SourceId,
    queue: mpsc::Sender<Batch>,
}

/// Nobody reads observations any more: the server is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("observations are no longer read")]
pub struct SinkClosed;

impl Sink {
    /// A sink for one source over the shared queue of ingest.
    #[must_use]
    pub fn new(source: SourceId, queue: mpsc::Sender<Batch>) -> Self {
        Self { source, queue }
    }

    /// Who speaks through this sink.
    #[must_use]
    pub fn source(&self) -> &SourceId {
        &self.source
    }

    /// Hands over what was seen at `at`; waits while the queue is full.
    ///
    /// # Errors
    /// [`SinkClosed`] once the server is shutting down.
    pub async fn send(&self, at: Ts, observations: Vec<Observation>) -> Result<(), SinkClosed> {
        let batch = Batch { source: self.source.clone(), at, observations };
        self.queue.send(batch).await.map_err(|_| SinkClosed)
    }
}

/// A platform that reports. It sends a full set first, then changes, then `Alive` within its interval.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// How it introduces itself.
    fn info(&self) -> SourceInfo;

    /// Reports until `shutdown`. Returning early makes the source stale; it never makes its objects gone.
    async fn run(&self, sink: Sink, shutdown: CancellationToken);
}

/// Why the platform did not take an order.
#[derive(Debug, thiserror::Error)]
pub enum ActuateError {
    /// A pinned file of the release is not there.
    #[error("the artefact of the release is not complete")]
    ArtefactMissing(#[source] std::io::Error),
    /// The platform is shutting down.
    #[error("the platform is shutting down")]
    ShuttingDown,
    /// The platform could not take the order; the next pass tries again.
    #[error("the platform could not take the order")]
    Io(#[source] std::io::Error),
}

/// A platform that obeys. Orders are idempotent: the same order twice is one order.
#[async_trait]
pub trait Actuator: Send + Sync + 'static {
    /// Every instance of this env that exists now, from the platform itself and not from a cache.
    async fn instances(&self, env: &EnvId) -> Vec<ActualInstance>;

    /// Every instance that exists now by its env, whether or not anybody wants it. Envs without any are left out.
    async fn by_env(&self) -> BTreeMap<EnvId, Vec<ActualInstance>>;

    /// Starts an instance and keeps it running until it is stopped.
    ///
    /// # Errors
    /// [`ActuateError`] where the order was not taken.
    async fn start(&self, order: StartInstance) -> Result<(), ActuateError>;

    /// Stops an instance: TERM, then KILL after its grace time. Unknown ids are fine: they are stopped.
    ///
    /// # Errors
    /// [`ActuateError`] where the order was not taken.
    async fn stop(&self, id: &InstanceId) -> Result<(), ActuateError>;
}
