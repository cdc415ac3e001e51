//! Receipts: what a write answers, and what became of it.

use serde::{Deserialize, Serialize};

use crate::{EnvRef, Plan, ReceiptId, TraceId, Ts, Verb, WaitId};

/// How far a write has come. Accepted is not converged, and converged is not correct.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum ReceiptPhase {
    /// Desired state is recorded.
    Accepted,
    /// A controller has seen it.
    Applying,
    /// The platform reports it done.
    Converged,
    /// It will not happen without a change.
    Failed {
        /// Why. Hostile text. On the wire it stands beside the receipt's own `reason`, so it needs another name.
        #[serde(rename = "failure")]
        reason: String,
    },
    /// A newer command replaced it.
    Superseded {
        /// The newer receipt.
        by: ReceiptId,
    },
    /// Nobody watches any more; it may still happen.
    TimedOut,
}

impl ReceiptPhase {
    /// The wire form of the phase alone.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Applying => "applying",
            Self::Converged => "converged",
            Self::Failed { .. } => "failed",
            Self::Superseded { .. } => "superseded",
            Self::TimedOut => "timed_out",
        }
    }

    /// Whether it can still change.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Accepted | Self::Applying)
    }

    /// Whether `next` may follow. Closed phases stay as they are.
    #[must_use]
    pub const fn may_become(&self, next: &Self) -> bool {
        match self {
            Self::Accepted => !matches!(next, Self::Accepted),
            Self::Applying => !matches!(next, Self::Accepted | Self::Applying),
            _ => false,
        }
    }
}

/// A person's word that the result is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checked {
    /// Who.
    pub by: String,
    /// When.
    pub at: Ts,
}

/// What a write answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "Wire")]
pub struct Receipt {
    /// Id.
    pub id: ReceiptId,
    /// What was asked.
    pub verb: Verb,
    /// Of what.
    pub target: EnvRef,
    /// The generation that it made.
    pub generation: i64,
    /// How far it has come.
    #[serde(flatten)]
    pub phase: ReceiptPhase,
    /// When the phase began.
    pub phase_at: Ts,
    /// When it was accepted.
    pub accepted_at: Ts,
    /// By whom.
    pub actor: String,
    /// Why, in their words. Hostile text.
    pub reason: String,
    /// The request.
    pub trace_id: TraceId,
    /// The wait that goes with it.
    pub wait: Option<WaitId>,
    /// Whether a person has verified the result.
    pub checked: Option<Checked>,
    /// The confirmed plan.
    pub plan: Plan,
}

/// A receipt as it stands on the wire, with the words of every phase beside each other. Read by hand: what serde
/// makes of a flattened enum is larger than everything else that the browser half reads together.
#[derive(Deserialize)]
struct Wire {
    id: ReceiptId,
    verb: Verb,
    target: EnvRef,
    generation: i64,
    phase: String,
    failure: Option<String>,
    by: Option<ReceiptId>,
    phase_at: Ts,
    accepted_at: Ts,
    actor: String,
    reason: String,
    trace_id: TraceId,
    wait: Option<WaitId>,
    checked: Option<Checked>,
    plan: Plan,
}

impl TryFrom<Wire> for Receipt {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let Wire { id, verb, target, generation, phase, failure, by, phase_at, accepted_at, .. } = wire;
        let Wire { actor, reason, trace_id, wait, checked, plan, .. } = wire;
        let phase = match &*phase {
            "accepted" => ReceiptPhase::Accepted,
            "applying" => ReceiptPhase::Applying,
            "converged" => ReceiptPhase::Converged,
            "failed" => ReceiptPhase::Failed { reason: failure.ok_or("a failed receipt says why")? },
            "superseded" => {
                ReceiptPhase::Superseded { by: by.ok_or("a superseded receipt says what replaced it")? }
            }
            "timed_out" => ReceiptPhase::TimedOut,
            _ => return Err("no phase of a receipt"),
        };
        Ok(Self {
            id,
            verb,
            target,
            generation,
            phase,
            phase_at,
            accepted_at,
            actor,
            reason,
            trace_id,
            wait,
            checked,
            plan,
        })
    }
}

impl Receipt {
    /// The path of its page.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/receipts/{}", self.id)
    }

    /// `rollback checkout/prod → r-1`, said for people.
    #[must_use]
    pub fn title(&self) -> String {
        match self.plan.will_change.first() {
            Some(change) => format!("{} {} → {}", self.verb.as_str(), self.target.title(), change.to),
            None => format!("{} {}", self.verb.as_str(), self.target.title()),
        }
    }

    /// The lines that "copy all" yields.
    #[must_use]
    pub fn copy_all(&self) -> String {
        let mut lines = vec![
            format!("receipt={}", self.id),
            format!("app={}", self.target.app_id),
            format!("env={}", self.target.env_id),
            format!("generation={}", self.generation),
            format!("trace={}", self.trace_id),
        ];
        if let Some(release) = &self.plan.intent.release {
            lines.insert(3, format!("release={release}"));
        }
        if let Some(wait) = &self.wait {
            lines.push(format!("wait={wait}"));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_only_move_forward_and_closed_ones_stay() {
        let open = [ReceiptPhase::Accepted, ReceiptPhase::Applying];
        let closed = [
            ReceiptPhase::Converged,
            ReceiptPhase::TimedOut,
            ReceiptPhase::Failed { reason: "x".into() },
            ReceiptPhase::Superseded { by: ReceiptId::mint(1) },
        ];
        assert!(open[0].may_become(&open[1]));
        assert!(!open[1].may_become(&open[0]));
        for end in &closed {
            assert!(open.iter().all(|phase| phase.may_become(end)));
            assert!(open.iter().chain(&closed).all(|phase| !end.may_become(phase)));
        }
    }
}
