//! Waits: server objects that watch until something holds, and say so for everybody.
//!
//! The conditions compose like those of kube's `wait`: a missing object is a value, no time-out is built in.

use serde::{Deserialize, Serialize};

use crate::{ConditionStatus, EnvRef, Object, ObjectKey, ReceiptId, Ts, Verdict, WaitId};

/// What is waited for. It says nothing about how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "until", rename_all = "snake_case", try_from = "UntilWire")]
#[cfg_attr(feature = "openapi", schema(no_recursion))]
pub enum Until {
    /// The controller has seen this generation.
    Observed {
        /// Which.
        generation: i64,
    },
    /// The verdict is Converged (or Idle, where nothing is wanted).
    Converged,
    /// A condition has this status.
    Condition {
        /// Its type.
        ty: String,
        /// The status.
        status: ConditionStatus,
    },
    /// The object is gone.
    Gone,
    /// All of these hold.
    All {
        /// The parts.
        of: Vec<Until>,
    },
    /// One of these holds.
    Any {
        /// The parts.
        of: Vec<Until>,
    },
}

/// What is waited for as it stands on the wire; read by hand for the sake of its size, like the wait itself.
#[derive(Deserialize)]
struct UntilWire {
    until: String,
    generation: Option<i64>,
    ty: Option<String>,
    status: Option<ConditionStatus>,
    of: Option<Vec<Until>>,
}

impl TryFrom<UntilWire> for Until {
    type Error = &'static str;

    fn try_from(wire: UntilWire) -> Result<Self, Self::Error> {
        let UntilWire { until, generation, ty, status, of } = wire;
        let of = of.ok_or("a condition made of others names them");
        Ok(match &*until {
            "observed" => {
                Self::Observed { generation: generation.ok_or("what is to be observed is a generation")? }
            }
            "converged" => Self::Converged,
            "condition" => Self::Condition {
                ty: ty.ok_or("a condition has a type")?,
                status: status.ok_or("a condition has a status")?,
            },
            "gone" => Self::Gone,
            "all" => Self::All { of: of? },
            "any" => Self::Any { of: of? },
            _ => return Err("nothing that can be waited for"),
        })
    }
}

/// What a wait looks at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The object; `None` when it does not exist.
    pub object: Option<&'a Object>,
    /// What is said about it.
    pub verdict: Option<Verdict>,
}

/// One part of a wait and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Item {
    /// What is waited for, in words.
    pub text: String,
    /// Whether it holds.
    pub met: bool,
}

impl Until {
    /// Converged on exactly this generation: what a receipt's wait watches.
    #[must_use]
    pub fn converged_at(generation: i64) -> Self {
        Self::All { of: vec![Self::Observed { generation }, Self::Converged] }
    }

    /// Whether it holds for what is seen.
    #[must_use]
    pub fn holds(&self, seen: Seen<'_>) -> bool {
        match self {
            Self::Observed { generation } => seen
                .object
                .and_then(|object| object.observed_generation)
                .is_some_and(|observed| observed >= *generation),
            // A verdict may be one pass older than the object; what the controller itself says decides too.
            Self::Converged => seen.object.is_none_or(|object| {
                let settled = object.condition("Ready").is_none_or(crate::Condition::is_true);
                let said = matches!(seen.verdict, Some(Verdict::Converged | Verdict::Idle));
                object.gone_at.is_some() || (settled && said)
            }),
            Self::Condition { ty, status } => seen
                .object
                .and_then(|object| object.condition(ty))
                .is_some_and(|condition| condition.status == *status),
            Self::Gone => seen.object.is_none_or(|object| object.gone_at.is_some()),
            Self::All { of } => of.iter().all(|part| part.holds(seen)),
            Self::Any { of } => of.iter().any(|part| part.holds(seen)),
        }
    }

    /// The parts with their state, for the card: progress is conditions met, not a percentage.
    #[must_use]
    pub fn items(&self, seen: Seen<'_>) -> Vec<Item> {
        match self {
            Self::All { of } => of.iter().flat_map(|part| part.items(seen)).collect(),
            other => vec![Item { text: other.words(), met: other.holds(seen) }],
        }
    }

    /// The parts before anybody has looked: none of them is known to hold.
    #[must_use]
    pub fn unmet(&self) -> Vec<Item> {
        match self {
            Self::All { of } => of.iter().flat_map(Self::unmet).collect(),
            other => vec![Item { text: other.words(), met: false }],
        }
    }

    /// What is waited for, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let list = |of: &[Until], glue: &str| of.iter().map(Until::words).collect::<Vec<_>>().join(glue);
        match self {
            Self::Observed { generation } => format!("desired observed (generation {generation})"),
            Self::Converged => "converged".to_owned(),
            Self::Condition { ty, status } => format!("{ty} is {}", status.as_str()),
            Self::Gone => "gone".to_owned(),
            Self::All { of } => list(of, " and "),
            Self::Any { of } => list(of, " or "),
        }
    }

    /// How deep the composition goes; the API refuses more than a few levels.
    #[must_use]
    pub fn depth(&self) -> u32 {
        match self {
            Self::All { of } | Self::Any { of } => 1 + of.iter().map(Until::depth).max().unwrap_or(0),
            _ => 1,
        }
    }
}

/// How a wait stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum WaitPhase {
    /// Watching.
    Waiting,
    /// It held.
    Converged,
    /// It cannot hold any more.
    Failed {
        /// Why. Hostile text.
        reason: String,
    },
    /// Desired state moved on.
    Superseded {
        /// What replaced it.
        by: Option<ReceiptId>,
    },
    /// The limit was reached. The change goes on without us.
    TimedOut,
    /// Somebody stopped watching.
    Stopped,
}

/// A wait as it stands on the wire, with the words of every phase beside each other; see the one of receipts.
#[derive(Deserialize)]
struct Wire {
    id: WaitId,
    object: ObjectKey,
    title: String,
    target: Option<EnvRef>,
    until: Until,
    receipt: Option<ReceiptId>,
    generation: Option<i64>,
    owner: String,
    created_at: Ts,
    deadline: Ts,
    phase: String,
    reason: Option<String>,
    by: Option<ReceiptId>,
    ended_at: Option<Ts>,
    items: Vec<Item>,
    blind_since: Option<Ts>,
}

impl TryFrom<Wire> for Wait {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let Wire { id, object, title, target, until, receipt, generation, .. } = wire;
        let Wire { owner, created_at, deadline, phase, ended_at, items, blind_since, reason, by, .. } = wire;
        let phase = match &*phase {
            "waiting" => WaitPhase::Waiting,
            "converged" => WaitPhase::Converged,
            "failed" => WaitPhase::Failed { reason: reason.ok_or("a failed wait says why")? },
            "superseded" => WaitPhase::Superseded { by },
            "timed_out" => WaitPhase::TimedOut,
            "stopped" => WaitPhase::Stopped,
            _ => return Err("no phase of a wait"),
        };
        Ok(Self {
            id,
            object,
            title,
            target,
            until,
            receipt,
            generation,
            owner,
            created_at,
            deadline,
            phase,
            ended_at,
            items,
            blind_since,
        })
    }
}

impl WaitPhase {
    /// The wire form of the phase alone.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Converged => "converged",
            Self::Failed { .. } => "failed",
            Self::Superseded { .. } => "superseded",
            Self::TimedOut => "timed_out",
            Self::Stopped => "stopped",
        }
    }

    /// Whether it still watches.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Waiting)
    }
}

/// A wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "Wire")]
pub struct Wait {
    /// Id.
    pub id: WaitId,
    /// What is watched.
    pub object: ObjectKey,
    /// What people call it: `checkout/prod r-1`.
    pub title: String,
    /// The env it belongs to, where it has one.
    pub target: Option<EnvRef>,
    /// What is waited for.
    pub until: Until,
    /// The receipt that made it.
    pub receipt: Option<ReceiptId>,
    /// The generation it is about; a newer one supersedes it.
    pub generation: Option<i64>,
    /// Who waits.
    pub owner: String,
    /// Since when.
    pub created_at: Ts,
    /// Until when at most.
    pub deadline: Ts,
    /// How it stands.
    #[serde(flatten)]
    pub phase: WaitPhase,
    /// When it ended.
    pub ended_at: Option<Ts>,
    /// Its parts, as last seen.
    pub items: Vec<Item>,
    /// Since when its source is silent, so that the clock runs and we cannot see.
    pub blind_since: Option<Ts>,
}

impl Wait {
    /// The path of its page.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/waits/{}", self.id)
    }
}
