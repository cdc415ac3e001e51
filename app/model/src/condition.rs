//! What a controller says about one aspect of an object.

use serde::{Deserialize, Serialize};

use crate::Ts;

/// The literal status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// The controller does not know.
    Unknown,
}

impl ConditionStatus {
    /// Every status.
    pub const ALL: [ConditionStatus; 3] = [Self::True, Self::False, Self::Unknown];

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }

    /// Reads the wire form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Whether `True` is good news, bad news, or merely news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polarity {
    /// `True` is good: `Ready`.
    Good,
    /// `True` is bad: `Degraded`.
    Bad,
    /// `True` means that something moves: `Reconciling`.
    Progress,
}

/// The conditions that the console always lists, in this order, even when absent.
pub const STANDARD: [&str; 4] = ["Ready", "Reconciling", "Degraded", "Stalled"];

/// What `True` means for a condition type. Unknown types are read as good news when true, as Kubernetes does.
#[must_use]
pub fn polarity(ty: &str) -> Polarity {
    match ty {
        "Degraded" | "Stalled" | "Failed" | "Failing" | "Paused" => Polarity::Bad,
        "Reconciling" | "Progressing" => Polarity::Progress,
        _ => Polarity::Good,
    }
}

/// One condition of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Condition {
    /// `Ready`, `Reconciling`, `Degraded`, `Stalled` or a word of the source.
    pub ty: String,
    /// The literal status.
    pub status: ConditionStatus,
    /// A CamelCase word for programs.
    pub reason: String,
    /// A sentence for people. Hostile text.
    pub message: String,
    /// The generation that this is about; behind the object's own, it describes an older spec.
    pub observed_generation: Option<i64>,
    /// When the status last flipped. A new reason does not move it.
    pub since: Ts,
}

impl Condition {
    /// Whether the status is `True`.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.status == ConditionStatus::True
    }

    /// Whether the status is `False`.
    #[must_use]
    pub fn is_false(&self) -> bool {
        self.status == ConditionStatus::False
    }

    /// Whether it describes an older spec than `generation`.
    #[must_use]
    pub fn is_about_older(&self, generation: i64) -> bool {
        self.observed_generation.is_some_and(|observed| observed < generation)
    }
}
