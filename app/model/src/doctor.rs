//! Whether our own plumbing is fine: local and connectivity, never about an app.

use serde::{Deserialize, Serialize};

use crate::Ts;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It does not work.
    Fails,
    /// It works, and will not for long, or not well.
    Look,
    /// Only a browser that runs script can tell.
    Browser,
    /// It works.
    Fine,
}

impl Outcome {
    /// The value of `data-tone`, which the style sheet has colours for.
    #[must_use]
    pub const fn tone(self) -> &'static str {
        match self {
            Self::Fails => "bad",
            Self::Look => "late",
            Self::Browser => "none",
            Self::Fine => "good",
        }
    }

    /// What is said beside the glyph.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Look => "look",
            Self::Browser => "in the browser",
            Self::Fine => "fine",
        }
    }

    /// The glyph in front of a check.
    #[must_use]
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Fails => "✖",
            Self::Look => "▲",
            Self::Browser => "–",
            Self::Fine => "✓",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name, also the DOM id: `store`, `socket`.
    pub name: String,
    /// What was checked, in words.
    pub title: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was found.
    pub found: String,
    /// What to do about it; one sentence, and only where something is wrong.
    pub fix: Option<String>,
}

impl Check {
    /// A check that came out fine.
    #[must_use]
    pub fn fine(name: &str, title: &str, found: impl Into<String>) -> Self {
        let (name, title, found) = (name.to_owned(), title.to_owned(), found.into());
        Self { name, title, outcome: Outcome::Fine, found, fix: None }
    }

    /// The same check, not fine, with what to do about it.
    #[must_use]
    pub fn but(self, outcome: Outcome, fix: impl Into<String>) -> Self {
        Self { outcome, fix: Some(fix.into()), ..self }
    }
}

/// `/doctor`, and the report that is copied into tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorView {
    /// Version of the server.
    pub version: String,
    /// Its build.
    pub build_id: String,
    /// When the checks ran.
    pub at: Ts,
    /// Failing ones first.
    pub checks: Vec<Check>,
}

impl DoctorView {
    /// How many checks came out like this.
    #[must_use]
    pub fn n(&self, outcome: Outcome) -> usize {
        self.checks.iter().filter(|check| check.outcome == outcome).count()
    }
}
