//! The eight verdicts: what is said about an object. How much we know is [`crate::Freshness`], another axis.

use serde::{Deserialize, Serialize};

use crate::{Evidence, Ts};

/// What is said about an object, most in need of attention first (the roll-up order of `ux.md` 0.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It will not progress without a change.
    Failed,
    /// There is a gap and no progress for longer than the limit.
    Stuck,
    /// We do not know, or what we know is too old.
    Unknown,
    /// It serves, but impaired.
    Degraded,
    /// It stopped on purpose.
    Waiting,
    /// There is a gap, and progress.
    Converging,
    /// There is no gap.
    Converged,
    /// Nothing is wanted.
    Idle,
}

/// How much attention a verdict asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attention {
    /// Somebody has to act.
    Act,
    /// Somebody should look.
    Look,
    /// It moves by itself.
    Watch,
    /// Nothing to see.
    Quiet,
}

impl Verdict {
    /// Every verdict in roll-up order.
    pub const ALL: [Verdict; 8] = [
        Self::Failed,
        Self::Stuck,
        Self::Unknown,
        Self::Degraded,
        Self::Waiting,
        Self::Converging,
        Self::Converged,
        Self::Idle,
    ];

    /// The wire form, also the value of `data-verdict`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Stuck => "stuck",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Waiting => "waiting",
            Self::Converging => "converging",
            Self::Converged => "converged",
            Self::Idle => "idle",
        }
    }

    /// Reads the wire form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }

    /// The word that people read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::Stuck => "Stuck",
            Self::Unknown => "Unknown",
            Self::Degraded => "Degraded",
            Self::Waiting => "Waiting",
            Self::Converging => "Converging",
            Self::Converged => "Converged",
            Self::Idle => "Idle",
        }
    }

    /// The glyph for plain text: titles, terminals, copied summaries.
    #[must_use]
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Failed => "✖",
            Self::Stuck => "⧗",
            Self::Unknown => "?",
            Self::Degraded => "▲",
            Self::Waiting => "‖",
            Self::Converging => "◔",
            Self::Converged => "✓",
            Self::Idle => "–",
        }
    }

    /// How much attention it asks for.
    #[must_use]
    pub const fn attention(self) -> Attention {
        match self {
            Self::Failed | Self::Stuck => Attention::Act,
            Self::Unknown | Self::Degraded => Attention::Look,
            Self::Converging => Attention::Watch,
            Self::Waiting | Self::Converged | Self::Idle => Attention::Quiet,
        }
    }

    /// Its place on the overview, where what moves by itself stands before what is quiet. Stored: a number keeps
    /// its meaning.
    #[must_use]
    pub const fn place(self) -> u8 {
        match self {
            Self::Failed => 0,
            Self::Stuck => 1,
            Self::Unknown => 2,
            Self::Degraded => 3,
            Self::Converging => 4,
            Self::Waiting => 5,
            Self::Converged => 6,
            Self::Idle => 7,
        }
    }

    /// The verdict of a group: its member that asks for most attention. An empty group is idle, not healthy.
    #[must_use]
    pub fn roll_up(members: impl IntoIterator<Item = Verdict>) -> Verdict {
        members.into_iter().min().unwrap_or(Verdict::Idle)
    }
}

/// One reason for a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Because {
    /// The rule that spoke, stable across releases.
    pub rule: String,
    /// What it saw, in words.
    pub text: String,
    /// What it saw, as links.
    pub evidence: Vec<Evidence>,
}

/// A verdict with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Since when the verdict holds.
    pub since: Ts,
    /// What is so and why, without the object's name and without relative times: pages add both.
    pub sentence: String,
    /// Why.
    pub because: Vec<Because>,
}

impl Judgement {
    /// The sentence that a person could paste into chat:
    /// "checkout/prod has been stuck for 11 min: r-2 wants 4 instances, 3 are ready".
    #[must_use]
    pub fn headline(&self, name: &str, now: Ts) -> String {
        let age = (now - self.since).words();
        let state = match self.verdict {
            Verdict::Failed if age == "now" => "has just failed".to_owned(),
            Verdict::Failed => format!("failed {age} ago"),
            _ if age == "now" => format!("is now {}", self.verdict.as_str()),
            _ => format!("has been {} for {age}", self.verdict.as_str()),
        };
        format!("{name} {state}: {}", self.sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_reads_like_a_sentence() {
        let judgement = |verdict| Judgement {
            verdict,
            since: Ts(0),
            sentence: "r-2 wants 4 instances, 3 are ready".into(),
            because: vec![],
        };
        let said = judgement(Verdict::Stuck).headline("checkout/prod", Ts(660_000_000));
        assert_eq!(said, "checkout/prod has been stuck for 11 min: r-2 wants 4 instances, 3 are ready");
        let said = judgement(Verdict::Failed).headline("checkout/prod", Ts(60_000_000));
        assert!(said.starts_with("checkout/prod failed 1 min ago: "));
    }

    #[test]
    fn every_verdict_has_its_own_word_glyph_and_wire_form() {
        for (i, a) in Verdict::ALL.into_iter().enumerate() {
            assert_eq!(Verdict::parse(a.as_str()), Some(a));
            for b in Verdict::ALL.into_iter().skip(i + 1) {
                assert!(a.word() != b.word() && a.glyph() != b.glyph());
            }
        }
    }

    #[test]
    fn a_group_is_as_bad_as_its_worst_member_and_nothing_is_idle() {
        assert_eq!(Verdict::roll_up([Verdict::Converged, Verdict::Stuck, Verdict::Unknown]), Verdict::Stuck);
        assert_eq!(Verdict::roll_up([Verdict::Idle, Verdict::Converged]), Verdict::Converged);
        assert_eq!(Verdict::roll_up([]), Verdict::Idle);
    }
}
