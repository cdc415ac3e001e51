//! What platforms report. Sources make these; ingest stores them.
//!
//! A full set ([`Observation::Snapshot`]) decides what is gone; a single missing line never does.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Condition, Fields, NewEvent, ObjectKey, ObjectKind, Ref, SourceId, Span, Ts};

/// The state of one object as its source sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObservedObject {
    /// Which object.
    pub key: ObjectKey,
    /// What people call it.
    pub name: String,
    /// The app it belongs to, by name.
    pub app: Option<String>,
    /// The env it belongs to, by name.
    pub env: Option<String>,
    /// Version of the desired state.
    pub generation: i64,
    /// Version that the current state is about.
    pub observed_generation: Option<i64>,
    /// What is wanted.
    pub desired: Fields,
    /// What is.
    pub current: Fields,
    /// Relations.
    pub refs: Vec<Ref>,
    /// All conditions; one that is missing here is no longer reported. `since` is kept by the store where
    /// the status did not flip.
    pub conditions: Vec<Condition>,
}

/// A line on its way into the log tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLogLine {
    /// When.
    pub at: Ts,
    /// Which object printed it.
    pub object: ObjectKey,
    /// The app it belongs to, by name.
    pub app: Option<String>,
    /// The env it belongs to, by name.
    pub env: Option<String>,
    /// `stdout`, `stderr` or `vt`.
    pub stream: String,
    /// The text. Hostile.
    pub line: String,
}

/// One thing that a source has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// This object is like this now.
    Object(Box<ObservedObject>),
    /// This object is like this now; conditions that are not named here stay as they were.
    Update(Box<ObservedObject>),
    /// This is one condition of an object that was reported before; its others stay as they were.
    Condition {
        /// Whose.
        object: ObjectKey,
        /// What holds now.
        condition: Box<Condition>,
    },
    /// This happened.
    Event(Box<NewEvent>),
    /// This was printed.
    Log(NewLogLine),
    /// This object is known to be gone.
    Gone(ObjectKey),
    /// These are all objects of these kinds; what is not listed is gone. Swapped in atomically.
    Snapshot {
        /// Which kinds are complete.
        kinds: Vec<ObjectKind>,
        /// All their objects.
        objects: Vec<ObservedObject>,
    },
    /// The objects of these kinds were all reported in this or in earlier batches; what is not listed is gone.
    Complete {
        /// Which kinds are complete.
        kinds: Vec<ObjectKind>,
        /// All their objects.
        listed: BTreeSet<ObjectKey>,
    },
    /// Nothing changed, and the source is alive.
    Alive,
}

/// What one source says at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Who.
    pub source: SourceId,
    /// When, by the server's clock; the source's watermark.
    pub at: Ts,
    /// What.
    pub observations: Vec<Observation>,
}

/// The kind of a source that has no adapter of ours and sends observations. Such a source speaks about its own
/// objects only.
pub const OBSERVED: &str = "observations";

/// A source, as it introduces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// Id; stable across restarts of the server.
    pub id: SourceId,
    /// What people call it.
    pub name: String,
    /// `local`, `kubernetes`, or [`OBSERVED`].
    pub kind: String,
    /// How often it promises to speak.
    pub interval: Span,
}
