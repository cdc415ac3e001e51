//! What every handler can reach.

use std::{path::PathBuf, sync::Arc};

use app::pages::{Body, Frames};
use control::{Clock, Commands, Random, TaskStatus, fanout::Fanout};
use local::{Artefacts, Platform};
use model::Ts;
use rules::Limits;
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    backend::{Part, Rollup},
    config::Serve,
    http::{
        Reports,
        assets::Site,
        guard::Places,
        live::{Packed, Sockets},
    },
    metrics::Metrics,
    shared::Shared,
    upkeep::Upkeep,
};

/// The server's parts, wired. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// The parts.
pub struct Parts {
    /// The store of record.
    pub store: Store,
    /// Everything that changes desired state.
    pub commands: Commands,
    /// Live frames.
    pub fanout: Fanout<Packed>,
    /// The embedded platform.
    pub platform: Arc<Platform>,
    /// Pinned files.
    pub artefacts: Arc<Artefacts>,
    /// The data folder.
    pub data: PathBuf,
    /// What the server was started with.
    pub serve: Serve,
    /// The browser half.
    pub site: Arc<Site>,
    /// Where we are reached, and from where.
    pub places: Places,
    /// Whether reading is open to everybody who can connect.
    pub anonymous: bool,
    /// From when on something counts as wrong.
    pub limits: Limits,
    /// The time.
    pub clock: Clock,
    /// Random bits.
    pub random: Random,
    /// How every reconciler stands.
    pub tasks: Vec<watch::Receiver<TaskStatus>>,
    /// Pages that readers share, by path and query, and by whether one is signed in.
    pub shared: Shared<(String, bool), Body>,
    /// The frames around pages.
    pub frames: Frames,
    /// What the overview is made of, by the part of it that is shown.
    pub rollups: Shared<Part, Rollup>,
    /// Reports that are being read.
    pub reports: Reports,
    /// Open sockets.
    pub sockets: Sockets,
    /// What is counted.
    pub metrics: Metrics,
    /// Backup and restore.
    pub upkeep: Upkeep,
    /// Fires when the server ends.
    pub shutdown: CancellationToken,
}

impl AppState {
    /// Wires the parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Ts {
        (self.0.clock)()
    }

    /// Random bits.
    #[must_use]
    pub fn random(&self) -> u64 {
        (self.0.random)()
    }
}

impl std::ops::Deref for AppState {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl axum::extract::FromRef<AppState> for Arc<Site> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.site)
    }
}
