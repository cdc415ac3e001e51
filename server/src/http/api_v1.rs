//! `/api/v1`: what programs rely on. The OpenAPI document is generated from these handlers.

mod apply;
mod audit;
mod blobs;
mod change;
mod document;
mod envs;
mod events;
mod list;
mod logs;
mod objects;
pub(crate) mod observations;
pub(super) mod reads;
mod receipts;
mod search;
mod sources;
mod tokens;
mod upkeep;
mod waits;

pub(super) use document::finish as published;
pub(super) use receipts::mark_checked as mark_receipt;
pub(super) use waits::{end as wait_end, lengthen as wait_lengthen};

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue},
    response::{IntoResponse, Response},
};
use model::{EnvRecord, Seq, TraceId};
use serde::{Serialize, de::DeserializeOwned};
use store::{AuditEntry, Reader};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{error::Problem, guard::Trace, session::Caller};
use crate::state::AppState;

#[derive(OpenApi)]
#[openapi(
    components(schemas(model::ApiError, model::ConditionStatus)),
    info(
        title = "Vantage",
        description = "Every read answers the journal position it was read at in X-Journal-Seq. Every write takes an \
                   Idempotency-Key and answers a receipt. Errors are application/problem+json with code, trace_id, \
                   retryable and details.",
    )
)]
struct Document;

/// The routes, and the document that describes them.
pub(super) fn router() -> (axum::Router<AppState>, utoipa::openapi::OpenApi) {
    let routes = OpenApiRouter::new()
        .routes(routes!(envs::overview))
        .routes(routes!(envs::list))
        .routes(routes!(envs::one))
        .routes(routes!(envs::releases))
        .routes(routes!(objects::list))
        .routes(routes!(objects::one))
        .routes(routes!(events::list))
        .routes(routes!(logs::list))
        .routes(routes!(blobs::missing))
        .routes(routes!(blobs::put))
        .routes(routes!(apply::apply))
        .routes(routes!(change::plan))
        .routes(routes!(change::act))
        .routes(routes!(receipts::list))
        .routes(routes!(receipts::one))
        .routes(routes!(receipts::check))
        .routes(routes!(waits::list, waits::create))
        .routes(routes!(waits::one))
        .routes(routes!(waits::stop))
        .routes(routes!(waits::extend))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(search::find_all))
        .routes(routes!(audit::list))
        .routes(routes!(upkeep::show))
        .routes(routes!(upkeep::backup))
        .routes(routes!(upkeep::restore))
        .routes(routes!(sources::list))
        .routes(routes!(sources::one, sources::register))
        .routes(routes!(observations::observe));
    // Nesting keeps what the outer one says of itself.
    OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1", routes).split_for_parts()
}

/// A read, with the journal position it was read at.
pub(super) struct At<T>(pub(super) Seq, pub(super) T);

impl<T: Serialize> IntoResponse for At<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.1).into_response();
        response.headers_mut().insert("x-journal-seq", HeaderValue::from(self.0.0));
        response
    }
}

/// A JSON body; what does not parse is a problem document with the place of the mistake.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let trace =
            request.extensions().get::<Trace>().map_or_else(|| TraceId::mint(0), |trace| trace.0.clone());
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::BytesRejection(_)) => {
                Err(Problem::new(model::ErrorCode::TooLarge, "the body is too large or was cut off", &trace))
            }
            Err(rejection) => Err(Problem::invalid("body", rejection.body_text(), &trace)),
        }
    }
}

/// The idempotency key of a write.
pub(super) fn key(headers: &HeaderMap, trace: &TraceId) -> Result<String, Problem> {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key.len() > control::commands::MAX_KEY {
        return Err(Problem::invalid(
            "Idempotency-Key",
            "every write needs this header, 1 to 200 characters",
            trace,
        ));
    }
    Ok(key.to_owned())
}

/// Finds an env by `env_…`, by `app:env`, or by the `id~slug` of a page's path.
pub(super) async fn env(reader: &mut Reader, text: &str, trace: &TraceId) -> Result<EnvRecord, Problem> {
    let found = match text.split_once(':') {
        Some((app, env)) => reader.env_by_name(app, env).await,
        None => match text.split('~').next().unwrap_or_default().parse() {
            Ok(id) => reader.env(&id).await,
            Err(_) => Ok(None),
        },
    };
    found.map_err(|error| Problem::store(&error, trace))?.ok_or_else(|| Problem::not_found("env", trace))
}

/// Refuses what cannot be the name of a token or of a source.
pub(super) fn check_name(field: &str, name: &str, trace: &TraceId) -> Result<(), Problem> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) {
        return Err(Problem::invalid(field, "1 to 40 lower-case letters, digits or dashes", trace));
    }
    Ok(())
}

/// Writes down what an administrator did.
pub(super) async fn audit(
    state: &AppState,
    caller: &Caller,
    action: &str,
    target: &str,
) -> Result<(), Problem> {
    let entry = AuditEntry {
        at: state.now(),
        actor: caller.actor.clone(),
        action: action.to_owned(),
        target: target.to_owned(),
        env: None,
        reason: String::new(),
        outcome: "accepted".to_owned(),
        receipt: None,
        trace_id: caller.trace.clone(),
    };
    state.store.audit_insert(entry).await.map_err(failed(&caller.trace)).map(drop)
}

/// Turns a store error into a problem of this request.
pub(super) fn failed(trace: &TraceId) -> impl Fn(store::StoreError) -> Problem + '_ {
    move |error| Problem::store(&error, trace)
}
