//! Errors at the edge: the only place that turns a code into a status.
//!
//! Handlers return [`Problem`]; it is logged once, here, and answered as `application/problem+json`.
//! What a client must not know (paths, SQL, addresses) stays in the log under the same trace id.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use control::commands::{CommandError, Submitted};
use model::{ApiError, ErrorCode, TraceId, error::Detail};
use store::StoreError;

/// An error on its way out.
#[derive(Debug)]
pub struct Problem(pub Box<ApiError>);

/// What a handler returns.
pub type Answer<T> = Result<T, Problem>;

/// The status of a code, by who reads it and what they will do.
#[must_use]
pub const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::ForeignOrigin => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::StaleGeneration
        | ErrorCode::PlanChanged
        | ErrorCode::PlanBlocked
        | ErrorCode::KeyReused => StatusCode::CONFLICT,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::StoreFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// An error of this code.
    #[must_use]
    pub fn new(code: ErrorCode, title: impl Into<String>, trace: &TraceId) -> Self {
        Self(Box::new(ApiError::new(code, title, trace.clone())))
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the fields that are wrong.
    #[must_use]
    pub fn details(mut self, details: Vec<Detail>) -> Self {
        self.0.details = details;
        self
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(what: &str, trace: &TraceId) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no {what} that you may see"), trace)
    }

    /// A field makes no sense.
    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>, trace: &TraceId) -> Self {
        let message = message.into();
        let detail = Detail { field: field.to_owned(), message: message.clone() };
        Self::new(ErrorCode::Invalid, format!("{field}: {message}"), trace).details(vec![detail])
    }

    /// The store failed. Logged here, once, with its causes.
    #[must_use]
    pub fn store(error: &StoreError, trace: &TraceId) -> Self {
        let (code, title) = match error {
            StoreError::Full { .. } => (ErrorCode::StoreFull, "the store is full; nothing was written"),
            StoreError::Unavailable { .. } => {
                (ErrorCode::StoreUnavailable, "the store does not answer; nothing was written")
            }
            StoreError::NotFound { .. } => (ErrorCode::NotFound, "there is no such thing that you may see"),
            StoreError::Conflict { .. } => {
                (ErrorCode::StaleGeneration, "it changed meanwhile; nothing was written")
            }
            StoreError::Other { .. } => (ErrorCode::Internal, "the store failed; nothing was written"),
        };
        if code != ErrorCode::NotFound {
            tracing::error!(trace.id = %trace, error = %control::chain(error), "store failure");
        }
        Self::new(code, title, trace)
    }

    /// A command failed.
    #[must_use]
    pub fn command(error: &CommandError, trace: &TraceId) -> Self {
        Self::store(&error.0, trace)
    }

    /// A command was refused; `None` where it was accepted.
    #[must_use]
    pub fn refused(submitted: &Submitted, trace: &TraceId) -> Option<Self> {
        Some(match submitted {
            Submitted::Accepted(_) | Submitted::Repeated(_) => return None,
            Submitted::PlanChanged(plan) => Self::new(
                ErrorCode::PlanChanged,
                "the plan is out of date: desired state changed meanwhile; nothing was written",
                trace,
            )
            .hint(format!("plan again; the generation is {} now", plan.expected_generation)),
            Submitted::Blocked(plan) => Self::new(
                ErrorCode::PlanBlocked,
                format!("the plan cannot be carried out: {}", plan.blocked().unwrap_or("blocked")),
                trace,
            ),
            Submitted::Forbidden { needs } => {
                Self::new(ErrorCode::Forbidden, format!("this needs the {} role", needs.as_str()), trace)
            }
            Submitted::KeyReused => {
                Self::new(ErrorCode::KeyReused, "this idempotency key was used for another request", trace)
            }
            Submitted::Refused(refusal) => Self::new(ErrorCode::Invalid, refusal.to_string(), trace),
            Submitted::NoSuchEnv => Self::not_found("env", trace),
        })
    }
}

/// What the framework refuses by itself (a query, a path, a method) as the problem document that programs expect.
pub async fn in_one_form(response: Response, trace: &TraceId) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !(status.is_client_error() || status.is_server_error()) || kind.is_some_and(|kind| kind == PROBLEM) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, MAX_PLAIN).await.unwrap_or_default();
    let code = match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::TooLarge,
        _ if status.is_client_error() => ErrorCode::Invalid,
        _ => ErrorCode::Internal,
    };
    let title = match std::str::from_utf8(&text).map(str::trim) {
        Ok(text) if !text.is_empty() && status.is_client_error() => text.to_owned(),
        _ => status.canonical_reason().unwrap_or("not possible").to_lowercase(),
    };
    let mut answer = Problem::new(code, title, trace).into_response();
    *answer.status_mut() = status;
    // `Allow` and the like stay; what described the old body does not.
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    answer.headers_mut().extend(parts.headers);
    answer
}

/// The longest text of the framework that is kept.
const MAX_PLAIN: usize = 4096;
/// The media type of problem documents.
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (status(self.0.code), Json(&*self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM);
        if self.0.code == ErrorCode::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.0.retryable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
