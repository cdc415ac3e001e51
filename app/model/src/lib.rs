//! The vocabulary of Vantage.
//!
//! Every word that the server and the browser share is defined here once, as plain data with pure functions:
//!
//! - what is recorded: [`Object`], [`Condition`], [`Event`], [`Release`], [`EnvRecord`];
//! - what is said about it: [`Verdict`], [`Gap`], [`Freshness`], [`Lane`];
//! - what is done about it: [`Plan`], [`Receipt`], [`Wait`];
//! - how it travels: [`ViewState`] in URLs, [`live`] messages on the socket, [`ApiError`] on failure.
//!
//! The crate refuses to do I/O, to read a clock and to draw randomness: times and random bits are arguments.
//! It compiles to wasm32, where fields that no island shows are not read: `serde(skip_deserializing)` for `wasm`
//! keeps their types out of the browser half. Rules that *decide* something (verdicts, gaps, plans) live in `rules`, natively only.

mod as_text;

pub mod actor;
pub mod audit;
pub mod condition;
pub mod doctor;
pub mod error;
pub mod event;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod freshness;
pub mod gap;
pub mod id;
pub mod instance;
pub mod live;
pub mod object;
pub mod observation;
pub mod plan;
pub mod receipt;
pub mod search;
pub mod source;
pub mod spec;
pub mod stream;
pub mod time;
pub mod timeline;
pub mod verdict;
pub mod view;
pub mod view_state;
pub mod wait;

pub use actor::{Actor, Role};
pub use condition::{Condition, ConditionStatus, Polarity};
pub use error::{ApiError, ErrorCode};
pub use event::{Event, EventFilter, NewEvent, Outcome};
pub use freshness::Freshness;
pub use gap::{Evidence, EvidenceKind, FieldState, Gap, GapRow, Link, NextStep};
pub use id::{
    AppId, EnvId, EventId, InstanceId, ReceiptId, ReleaseId, Seq, SourceId, TokenId, TraceId, WaitId,
};
pub use instance::{ActualInstance, InstanceState, StartInstance};
pub use object::{EnvRef, Fields, Object, ObjectKey, ObjectKind, Ref};
pub use observation::{Batch, Observation, ObservedObject};
pub use plan::{Change, Guardrail, GuardrailLevel, Plan, Verb};
pub use receipt::{Checked, Receipt, ReceiptPhase};
pub use spec::{AppSpec, EnvRecord, Release, RunState};
pub use time::{Span, Ts};
pub use timeline::{Lane, Marker, MarkerKind, Segment, SegmentStatus, Tone};
pub use verdict::{Because, Judgement, Verdict};
pub use view_state::ViewState;
pub use wait::{Until, Wait, WaitPhase};
