//! What pages and live frames show: one struct a page, computed once on the server, drawn by one component.

use serde::{Deserialize, Serialize};

use crate::{
    EnvRef, Event, Gap, Judgement, Marker, Object, ObjectKey, Receipt, Release, Seq, SourceId, Span, Ts,
    Verb, Verdict, Wait, timeline::Timeline, verdict::Attention,
};

/// How many app-envs have which verdict, and what we listen to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Counts {
    /// All of them.
    pub total: u32,
    /// Failed, stuck, unknown or degraded.
    pub attention: u32,
    /// Unknown, counted in `attention` too.
    pub unknown: u32,
    /// Converging.
    pub converging: u32,
    /// Converged.
    pub converged: u32,
    /// Idle, or waiting as planned.
    pub idle: u32,
}

/// One source and whether it talks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceState {
    /// Id.
    pub id: SourceId,
    /// What people call it.
    pub name: String,
    /// `local`, or `observations`: a platform that reports and takes no orders.
    pub kind: String,
    /// How often it is expected to speak.
    pub interval: Span,
    /// When it last spoke; `None` when it never did.
    pub last_seen_at: Option<Ts>,
    /// Its last error. Hostile text.
    pub error: Option<String>,
}

/// One app-env on the overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverviewRow {
    /// Which.
    pub target: EnvRef,
    /// What is said about it; the sentence carries the reason.
    pub judgement: Judgement,
    /// `r-2 ×4`.
    pub desired: String,
    /// `r-1 ×3`.
    pub current: String,
    /// What changed last.
    pub last_change: Option<Marker>,
    /// Where the source of this row fell silent; `None` while it talks.
    pub stale_since: Option<Ts>,
    /// In the grid: the worst verdict of each [`CELL`] up to now, oldest first; `None` where nothing was recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Option<Verdict>>,
}

/// How many cells the history of a row in the grid has.
pub const CELLS: i64 = 12;
/// How long a cell is.
pub const CELL: Span = Span::minutes(10);

/// The groups of the overview, in their fixed order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Somebody has to act or look.
    Attention,
    /// It moves by itself.
    Motion,
    /// Nothing to see.
    Quiet,
}

impl Group {
    /// All of them, in order.
    pub const ALL: [Group; 3] = [Self::Attention, Self::Motion, Self::Quiet];

    /// Where a verdict belongs.
    #[must_use]
    pub const fn of(verdict: Verdict) -> Self {
        match verdict.attention() {
            Attention::Act | Attention::Look => Self::Attention,
            Attention::Watch => Self::Motion,
            Attention::Quiet => Self::Quiet,
        }
    }

    /// Its first and its last verdict, in the order of [`Verdict::place`].
    #[must_use]
    pub const fn verdicts(self) -> (Verdict, Verdict) {
        match self {
            Self::Attention => (Verdict::Failed, Verdict::Degraded),
            Self::Motion => (Verdict::Converging, Verdict::Converging),
            Self::Quiet => (Verdict::Waiting, Verdict::Idle),
        }
    }

    /// The wire form, also its DOM id.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Motion => "motion",
            Self::Quiet => "quiet",
        }
    }

    /// Reads the wire form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == text)
    }

    /// How many of the counted are in it.
    #[must_use]
    pub const fn count(self, counts: &Counts) -> u32 {
        match self {
            Self::Attention => counts.attention,
            Self::Motion => counts.converging,
            Self::Quiet => counts.converged + counts.idle,
        }
    }
}

/// Which page of one group, or of the grid, is shown instead of the begin of all groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupPage {
    /// Which; `None` is the grid: every app-env, by name.
    pub group: Option<Group>,
    /// From 1.
    pub page: u32,
    /// How many there are; at least 1.
    pub pages: u32,
}

/// The overview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    /// Most in need of attention first, then the longest: the begin of each group, or a page of one. `counts`
    /// says how many there are.
    pub rows: Vec<OverviewRow>,
    /// Where a page of one group is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<GroupPage>,
    /// Of all app-envs together, also of those that `rows` leaves out.
    pub verdict: Verdict,
    /// How many of what.
    pub counts: Counts,
    /// What we listen to.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub sources: Vec<SourceState>,
    /// Changes of the last two hours, oldest first.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub changes: Vec<Marker>,
    /// The `<h1>`.
    pub sentence: String,
}

/// One instance, drawn as a square. A ghost is wanted and does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstanceRow {
    /// Which; `None` for a ghost.
    pub object: Option<ObjectKey>,
    /// `i-9f2k`, or what is missing.
    pub name: String,
    /// Its process.
    pub process: String,
    /// `r-2`.
    pub release: String,
    /// What is said about it.
    pub verdict: Verdict,
    /// `starting`, `running`, `exited`, `restarting`, `stopping`, or `wanted`.
    pub state: String,
    /// Starts so far.
    pub starts: u32,
    /// `exit code 1, attempt 4`; hostile text.
    pub text: String,
}

/// Whether a verb may be used now; forbidden ones stay visible with their reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ActionState {
    /// Which.
    pub verb: Verb,
    /// Its words: `Roll back to r-1…`.
    pub label: String,
    /// Where its plan is; a path of our own.
    pub href: String,
    /// Why not; `None` when it may be used.
    pub disabled: Option<String>,
}

/// A release in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReleaseRow {
    /// The release.
    pub release: Release,
    /// Whether it is the desired one.
    pub desired: bool,
    /// Instances that run it now.
    pub running: u32,
    /// What choosing it does, or why it cannot be chosen; `None` for the desired one.
    pub action: Option<ActionState>,
}

/// The app/env page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvView {
    /// Which.
    pub target: EnvRef,
    /// What is said about it.
    pub judgement: Judgement,
    /// Desired, current, why.
    pub gap: Gap,
    /// Its instances, and ghosts.
    pub instances: Vec<InstanceRow>,
    /// Newest first.
    pub releases: Vec<ReleaseRow>,
    /// What changed, newest first.
    pub changes: Vec<Marker>,
    /// The newest events, newest first.
    pub events: Vec<Event>,
    /// Condition lanes.
    pub timeline: Timeline,
    /// What can be done.
    pub actions: Vec<ActionState>,
    /// Receipts that are still open, and the newest closed one.
    pub receipts: Vec<Receipt>,
    /// Waits that are still open.
    pub waits: Vec<Wait>,
    /// When a controller last looked at it.
    pub last_reconcile_at: Option<Ts>,
    /// What that came to, where it failed. Hostile text.
    pub last_reconcile_error: Option<String>,
    /// Where its source fell silent; `None` while it talks.
    pub stale_since: Option<Ts>,
}

/// A neighbour of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Related {
    /// How it is related: `part_of`, `runs`.
    pub rel: String,
    /// Which.
    pub object: ObjectKey,
    /// What people call it.
    pub name: String,
    /// What is said about it; `None` when nothing is recorded.
    pub verdict: Option<Verdict>,
}

/// A line that a workload printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// Its place among all log lines.
    pub id: i64,
    /// When.
    pub at: Ts,
    /// Which object printed it.
    pub object: ObjectKey,
    /// `stdout`, `stderr`, or `vt` for a note of ours, such as dropped lines.
    pub stream: String,
    /// The text. Hostile.
    pub line: String,
}

/// The object page: the ground truth of one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObjectView {
    /// The object.
    pub object: Object,
    /// The env it belongs to, where it has one.
    pub target: Option<EnvRef>,
    /// What is said about it.
    pub judgement: Judgement,
    /// Desired, current, why.
    pub gap: Gap,
    /// Neighbours.
    pub related: Vec<Related>,
    /// The newest events, newest first.
    pub events: Vec<Event>,
    /// Condition lanes.
    pub timeline: Timeline,
    /// The newest log lines, oldest first; `None` when no source offers logs for it.
    #[cfg_attr(target_family = "wasm", serde(skip_deserializing))]
    pub logs: Option<Vec<LogLine>>,
    /// Where its source fell silent; `None` while it talks.
    pub stale_since: Option<Ts>,
    /// The source that reports it, where that one takes no orders: there is nothing to do here then.
    pub observed_by: Option<String>,
}

/// A facet of the event list: a value and how many events have it under the other filters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetCount {
    /// The value.
    pub value: String,
    /// How many.
    pub n: i64,
}

/// Consecutive events that say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventGroup {
    /// The newest of them.
    pub event: Event,
    /// How many.
    pub n: u32,
    /// When the first one was.
    pub first_at: Ts,
}

/// The events page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventsView {
    /// Newest first; single events are groups of one.
    pub groups: Vec<EventGroup>,
    /// Events under this filter, counted up to 10 000.
    pub total: i64,
    /// Failed ones among them.
    pub failed: i64,
    /// Counts by facet key: `controller`, `reason`, `outcome`, `kind`, `app`.
    pub facets: std::collections::BTreeMap<String, Vec<FacetCount>>,
    /// Continue before this event; `None` at the end.
    pub older: Option<Seq>,
    /// The selected event.
    pub selected: Option<Event>,
    /// When the last event of all was, for the quiet state.
    pub last_at: Option<Ts>,
    /// Since when anything is recorded.
    pub recorded_since: Ts,
    /// The newest 10 000 events under this filter over time, oldest first; empty where there are none.
    #[serde(default)]
    pub bars: Vec<Bar>,
    /// When nobody watched, within the time of the listed events, newest first.
    #[serde(default)]
    pub silences: Vec<Silence>,
}

/// A step of time and its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bar {
    /// From when.
    pub from: Ts,
    /// To when.
    pub to: Ts,
    /// How many.
    pub n: i64,
    /// Failed ones among them.
    pub failed: i64,
}

/// A stretch of time in which nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Silence {
    /// What people call the source.
    pub source: String,
    /// The last time we knew.
    pub from: Ts,
    /// The first time we knew again.
    pub to: Ts,
    /// Why, in words.
    pub reason: String,
}

/// Groups consecutive events with equal controller, object, action, outcome and reason. Order is kept.
#[must_use]
pub fn group(events: Vec<Event>, on: bool) -> Vec<EventGroup> {
    let mut groups: Vec<EventGroup> = Vec::new();
    for event in events {
        match groups.last_mut() {
            Some(last) if on && says_the_same(&last.event, &event) => {
                last.n += 1;
                last.first_at = last.first_at.min(event.at);
            }
            _ => groups.push(EventGroup { first_at: event.at, n: 1, event }),
        }
    }
    groups
}

/// Whether two events fold into one row.
#[must_use]
pub fn says_the_same(a: &Event, b: &Event) -> bool {
    a.controller == b.controller
        && a.object == b.object
        && a.action == b.action
        && a.outcome == b.outcome
        && a.reason == b.reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_lies_in_its_group_and_groups_do_not_overlap() {
        let mut places: Vec<Verdict> = Verdict::ALL.to_vec();
        places.sort_by_key(|verdict| verdict.place());
        assert_eq!(places.iter().map(|v| v.place()).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7]);
        for group in Group::ALL {
            let (from, to) = group.verdicts();
            for verdict in Verdict::ALL {
                let within = (from.place()..=to.place()).contains(&verdict.place());
                assert_eq!(within, Group::of(verdict) == group, "{verdict:?} and {group:?}");
            }
            assert_eq!(Group::parse(group.as_str()), Some(group));
        }
    }
}
