//! What goes into the store and comes out of it, beyond the vocabulary of `model`. No row types.

use std::{fmt, path::PathBuf, sync::Arc};

use model::{
    Actor, EnvId, EnvRef, NewEvent, ObjectKey, ObjectKind, Receipt, ReceiptId, Release, Role, Seq, SourceId,
    TokenId, TraceId, Ts, Verb, Wait, plan::Intent,
};

/// Where a store reads the time. Given at open, so that tests own it.
pub type Clock = Arc<dyn Fn() -> Ts + Send + Sync>;

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A file on this machine.
    Sqlite(PathBuf),
    /// A PostgreSQL database, `postgres://…`.
    Postgres(String),
}

impl StoreUrl {
    /// Reads `postgres://…`, `postgresql://…`, `sqlite:PATH` or a plain path.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Self::Postgres(text.to_owned());
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        Self::Sqlite(PathBuf::from(path))
    }
}

impl fmt::Display for StoreUrl {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                // Parameters can hold a password too.
                let rest = rest.split(['?', '#']).next().unwrap_or_default();
                match rest.rsplit_once('@') {
                    Some((user, place)) => {
                        let user = user.split(':').next().unwrap_or_default();
                        write!(f, "{scheme}://{user}@{place}")
                    }
                    None => write!(f, "{scheme}://{rest}"),
                }
            }
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Where it reads the time.
    pub clock: Clock,
    /// How many readers work at a time.
    pub readers: u32,
}

impl Options {
    /// Four readers, and this clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, readers: 4 }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("readers", &self.readers).finish_non_exhaustive()
    }
}

/// What a journal row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JournalKind {
    /// An event was recorded.
    Event,
    /// An object appeared or changed.
    Object,
    /// An object is gone.
    Gone,
    /// A verdict or its sentence changed.
    Verdict,
    /// Desired state of an env changed.
    Env,
    /// A release was made, or its marks moved.
    Release,
    /// A receipt was made or moved.
    Receipt,
    /// A wait was made or moved.
    Wait,
    /// A row of the audit log.
    Audit,
    /// A source appeared, erred, recovered or was silent.
    Source,
}

impl JournalKind {
    /// Every kind.
    pub const ALL: [JournalKind; 10] = [
        Self::Event,
        Self::Object,
        Self::Gone,
        Self::Verdict,
        Self::Env,
        Self::Release,
        Self::Receipt,
        Self::Wait,
        Self::Audit,
        Self::Source,
    ];

    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Object => "object",
            Self::Gone => "gone",
            Self::Verdict => "verdict",
            Self::Env => "env",
            Self::Release => "release",
            Self::Receipt => "receipt",
            Self::Wait => "wait",
            Self::Audit => "audit",
            Self::Source => "source",
        }
    }

    /// Reads the stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One row of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Its place.
    pub seq: Seq,
    /// When it was recorded; never before the row in front of it.
    pub recorded_at: Ts,
    /// What it is about.
    pub kind: JournalKind,
    /// The object, where there is one.
    pub object: Option<ObjectKey>,
    /// The env, where there is one. Rows about objects name the env that the object belongs to.
    pub env: Option<EnvId>,
    /// Id of the receipt, wait, release, env or source.
    pub subject: Option<String>,
}

/// What became of an ingest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Sequences of the recorded events, in the order of the observations.
    pub events: Vec<Seq>,
    /// How many objects appeared, changed or went.
    pub changed: u32,
    /// Observations that said nothing new, counted through all batches from 0.
    pub duplicates: Vec<usize>,
    /// Observations that were not stored, counted through all batches from 0, and why.
    pub refused: Vec<(usize, String)>,
}

/// What is noted of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseMark {
    /// It began to hold fully.
    Converged(Ts),
    /// It held until then.
    HeldUntil(Ts),
}

/// Makes a command repeatable: the same key of the same actor gets the same receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who.
    pub actor: String,
    /// Their key.
    pub key: String,
    /// Hash of the request; another one under the same key is refused.
    pub request_hash: String,
}

/// One row for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Ts,
    /// Who.
    pub actor: Actor,
    /// What they did: `deploy`, `wait.stop`, `token.create`.
    pub action: String,
    /// To what, said for people: `checkout/prod`.
    pub target: String,
    /// The env, where there is one.
    pub env: Option<EnvId>,
    /// Why, in their words. Hostile text.
    pub reason: String,
    /// What came of it: `accepted`, `refused: forbidden`.
    pub outcome: String,
    /// The receipt, where there is one.
    pub receipt: Option<ReceiptId>,
    /// The request.
    pub trace_id: TraceId,
}

/// A recorded row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the journal.
    pub seq: Seq,
    /// When it was recorded, by our clock.
    pub recorded_at: Ts,
    /// What it says.
    pub entry: AuditEntry,
}

/// Everything that one command writes, in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvWrite {
    /// Makes the app and the env when they are new. Its `env_id` is the one below.
    pub declare: Option<EnvRef>,
    /// A release to add; its number is given here and comes back in the answer.
    pub new_release: Option<Release>,
    /// Which env.
    pub env_id: EnvId,
    /// The generation that the command was planned for; 0 for a new env.
    pub expected_generation: i64,
    /// The desired state after it.
    pub intent: Intent,
    /// What was done.
    pub verb: Verb,
    /// What is answered. Its generation is set to the expected one plus one.
    pub receipt: Receipt,
    /// A wait that goes with it.
    pub wait: Option<Wait>,
    /// For the audit log.
    pub audit: AuditEntry,
    /// For the event list. Its source must be registered.
    pub event: NewEvent,
    /// Makes it repeatable.
    pub idempotency: Option<IdempotencyKey>,
}

/// How a command came out. Refusals are values: nothing was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Submitted {
    /// It is on disk.
    Accepted {
        /// As stored.
        receipt: Box<Receipt>,
        /// As stored, with its number.
        release: Option<Box<Release>>,
    },
    /// The same request was accepted before; this is its receipt as it stands now.
    Repeated(Box<Receipt>),
    /// Desired state changed meanwhile.
    Stale {
        /// Its generation now.
        current: i64,
    },
    /// The key was used for another request.
    KeyReused,
}

/// How a new wait came out.
#[derive(Debug, Clone, PartialEq)]
pub enum WaitInserted {
    /// It is on disk.
    Created,
    /// The same request was accepted before; this is its wait as it stands now.
    Repeated(Box<Wait>),
    /// The key was used for another request.
    KeyReused,
}

/// One verdict to store.
#[derive(Debug, Clone, PartialEq)]
pub struct VerdictPut {
    /// About what.
    pub key: ObjectKey,
    /// What is said.
    pub judgement: model::Judgement,
    /// The journal position that was looked at.
    pub judged_seq: Seq,
    /// When to look again although nothing happened.
    pub next_check_at: Option<Ts>,
}

/// A stored use of an idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyUse {
    /// Hash of the request that used it.
    pub request_hash: String,
    /// The receipt as it stands now.
    pub receipt: Receipt,
}

/// A named token. Its secret is nowhere; only a hash is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Id.
    pub id: TokenId,
    /// The actor's name.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// The one source that it may report for; it opens nothing else then.
    pub source: Option<SourceId>,
    /// When it was made.
    pub created_at: Ts,
    /// When it ends by itself.
    pub expires_at: Option<Ts>,
    /// When it was revoked.
    pub revoked_at: Option<Ts>,
}

impl Token {
    /// Whether it may be used now.
    #[must_use]
    pub fn is_valid(&self, now: Ts) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A browser session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub actor: Actor,
    /// The token that it came from; revoking that ends the session.
    pub token: Option<TokenId>,
    /// When it began.
    pub created_at: Ts,
    /// When it ends.
    pub expires_at: Ts,
}

/// Which objects a reader wants. `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectFilter {
    /// Kind.
    pub kind: Option<ObjectKind>,
    /// App, by name.
    pub app: Option<String>,
    /// Env, by name.
    pub env: Option<String>,
    /// Also those that are gone.
    pub include_gone: bool,
    /// At most so many; `None` is all of them, however many there are.
    pub limit: Option<u32>,
}

/// Which log lines a reader wants. `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// App, by name.
    pub app: Option<String>,
    /// Env, by name.
    pub env: Option<String>,
    /// One object.
    pub object: Option<ObjectKey>,
    /// Not older than this.
    pub since: Option<Ts>,
    /// After this line: the oldest ones that follow. Without it: the newest ones.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// A stretch of time with one status of one condition, or one verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSegment {
    /// `seg_` and this number is what `sel=` names.
    pub id: i64,
    /// Whose.
    pub object: ObjectKey,
    /// The condition's type, or [`VERDICT_LANE`].
    pub condition: String,
    /// `True`, `False`, `Unknown`, or a verdict's wire form.
    pub status: String,
    /// The last reason within it; empty for verdicts.
    pub reason: String,
    /// The last message within it, or the verdict's sentence. Hostile text.
    pub message: String,
    /// Which generation it is about.
    pub generation: Option<i64>,
    /// From when.
    pub from: Ts,
    /// To when; `None` while it holds.
    pub to: Option<Ts>,
}

/// The lane of verdicts among those of conditions.
pub const VERDICT_LANE: &str = "Verdict";

/// Why nothing was recorded for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// The source did not speak.
    Silent,
    /// Nobody listened: the server was down.
    ServerDown,
}

impl GapReason {
    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::ServerDown => "server_down",
        }
    }

    /// Reads the stored form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Silent, Self::ServerDown].into_iter().find(|reason| reason.as_str() == text)
    }
}

/// A stretch of time that nobody watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingGap {
    /// Whose silence it is.
    pub source: SourceId,
    /// The last time we knew.
    pub from: Ts,
    /// The first time we knew again.
    pub to: Ts,
    /// Why.
    pub reason: GapReason,
}

/// An object that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundObject {
    /// Which.
    pub key: ObjectKey,
    /// What people call it.
    pub name: String,
    /// Its app, by name.
    pub app: Option<String>,
    /// Its env, by name.
    pub env: Option<String>,
    /// What is said about it; `None` when nobody has judged it.
    pub verdict: Option<model::Verdict>,
    /// Whether it does not exist any more.
    pub is_gone: bool,
}

/// What a source owns, beside how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// Since when it is known.
    pub registered_at: Ts,
    /// Objects that exist now, by kind.
    pub objects: std::collections::BTreeMap<String, i64>,
    /// How long its newest recent event took to be recorded.
    pub lag: Option<model::Span>,
}

/// Up to where retention deletes; `None` keeps everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cutoffs {
    /// Events and the journal rows recorded before this.
    pub events: Option<Ts>,
    /// Log lines from before this.
    pub logs: Option<Ts>,
    /// Newest log lines that are kept for each object.
    pub log_lines_per_object: Option<u32>,
    /// Object versions recorded before this, except those that a later one builds on.
    pub versions: Option<Ts>,
    /// Condition and verdict segments that ended before this, and recording gaps.
    pub segments: Option<Ts>,
    /// Idempotency keys used before this.
    pub idempotency: Option<Ts>,
    /// Sessions and sign-in links that ended before this.
    pub sessions: Option<Ts>,
    /// At most so many rows of each kind in one step.
    pub limit: u32,
}

/// What one step of retention deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Events.
    pub events: u64,
    /// Rows of the journal.
    pub journal: u64,
    /// Log lines.
    pub logs: u64,
    /// Object versions.
    pub versions: u64,
    /// Segments and gaps.
    pub segments: u64,
    /// Idempotency keys, sessions and links.
    pub small: u64,
}

impl Deleted {
    /// How many rows.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.events + self.journal + self.logs + self.versions + self.segments + self.small
    }
}
