//! Plans: what a command would do, computed before anybody confirms. Data only; `rules` computes them.

use serde::{Deserialize, Serialize};

use crate::{EnvRef, ReleaseId, Ts};

/// What can be done to an app in an env.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Select a release.
    Deploy,
    /// Select an earlier release.
    Rollback,
    /// Change how many instances are wanted.
    Scale,
    /// Replace every instance by a new one of the same release.
    Restart,
    /// Want no instances, and keep the app.
    Stop,
    /// Stop the app and forget its desired state.
    Delete,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Verb; 6] =
        [Self::Deploy, Self::Rollback, Self::Scale, Self::Restart, Self::Stop, Self::Delete];

    /// The wire form, also in URLs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Scale => "scale",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Delete => "delete",
        }
    }

    /// Reads the wire form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text)
    }

    /// The words on a button: `Roll back`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Deploy => "Deploy",
            Self::Rollback => "Roll back",
            Self::Scale => "Scale",
            Self::Restart => "Restart",
            Self::Stop => "Stop",
            Self::Delete => "Delete",
        }
    }
}

/// What a command asks for; with the env's state it makes a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Ask {
    /// Deploy and rollback: which release. Rollback without one takes the last that converged.
    pub release: Option<ReleaseId>,
    /// Scale: which process; may be left out when there is only one.
    pub process: Option<String>,
    /// Scale: how many instances.
    pub instances: Option<u32>,
}

/// One field that a plan changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// What changes.
    pub field: String,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

/// How a guardrail came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GuardrailLevel {
    /// Fine.
    Pass,
    /// Worth reading; needs nothing extra.
    Warn,
    /// The plan cannot be confirmed.
    Block,
}

/// One check made before confirming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Guardrail {
    /// How it came out.
    pub level: GuardrailLevel,
    /// What was found, in words.
    pub text: String,
}

/// The desired state that a plan would write. Compared and hashed; nobody has to read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Intent {
    /// The selected release; `None` only for an env that never had one.
    pub release: Option<ReleaseId>,
    /// Wanted instances for each process, where they differ from the release's own number.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub scale: std::collections::BTreeMap<String, u32>,
    /// Running, stopped or deleted.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub run: crate::RunState,
    /// Raised by every restart.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub restarts: i64,
}

/// What a command would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// What.
    pub verb: Verb,
    /// To what.
    pub target: EnvRef,
    /// A question that names the thing: "Roll back checkout/prod to r-1?"
    pub title: String,
    /// The confirm button: "Roll back to r-1".
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub confirm: String,
    /// What was asked.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub ask: Ask,
    /// The generation that the plan was made for; another one makes it out of date.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub expected_generation: i64,
    /// Hash over everything that matters; another one means that the plan changed.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub hash: String,
    /// What changes.
    pub will_change: Vec<Change>,
    /// What people might expect to change and does not.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub will_not_change: Vec<String>,
    /// What happens, in order.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub steps: Vec<String>,
    /// What was checked.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub guardrails: Vec<Guardrail>,
    /// Text that must be typed to confirm, where data is destroyed.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub type_to_confirm: Option<String>,
    /// The desired state after it.
    pub intent: Intent,
    /// When it was made. Not part of the hash.
    pub made_at: Ts,
}

impl Plan {
    /// The first reason why this plan cannot be confirmed.
    #[must_use]
    pub fn blocked(&self) -> Option<&str> {
        self.guardrails.iter().find(|g| g.level == GuardrailLevel::Block).map(|g| g.text.as_str())
    }

    /// Whether confirming would write anything.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.will_change.is_empty()
    }
}
