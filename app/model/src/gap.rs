//! The gap between desired and current, and the chain of causes. Data only; `rules` computes it.

use serde::{Deserialize, Serialize};

use crate::{EventId, ObjectKey, Ts, Verdict};

/// How a field of the desired state compares with the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FieldState {
    /// They differ and nothing moves.
    Differs,
    /// They differ and it is being worked on.
    Moving,
    /// The current value was never reported, or is too old.
    UnknownCurrent,
    /// They are equal.
    Equal,
}

/// How strong a piece of evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A controller said so.
    Direct,
    /// A rule concluded it.
    Inferred,
}

/// Something that a claim rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// How strong it is.
    pub kind: EvidenceKind,
    /// What it says. Hostile text.
    pub text: String,
    /// When.
    pub at: Ts,
    /// The controller that said it, or the rule that concluded it.
    pub by: String,
    /// Where to see it; always a path of our own.
    pub href: String,
    /// The event, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub event: Option<EventId>,
}

impl serde::Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for EventId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One compared field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GapRow {
    /// What is compared: `release`, `instances`.
    pub field: String,
    /// What is wanted, said for people.
    pub desired: String,
    /// What is, said for people; `None` is "not reported", never blank and never zero.
    pub current: Option<String>,
    /// How they compare.
    pub state: FieldState,
    /// Why they differ, if anything is known.
    pub why: Option<Evidence>,
}

/// One link of the chain, from the viewed object to the deepest failing dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Link {
    /// The object.
    pub object: ObjectKey,
    /// Its name.
    pub name: String,
    /// Its own verdict.
    pub verdict: Verdict,
    /// What it waits for or fails at.
    pub text: String,
    /// Since when.
    pub since: Ts,
    /// Which try, from 1.
    pub attempt: Option<u32>,
    /// The event that proves it.
    pub evidence: Option<Evidence>,
}

/// What to do next. There is exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NextStep {
    /// The words on the link.
    pub label: String,
    /// Where it leads; a path of our own. Opening it changes nothing.
    pub href: String,
    /// The same step on a command line.
    pub command: Option<String>,
}

/// Desired, current, why and the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// Version of the desired state.
    pub generation: i64,
    /// The version that the current state is about; `None` is "not reported".
    pub observed_generation: Option<i64>,
    /// Compared fields, the differing ones first.
    pub rows: Vec<GapRow>,
    /// From the viewed object to the first blocker; empty when there is no gap.
    pub chain: Vec<Link>,
    /// Up to three pieces of evidence, the strongest first.
    pub evidence: Vec<Evidence>,
    /// What was looked at, where there is no evidence.
    pub looked_at: Option<String>,
    /// "no progress for longer than 10 s (limit)"; printed with every stuck verdict.
    pub limit: Option<String>,
    /// One primary next step.
    pub next: Option<NextStep>,
}

impl Gap {
    /// Whether desired and current are known to be equal.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.rows.iter().all(|row| row.state == FieldState::Equal)
    }
}
