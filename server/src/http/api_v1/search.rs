//! Finding things by id and by name.

use axum::extract::{Query, State};
use model::search::Found;
use serde::Deserialize;

use super::{At, failed};
use crate::{
    backend::search::find,
    http::{error::Answer, session::Caller},
    state::AppState,
};

/// What is looked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct What {
    /// An id, a trace id, an error code, or how a name begins; nothing is found without it.
    #[serde(default)]
    q: String,
}

/// What has this id or name, the most certain first.
#[utoipa::path(get, path = "/search", params(What), responses((status = 200, body = Found)))]
pub(super) async fn find_all(
    State(state): State<AppState>,
    caller: Caller,
    Query(what): Query<What>,
) -> Answer<At<Found>> {
    let failed = failed(&caller.trace);
    let mut reader = state.store.read().await.map_err(&failed)?;
    let found = find(&mut reader, &what.q).await.map_err(&failed)?;
    Ok(At(reader.as_of(), found))
}
