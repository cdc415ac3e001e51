//! Events: which controller acted, on which object, what it tried, what happened, and why it failed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{EventId, ObjectKey, ObjectKind, Seq, SourceId, TraceId, Ts};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Begun, no result yet.
    Started,
    /// It worked.
    Done,
    /// It did not.
    Failed,
    /// Nothing was tried; something is worth knowing.
    Info,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 4] = [Self::Started, Self::Done, Self::Failed, Self::Info];

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Info => "info",
        }
    }

    /// Reads the wire form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// Glyph for lists and terminals.
    #[must_use]
    pub const fn glyph(self) -> &'static str {
        match self {
            Self::Started => "◔",
            Self::Done => "✓",
            Self::Failed => "✖",
            Self::Info => "·",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An event on its way into the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEvent {
    /// When it happened, by the source's clock.
    pub at: Ts,
    /// Who reports it.
    pub source: SourceId,
    /// Which controller acted. People act as `user`.
    pub controller: String,
    /// On which object.
    pub object: ObjectKey,
    /// The app it belongs to, by name.
    pub app: Option<String>,
    /// The env it belongs to, by name.
    pub env: Option<String>,
    /// What was tried: `StartInstance`, `Deploy`.
    pub action: String,
    /// What happened.
    pub outcome: Outcome,
    /// Why, as a CamelCase word; empty when there is nothing to explain.
    pub reason: String,
    /// Why, as a sentence. Hostile text.
    pub message: String,
    /// Which try this was, from 1.
    pub attempt: Option<u32>,
    /// The request that led to it.
    pub trace_id: Option<TraceId>,
    /// Makes the event idempotent within its source.
    pub dedupe: Option<String>,
}

/// A recorded event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its place in the journal; the id is `ev_` and this number.
    pub seq: Seq,
    /// When it happened, by the source's clock.
    pub at: Ts,
    /// When it was recorded, by ours.
    pub recorded_at: Ts,
    /// Who reports it.
    pub source: SourceId,
    /// Which controller acted.
    pub controller: String,
    /// On which object.
    pub object: ObjectKey,
    /// The app it belongs to, by name.
    pub app: Option<String>,
    /// The env it belongs to, by name.
    pub env: Option<String>,
    /// What was tried.
    pub action: String,
    /// What happened.
    pub outcome: Outcome,
    /// Why, as a CamelCase word.
    pub reason: String,
    /// Why, as a sentence. Hostile text.
    pub message: String,
    /// Which try this was, from 1.
    pub attempt: Option<u32>,
    /// The request that led to it.
    pub trace_id: Option<TraceId>,
}

impl Event {
    /// The id that links and people use.
    #[must_use]
    pub fn id(&self) -> EventId {
        EventId(self.seq)
    }

    /// The link to its detail.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/events?sel={}#{0}", self.id())
    }
}

/// Which events a reader wants. Empty lists mean "any"; different fields are combined with AND.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct EventFilter {
    /// App names.
    pub app: Vec<String>,
    /// Env names.
    pub env: Vec<String>,
    /// Kinds of object.
    pub kind: Vec<ObjectKind>,
    /// Objects.
    pub object: Vec<ObjectKey>,
    /// Controllers.
    pub controller: Vec<String>,
    /// Reasons.
    pub reason: Vec<String>,
    /// Reasons that are not wanted.
    pub not_reason: Vec<String>,
    /// Outcomes.
    pub outcome: Vec<Outcome>,
    /// Text that message, reason, action or object id contain, ignoring case.
    pub q: Option<String>,
    /// Not before this instant.
    pub from: Option<Ts>,
    /// Not after this instant.
    pub to: Option<Ts>,
}

impl EventFilter {
    /// Whether this event is wanted. The store asks the same question in SQL; a conformance test compares both.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        fn any<T: PartialEq>(wanted: &[T], value: &T) -> bool {
            wanted.is_empty() || wanted.contains(value)
        }
        let named = |wanted: &[String], value: &Option<String>| {
            wanted.is_empty() || value.as_ref().is_some_and(|value| wanted.contains(value))
        };
        named(&self.app, &event.app)
            && named(&self.env, &event.env)
            && any(&self.kind, event.object.kind())
            && any(&self.object, &event.object)
            && any(&self.controller, &event.controller)
            && any(&self.reason, &event.reason)
            && !self.not_reason.contains(&event.reason)
            && any(&self.outcome, &event.outcome)
            && self.from.is_none_or(|from| event.at >= from)
            && self.to.is_none_or(|to| event.at <= to)
            && self.q.as_ref().is_none_or(|q| {
                let q = q.to_lowercase();
                [event.message.as_str(), &event.reason, &event.action, event.object.id()]
                    .iter()
                    .any(|text| text.to_lowercase().contains(&q))
            })
    }
}
