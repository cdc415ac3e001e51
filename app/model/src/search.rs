//! What a search found: things, pages, codes, each with the way to it.

use serde::{Deserialize, Serialize};

use crate::Verdict;

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hit {
    /// The heading that it stands under: `Exact id`, `App-envs`, `Pages`.
    pub group: String,
    /// What people call it. Hostile text.
    pub title: String,
    /// What it is, in a few words. Hostile text.
    pub detail: String,
    /// Where it is; a path of our own.
    pub href: String,
    /// What is said about it, where something is.
    pub verdict: Option<Verdict>,
}

/// What a search found, the most certain first; hits of one group stand together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Found {
    /// What was looked for.
    pub q: String,
    /// The hits.
    pub hits: Vec<Hit>,
}
