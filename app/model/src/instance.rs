//! Instances as the embedded platform sees them: the truth that a rollout is planned from.

use serde::{Deserialize, Serialize};

use crate::{EnvId, EnvRef, InstanceId, ReleaseId, Ts, spec::ProcessSpec};

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// Its process is being started, or runs and is not ready yet.
    Starting,
    /// It runs, and its health check passes.
    Running,
    /// Its process ended and will not be started again.
    Exited,
    /// Its process ended; it waits for its next start.
    Restarting,
    /// It was told to stop.
    Stopping,
}

impl InstanceState {
    /// Every state.
    pub const ALL: [InstanceState; 5] =
        [Self::Starting, Self::Running, Self::Exited, Self::Restarting, Self::Stopping];

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Exited => "exited",
            Self::Restarting => "restarting",
            Self::Stopping => "stopping",
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exit {
    /// Its exit code; `None` when a signal ended it or it never started.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// A sentence: "exited with code 1", "killed by signal 9", "cannot start: no such file".
    pub text: String,
    /// When.
    pub at: Ts,
}

/// One instance, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActualInstance {
    /// Which.
    pub id: InstanceId,
    /// Whose.
    pub env_id: EnvId,
    /// Which process of the app.
    pub process: String,
    /// What it runs.
    pub release: ReleaseId,
    /// The number of that release.
    pub release_number: i64,
    /// The restart count of the intent it was started for; a lower one is out of date.
    pub restarts: i64,
    /// Where it is in its life.
    pub state: InstanceState,
    /// Whether it serves.
    pub ready: bool,
    /// How often its process was started.
    pub starts: u32,
    /// How its process last ended; kept until it is ready.
    pub last_exit: Option<Exit>,
    /// Why it is not ready, in words.
    pub not_ready: Option<String>,
    /// When it was ordered.
    pub created_at: Ts,
    /// Since when `ready` is what it is.
    pub ready_since: Ts,
}

/// An order to start one instance. Starting the same id twice starts it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartInstance {
    /// Which.
    pub id: InstanceId,
    /// Whose.
    pub target: EnvRef,
    /// Which process.
    pub process: String,
    /// What it runs.
    pub release: ReleaseId,
    /// The number of that release.
    pub release_number: i64,
    /// The restart count of the intent.
    pub restarts: i64,
    /// The generation of the intent.
    pub generation: i64,
    /// How.
    pub spec: ProcessSpec,
    /// The pinned files of the release.
    pub files: std::collections::BTreeMap<String, crate::spec::FilePin>,
}
