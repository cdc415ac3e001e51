//! Objects of any kind.

use axum::extract::{Path, Query, State};
use control::views;
use model::{Judgement, Object, ObjectKey, view::ObjectView};
use serde::{Deserialize, Serialize};
use store::ObjectFilter;

use super::{
    At, failed,
    list::{self, Listed},
};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    state::AppState,
};

/// Which objects.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Kind: `instance`, `release`, `env`, `app`.
    kind: Option<String>,
    /// App, by name.
    app: Option<String>,
    /// Env, by name.
    env: Option<String>,
    /// At most so many, up to 1000.
    limit: Option<u32>,
    /// Continue behind this one, `kind:id`, as `Link` says it.
    after: Option<String>,
}

/// An object with what is said about it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ObjectRow {
    /// The object.
    object: Object,
    /// What is said about it; absent until it was looked at.
    judgement: Option<Judgement>,
}

/// Objects that exist now, by kind and id.
#[utoipa::path(get, path = "/objects", params(Which), responses((status = 200, body = Vec<ObjectRow>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(which): Query<Which>,
) -> Answer<Listed<ObjectRow>> {
    let failed = failed(&caller.trace);
    let kind = match which.kind.as_deref().map(str::parse) {
        None => None,
        Some(Ok(kind)) => Some(kind),
        Some(Err(_)) => return Err(Problem::invalid("kind", "not a kind of object", &caller.trace)),
    };
    let after = which.after.as_deref().map(str::parse::<ObjectKey>).transpose();
    let after = after.map_err(|_| list::no_place(&caller.trace))?;
    let limit = which.limit.unwrap_or(list::MOST).clamp(1, list::MOST);
    let filter = ObjectFilter {
        kind,
        app: which.app,
        env: which.env,
        limit: Some(limit + 1),
        ..ObjectFilter::default()
    };
    let mut reader = state.store.read().await.map_err(&failed)?;
    let objects = match &after {
        None => reader.objects(&filter).await,
        Some(after) => reader.objects_after(&filter, after).await,
    };
    let objects = objects.map_err(&failed)?;
    let keys: Vec<ObjectKey> = objects.iter().map(|object| object.key.clone()).collect();
    let mut judgements = reader.judgements(&keys).await.map_err(&failed)?;
    let rows = objects
        .into_iter()
        .map(|object| ObjectRow { judgement: judgements.remove(&object.key), object })
        .collect();
    Ok(Listed::of(reader.as_of(), rows, limit, |row: &ObjectRow| row.object.key.to_string()))
}

/// The ground truth of one object.
#[utoipa::path(get, path = "/objects/{kind}/{id}", params(("kind" = String, Path), ("id" = String, Path)), responses((status = 200, body = ObjectView)))]
pub(super) async fn one(
    State(state): State<AppState>,
    caller: Caller,
    Path((kind, id)): Path<(String, String)>,
) -> Answer<At<ObjectView>> {
    let failed = failed(&caller.trace);
    let missing = || Problem::not_found("object", &caller.trace);
    let key = kind.parse().ok().and_then(|kind| ObjectKey::new(kind, id).ok()).ok_or_else(missing)?;
    let mut reader = state.store.read().await.map_err(&failed)?;
    let range = views::env::Range::default();
    let view =
        views::object::load(&mut reader, &key, range, &state.limits, state.now()).await.map_err(&failed)?;
    Ok(At(reader.as_of(), view.ok_or_else(missing)?))
}
