//! Condition timelines: lanes of recorded segments, with honest gaps.

use serde::{Deserialize, Serialize};

use crate::{ConditionStatus, ObjectKey, Polarity, Ts, condition::polarity};

/// What a segment shows. Time that nobody watched is not "unknown": it is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SegmentStatus {
    /// The condition was `True`.
    True,
    /// The condition was `False`.
    False,
    /// The controller said `Unknown`.
    Unknown,
    /// Nobody watched.
    NotRecorded,
}

impl From<ConditionStatus> for SegmentStatus {
    fn from(status: ConditionStatus) -> Self {
        match status {
            ConditionStatus::True => Self::True,
            ConditionStatus::False => Self::False,
            ConditionStatus::Unknown => Self::Unknown,
        }
    }
}

impl SegmentStatus {
    /// The literal word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
            Self::NotRecorded => "not recorded",
        }
    }
}

/// What a segment means: colour follows meaning, text says the literal status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// As it should be.
    Good,
    /// Being worked on.
    Progress,
    /// Being worked on for longer than the limit.
    Late,
    /// Serving, but impaired.
    Impaired,
    /// Bad.
    Bad,
    /// Not known.
    Unknown,
    /// Not recorded: no bar at all.
    None,
}

impl Tone {
    /// The value of `data-tone`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Progress => "progress",
            Self::Late => "late",
            Self::Impaired => "impaired",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
            Self::None => "none",
        }
    }

    /// The tone of a condition of this type with this status. `late` is whether progress is past its limit.
    #[must_use]
    pub fn of(ty: &str, status: SegmentStatus, late: bool) -> Self {
        match (status, polarity(ty)) {
            (SegmentStatus::NotRecorded, _) => Self::None,
            (SegmentStatus::Unknown, _) => Self::Unknown,
            (SegmentStatus::True, Polarity::Good)
            | (SegmentStatus::False, Polarity::Bad | Polarity::Progress) => Self::Good,
            (SegmentStatus::True, Polarity::Progress) if late => Self::Late,
            (SegmentStatus::True, Polarity::Progress) => Self::Progress,
            (SegmentStatus::True, Polarity::Bad) if ty == "Degraded" => Self::Impaired,
            (SegmentStatus::True, Polarity::Bad) | (SegmentStatus::False, Polarity::Good) => Self::Bad,
        }
    }
}

/// A stretch of time with one status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Segment {
    /// `seg_` and a number: what `sel=` names.
    pub id: String,
    /// From when.
    pub from: Ts,
    /// To when; `None` while it holds.
    pub to: Option<Ts>,
    /// The status.
    pub status: SegmentStatus,
    /// Its meaning.
    pub tone: Tone,
    /// The last reason within it.
    pub reason: String,
    /// The last message within it. Hostile text.
    pub message: String,
    /// Which generation it is about.
    pub generation: Option<i64>,
}

/// One condition of one object over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Lane {
    /// Whose.
    pub object: ObjectKey,
    /// What people call it.
    pub name: String,
    /// The condition, or `Verdict`.
    pub condition: String,
    /// In order of time, without overlap.
    pub segments: Vec<Segment>,
}

/// What kind of change a marker stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MarkerKind {
    /// A release was selected.
    Deploy,
    /// An earlier release was selected.
    Rollback,
    /// Something about the env changed: scale, stop.
    Config,
    /// Instances were replaced on request.
    Restart,
    /// A person did something else.
    Human,
}

impl MarkerKind {
    /// Glyph for lanes and lists.
    #[must_use]
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Deploy => "▲",
            Self::Rollback => "↶",
            Self::Config => "◆",
            Self::Restart => "⟳",
            Self::Human => "●",
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Config => "change",
            Self::Restart => "restart",
            Self::Human => "human action",
        }
    }

    /// The marker of a command.
    #[must_use]
    pub const fn of(verb: crate::Verb) -> Self {
        match verb {
            crate::Verb::Deploy => Self::Deploy,
            crate::Verb::Rollback => Self::Rollback,
            crate::Verb::Restart => Self::Restart,
            crate::Verb::Scale | crate::Verb::Stop | crate::Verb::Delete => Self::Config,
        }
    }
}

/// A change on the time axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Marker {
    /// When.
    pub at: Ts,
    /// What kind.
    pub kind: MarkerKind,
    /// `deploy r-2`.
    pub title: String,
    /// Who.
    pub actor: String,
    /// Where to see it; a path of our own.
    pub href: String,
}

/// Lanes over one range of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timeline {
    /// From when.
    pub from: Ts,
    /// To when.
    pub to: Ts,
    /// Since when anything is recorded.
    pub recorded_since: Ts,
    /// Bad ones first.
    pub lanes: Vec<Lane>,
    /// Changes, in order of time.
    pub markers: Vec<Marker>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tone_follows_meaning_and_not_truth() {
        use SegmentStatus as S;
        let cases = [
            ("Ready", S::True, Tone::Good),
            ("Ready", S::False, Tone::Bad),
            ("Degraded", S::True, Tone::Impaired),
            ("Degraded", S::False, Tone::Good),
            ("Stalled", S::True, Tone::Bad),
            ("Reconciling", S::True, Tone::Progress),
            ("Reconciling", S::False, Tone::Good),
            ("Ready", S::Unknown, Tone::Unknown),
            ("Ready", S::NotRecorded, Tone::None),
        ];
        for (ty, status, tone) in cases {
            assert_eq!(Tone::of(ty, status, false), tone, "{ty} {status:?}");
        }
        assert_eq!(Tone::of("Reconciling", S::True, true), Tone::Late);
    }
}
