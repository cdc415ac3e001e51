//! What a client is told when something did not work. Status codes live at the HTTP edge.

use serde::{Deserialize, Serialize};

use crate::TraceId;

/// A stable word for what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request makes no sense; `details` name the fields.
    Invalid,
    /// Nobody is signed in.
    Unauthenticated,
    /// The role does not allow it.
    Forbidden,
    /// The request came from another site.
    ForeignOrigin,
    /// No such thing.
    NotFound,
    /// Desired state changed meanwhile.
    StaleGeneration,
    /// The plan is no longer what was confirmed.
    PlanChanged,
    /// The plan cannot be confirmed.
    PlanBlocked,
    /// The idempotency key was used for something else.
    KeyReused,
    /// The body or a field is too large.
    TooLarge,
    /// Too many requests, sockets or streams.
    TooMany,
    /// The store cannot be reached or is full; nothing was written.
    StoreUnavailable,
    /// The disk is full; nothing was written.
    StoreFull,
    /// Our fault.
    Internal,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [ErrorCode; 14] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::ForeignOrigin,
        Self::NotFound,
        Self::StaleGeneration,
        Self::PlanChanged,
        Self::PlanBlocked,
        Self::KeyReused,
        Self::TooLarge,
        Self::TooMany,
        Self::StoreUnavailable,
        Self::StoreFull,
        Self::Internal,
    ];

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::ForeignOrigin => "foreign_origin",
            Self::NotFound => "not_found",
            Self::StaleGeneration => "stale_generation",
            Self::PlanChanged => "plan_changed",
            Self::PlanBlocked => "plan_blocked",
            Self::KeyReused => "key_reused",
            Self::TooLarge => "too_large",
            Self::TooMany => "too_many",
            Self::StoreUnavailable => "store_unavailable",
            Self::StoreFull => "store_full",
            Self::Internal => "internal",
        }
    }

    /// What it means, for the page that lists them.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Invalid => "The request makes no sense; details name the fields.",
            Self::Unauthenticated => "Nobody is signed in.",
            Self::Forbidden => "The role does not allow it.",
            Self::ForeignOrigin => "The request came from another site, or names another host.",
            Self::NotFound => "There is no such thing that you may see.",
            Self::StaleGeneration => "Desired state changed meanwhile; nothing was written.",
            Self::PlanChanged => "The plan is no longer what was confirmed; nothing was written.",
            Self::PlanBlocked => "The plan cannot be carried out; nothing was written.",
            Self::KeyReused => "The idempotency key was used for something else.",
            Self::TooLarge => "The body or a field is too large.",
            Self::TooMany => "Too many requests, sockets or streams at a time.",
            Self::StoreUnavailable => "The store cannot be reached; nothing was written.",
            Self::StoreFull => "The disk is full; nothing was written.",
            Self::Internal => "Our fault; the server's log has the cause under the trace id.",
        }
    }

    /// Whether the same request may work later.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::TooMany | Self::StoreUnavailable | Self::StoreFull)
    }
}

/// One field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Detail {
    /// Which field, or `line:column` of a file.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

/// A problem document (RFC 9457 with our extensions): `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{title}")]
pub struct ApiError {
    /// A stable word for programs.
    pub code: ErrorCode,
    /// One sentence for people.
    pub title: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The request, for tickets.
    pub trace_id: TraceId,
    /// Whether the same request may work later.
    pub retryable: bool,
    /// Fields and what is wrong with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

impl ApiError {
    /// An error with the code's own answer to "may I retry".
    #[must_use]
    pub fn new(code: ErrorCode, title: impl Into<String>, trace_id: TraceId) -> Self {
        Self { code, title: title.into(), hint: None, trace_id, retryable: code.retryable(), details: vec![] }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
