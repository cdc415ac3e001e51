//! Named tokens. Administrators only; a secret is shown once.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use model::{Role, SourceId, Span, TokenId, Ts};
use serde::{Deserialize, Serialize};
use store::Token;

use super::{
    Body, audit, check_name,
    envs::Plain,
    failed,
    list::{self, Listed},
    sources,
};
use crate::{
    http::{
        error::{Answer, Problem},
        session::Caller,
    },
    secret,
    state::AppState,
};

/// The longest life of a token that ends by itself; times have to stay printable.
const LONGEST_S: i64 = 100 * 366 * 86_400;

/// A token without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TokenRow {
    /// Id.
    id: TokenId,
    /// The actor's name.
    name: String,
    /// What it allows; nothing but reporting where it belongs to a source.
    role: Option<Role>,
    /// The source that it reports for.
    source: Option<SourceId>,
    /// When it was made.
    created_at: Ts,
    /// When it ends by itself.
    expires_at: Option<Ts>,
    /// When it was revoked.
    revoked_at: Option<Ts>,
}

impl From<Token> for TokenRow {
    fn from(token: Token) -> Self {
        let Token { id, name, role, source, created_at, expires_at, revoked_at } = token;
        let role = source.is_none().then_some(role);
        Self { id, name, role, source, created_at, expires_at, revoked_at }
    }
}

/// Tokens, the oldest first.
#[utoipa::path(get, path = "/tokens", params(list::Part), responses((status = 200, body = Vec<TokenRow>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(part): Query<list::Part>,
) -> Answer<Listed<TokenRow>> {
    caller.at_least(Role::Admin)?;
    // Read before the tokens: all that was recorded until then is in them.
    let seq = state.store.head();
    let tokens = state.store.tokens().await.map_err(failed(&caller.trace))?;
    let rows = tokens.into_iter().map(TokenRow::from).collect();
    Listed::part((seq, rows), &part, |row: &TokenRow| row.id.to_string(), &caller.trace)
}

/// A new token.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenRequest {
    /// The actor's name: 1 to 40 lower-case letters, digits or dashes.
    #[schema(pattern = "^[a-z0-9-]{1,40}$")]
    name: String,
    /// What it allows; absent where it is for a source.
    role: Option<Role>,
    /// The source that it may report observations for, by name, and nothing else. A new name is registered.
    #[schema(pattern = "^[a-z0-9-]{1,40}$")]
    source: Option<String>,
    /// In how many seconds it ends by itself.
    #[schema(minimum = 1, maximum = 3_162_240_000_i64)]
    expires_s: Option<i64>,
}

/// A new token with its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TokenMade {
    /// The token.
    token: TokenRow,
    /// Its secret. It is nowhere else.
    secret: String,
}

/// Makes a token.
#[utoipa::path(post, path = "/tokens", request_body = TokenRequest, responses((status = 200, body = TokenMade)))]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    Body(request): Body<TokenRequest>,
) -> Plain<TokenMade> {
    caller.at_least(Role::Admin)?;
    check_name("name", &request.name, &caller.trace)?;
    if request.expires_s.is_some_and(|seconds| !(1..=LONGEST_S).contains(&seconds)) {
        return Err(Problem::invalid("expires_s", "1 second to 100 years", &caller.trace));
    }
    let failed = failed(&caller.trace);
    let now = state.now();
    let taken = |token: &Token| token.name == request.name && token.is_valid(now);
    if state.store.tokens().await.map_err(&failed)?.iter().any(taken) {
        return Err(Problem::invalid("name", "a valid token has this name already", &caller.trace));
    }
    let (role, source) = match (request.role, &request.source) {
        (Some(role), None) => (role, None),
        (None, Some(name)) => (Role::Viewer, Some(sources::declare(&state, &caller, name, None).await?)),
        _ => {
            let message = "a token has either a role or a source";
            return Err(Problem::invalid("role", message, &caller.trace));
        }
    };
    let may =
        source.as_ref().map_or_else(|| role.as_str().to_owned(), |source| format!("source {}", source.name));
    let token = Token {
        id: TokenId::mint(state.random()),
        name: request.name,
        role,
        source: source.map(|source| source.id),
        created_at: now,
        expires_at: request.expires_s.map(|seconds| now + Span::seconds(seconds)),
        revoked_at: None,
    };
    let secret = secret::mint();
    state.store.token_insert(&token, secret::hash(&secret)).await.map_err(&failed)?;
    audit(&state, &caller, "token.create", &format!("{} {} {may}", token.id, token.name)).await?;
    Ok(Json(TokenMade { token: token.into(), secret }))
}

/// Ends a token and every session that came from it.
#[utoipa::path(delete, path = "/tokens/{id}", params(("id" = String, Path)), responses((status = 200, body = bool, content_type = "application/json")))]
pub(super) async fn revoke(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Plain<bool> {
    caller.at_least(Role::Admin)?;
    let missing = || Problem::not_found("token", &caller.trace);
    let id: TokenId = id.parse().map_err(|_| missing())?;
    if !state.store.token_revoke(&id, state.now()).await.map_err(failed(&caller.trace))? {
        return Err(missing());
    }
    audit(&state, &caller, "token.revoke", id.as_str()).await?;
    Ok(Json(true))
}
