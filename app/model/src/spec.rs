//! Desired state of the embedded platform: the app file after it was read, releases, and envs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EnvRef, ReleaseId, Span, Ts, plan::Intent};

/// What a release runs. Immutable once it has a number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AppSpec {
    /// Name of the app.
    pub app: String,
    /// Name of the env.
    pub env: String,
    /// Files and folders that the release pins, relative to the app file.
    #[serde(default)]
    pub artefact: Vec<String>,
    /// What runs.
    pub processes: BTreeMap<String, ProcessSpec>,
    /// Config keys that must exist before anything starts.
    #[serde(default)]
    pub config: Vec<String>,
    /// How instances are replaced.
    #[serde(default)]
    pub rollout: Rollout,
}

/// One process of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProcessSpec {
    /// Program and arguments. `$PORT` is replaced by the port that the platform chose.
    pub command: Vec<String>,
    /// Working directory, inside the artefact unless absolute.
    #[serde(default)]
    pub workdir: Option<String>,
    /// Plain environment variables. Secrets do not belong here.
    #[serde(default, rename = "environment")]
    pub env: BTreeMap<String, String>,
    /// How many copies.
    #[serde(default = "one")]
    pub instances: u32,
    /// The port that the process documents; every instance really listens on `$PORT`.
    #[serde(default)]
    pub port: Option<u16>,
    /// How readiness is found out.
    #[serde(default)]
    pub health: Health,
    /// How failed instances are started again.
    #[serde(default)]
    pub restart: Restart,
    /// How long a stopping instance has before it is killed.
    #[serde(default = "default_grace")]
    pub stop_grace: Span,
}

const fn one() -> u32 {
    1
}

const fn default_grace() -> Span {
    Span::seconds(10)
}

/// How readiness is found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// GET this path on `$PORT`; any 2xx is healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// Connect to `$PORT`.
    #[serde(default)]
    pub tcp: bool,
    /// Between two checks.
    #[serde(default = "default_interval")]
    pub interval: Span,
    /// For one check.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
    /// How many in a row make it unhealthy.
    #[serde(default = "default_failures")]
    pub failures: u32,
}

const fn default_interval() -> Span {
    Span::seconds(2)
}

const fn default_timeout() -> Span {
    Span::seconds(1)
}

const fn default_failures() -> u32 {
    3
}

/// Exponential back-off between starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Before the second start.
    pub from: Span,
    /// At most.
    pub to: Span,
}

impl Default for Restart {
    fn default() -> Self {
        Self { from: Span::seconds(1), to: Span::seconds(60) }
    }
}

/// How instances are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// In which order.
    pub strategy: Strategy,
    /// Rolling: how many may be missing at a time; at least 1.
    #[serde(default = "one")]
    pub max_unavailable: u32,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { strategy: Strategy::Rolling, max_unavailable: 1 }
    }
}

/// In which order instances are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// A few at a time; stops when new ones do not become ready.
    Rolling,
    /// All at once.
    AllAtOnce,
}

/// One pinned file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FilePin {
    /// SHA-256 of the content, in lower-case hex.
    pub sha256: String,
    /// Whether it may be executed.
    #[serde(default)]
    pub executable: bool,
}

/// A release: immutable, numbered within its env, with its artefact pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Release {
    /// Id.
    pub id: ReleaseId,
    /// Number within the env, from 1. People say `r-2`.
    pub number: i64,
    /// Where it belongs.
    pub target: EnvRef,
    /// What it runs.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub spec: AppSpec,
    /// Pinned files by path, relative to the app file.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub files: BTreeMap<String, FilePin>,
    /// When.
    pub created_at: Ts,
    /// By whom.
    pub created_by: String,
    /// When it last began to be fully converged; `None` when it never was.
    pub converged_at: Option<Ts>,
    /// Until when it held; `None` while it holds or never did.
    pub held_until: Option<Ts>,
}

impl Release {
    /// `r-2`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("r-{}", self.number)
    }
}

/// Whether instances are wanted at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Yes.
    #[default]
    Running,
    /// Not for now.
    Stopped,
    /// Never again; the env goes away when the last instance is gone.
    Deleted,
}

impl RunState {
    /// Every state.
    pub const ALL: [RunState; 3] = [Self::Running, Self::Stopped, Self::Deleted];

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Deleted => "deleted",
        }
    }

    /// Reads the wire form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// An env and what is wanted of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvRecord {
    /// Which.
    pub target: EnvRef,
    /// Version of the desired state; every accepted command raises it by one.
    pub generation: i64,
    /// What is wanted.
    pub intent: Intent,
    /// When the desired state last changed.
    pub changed_at: Ts,
    /// By whom.
    pub changed_by: String,
    /// What changed it; `None` for one that was only declared.
    pub changed_by_verb: Option<crate::Verb>,
}
