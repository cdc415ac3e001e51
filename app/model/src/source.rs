//! What we listen to, whether it talks, and what would go blind if it did not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Freshness, ObjectKey, ObjectKind, Span, Ts, Verdict, view::SourceState};

/// A stretch of time that nobody watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The last time we knew.
    pub from: Ts,
    /// The first time we knew again; `None` while it is silent.
    pub to: Option<Ts>,
    /// Whether it was this server that did not listen.
    pub server_down: bool,
}

/// One source with everything that is known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRow {
    /// Who it is, when it last spoke, what went wrong.
    pub state: SourceState,
    /// Since when it is known.
    pub registered_at: Ts,
    /// Objects that exist now, by kind.
    pub objects: BTreeMap<String, i64>,
    /// How long its newest recent event took to be recorded; `None` where none is recent.
    pub lag: Option<Span>,
    /// When nobody watched within the last 24 h, oldest first.
    pub outages: Vec<Outage>,
}

impl SourceRow {
    /// Whether it talks.
    #[must_use]
    pub fn freshness(&self, now: Ts) -> Freshness {
        Freshness::of_source(self.state.last_seen_at, self.state.interval, now)
    }

    /// Whether it fell silent, or never spoke.
    #[must_use]
    pub fn is_silent(&self, now: Ts) -> bool {
        self.freshness(now) != Freshness::Live
    }

    /// App-envs that nobody else reports: what goes blind with it.
    #[must_use]
    pub fn n_envs(&self) -> i64 {
        self.objects.get(ObjectKind::ENV).copied().unwrap_or(0)
    }

    /// Objects of all kinds.
    #[must_use]
    pub fn n_objects(&self) -> i64 {
        self.objects.values().sum()
    }

    /// The path of its page.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/sources/{}", self.state.id)
    }
}

/// `/sources`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcesView {
    /// Silent ones first, then by name.
    pub rows: Vec<SourceRow>,
}

/// A thing by its name, with what is said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Which.
    pub key: ObjectKey,
    /// What people call it.
    pub name: String,
    /// What is said about it; `None` when nobody has judged it.
    pub verdict: Option<Verdict>,
}

/// `/sources/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceView {
    /// The source.
    pub row: SourceRow,
    /// App-envs that go blind with it, at most 100.
    pub envs: Vec<Named>,
}
