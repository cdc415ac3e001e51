//! What pages are made from: one struct a page, and the port that the server implements ([`Backend`]).
//!
//! The data types are those of `model`; what is added here is only what a page shows around them: who
//! reads, what waits in the top bar, and what of the URL was not understood.

pub mod backend;
pub mod reference;

use std::collections::BTreeMap;

use model::{
    EnvRef, Judgement, Plan, Receipt, ReleaseId, Role, Seq, TraceId, Ts, Wait,
    view::{ActionState, EnvView, Overview, ReleaseRow},
};

use serde::Serialize;

pub use backend::Backend;

/// A page's data, read in one snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What it is about.
    pub data: T,
    /// The journal position that the data is complete up to; the socket continues from here.
    pub as_of: Seq,
    /// The server's clock when it was read.
    pub now: Ts,
    /// Which store.
    pub store_id: String,
    /// Which build of the server.
    pub build_id: String,
    /// Who reads.
    pub viewer: Viewer,
    /// What the top bar counts.
    pub chrome: Chrome,
    /// Parts of the URL's query that were not understood.
    pub unknown_keys: Vec<String>,
}

/// Who reads a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The name that audit and receipts show.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they signed in, or reading is open to everybody.
    pub signed_in: bool,
    /// When their session or token ends by itself.
    pub ends_at: Option<Ts>,
}

impl Viewer {
    /// Whether they may change desired state.
    #[must_use]
    pub fn may_act(&self) -> bool {
        self.signed_in && self.role >= Role::Operator
    }
}

/// Counts of the top bar; zero is not shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chrome {
    /// Waits that still watch.
    pub open_waits: u32,
    /// Receipts that are neither done nor given up.
    pub open_receipts: u32,
    /// Sources that fell silent.
    pub silent_sources: u32,
}

/// The overview, with one app-env beside it where one is looked at (`?sel=env_x`).
#[derive(Debug, Clone, PartialEq)]
pub struct OverviewPage {
    /// The overview.
    pub view: Overview,
    /// The app-env.
    pub peek: Option<EnvView>,
}

/// The app/env page, with a plan over it where one was opened (`?open=rollback:rel_x`).
#[derive(Debug, Clone, PartialEq)]
pub struct EnvPage {
    /// The env.
    pub view: EnvView,
    /// The open plan.
    pub open: Option<PlanPage>,
}

/// The release history.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleasesPage {
    /// Whose.
    pub target: EnvRef,
    /// What is said about it.
    pub judgement: Judgement,
    /// Newest first.
    pub rows: Vec<ReleaseRow>,
}

/// A plan to read and confirm.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanPage {
    /// The plan.
    pub plan: Plan,
    /// Wanted instances by process now: what a scale form offers.
    pub processes: BTreeMap<String, u32>,
    /// Other releases that could be chosen, newest first.
    pub releases: Vec<(ReleaseId, String)>,
    /// What happened before: "The plan is out of date. Planned again below."
    pub notice: Option<String>,
    /// What the person had typed as reason, when the page is shown again.
    pub reason: String,
}

/// A page of a list: what is under way, however old, then the newest; or older rows in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    /// The rows that are shown.
    pub rows: Vec<T>,
    /// Whether newer ones are on a page before this one.
    pub continued: bool,
    /// The row behind which the next page begins, where there is one.
    pub older: Option<String>,
}

/// One receipt.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceiptPage {
    /// The receipt.
    pub receipt: Receipt,
    /// The wait that goes with it.
    pub wait: Option<Wait>,
    /// What would undo it: "Return to r-2…".
    pub undo: Option<ActionState>,
}

/// The settings page: what is chosen comes with the request, what the server was started with is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingsPage {
    /// What this build can set for everybody.
    pub server: Vec<ServerSetting>,
}

/// One thing that is set for everybody, where the server is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerSetting {
    /// What people call it.
    pub title: &'static str,
    /// Its flag, or where it is changed.
    pub how: &'static str,
    /// What it is now; `None` for readers who may not know.
    pub value: Option<String>,
}

/// Pages that only explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum HelpPage {
    /// Every key.
    Keys,
    /// Every error code.
    Codes,
}

/// Why a page cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageError {
    /// No such thing.
    NotFound {
        /// What was looked for, in words.
        what: String,
    },
    /// Nobody is signed in.
    Unauthenticated {
        /// Where to go after signing in; a path of our own.
        return_to: String,
        /// Whether they were signed in before, and that has ended.
        expired: bool,
    },
    /// The role does not allow it.
    Forbidden {
        /// What was wanted, in words.
        what: String,
        /// The role that could.
        needs: Role,
        /// Names of tokens that have it, where they may be told.
        holders: Vec<String>,
    },
    /// The request makes no sense.
    Invalid {
        /// What is wrong, in words.
        what: String,
    },
    /// The store does not answer.
    Unavailable {
        /// What does not work, in words.
        what: String,
        /// The request, for tickets.
        trace_id: TraceId,
    },
}

impl PageError {
    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound { .. } => 404,
            Self::Unauthenticated { .. } => 401,
            Self::Forbidden { .. } => 403,
            Self::Invalid { .. } => 400,
            Self::Unavailable { .. } => 503,
        }
    }
}
