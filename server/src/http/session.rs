//! Who is asking: a token in a header, or a session in a cookie.
//!
//! The cookie holds a secret of which the store has the hash. A session ends when its token is revoked.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use model::view::SourceState;
use model::{Actor, ErrorCode, Role, SourceId, Span, TraceId, Ts};
use store::{Session, Token};

use super::{error::Problem, guard::Trace};
use crate::{secret, state::AppState};

/// The cookie's name.
const COOKIE: &str = "vt_session";
/// How long a session lasts.
pub const SESSION: Span = Span::minutes(12 * 60);

/// Somebody who may read.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// Whether they signed in, or reading is open to everybody.
    pub signed_in: bool,
    /// The session's secret; `None` for tokens.
    session: Option<String>,
    /// The hash that a long-lived connection checks again.
    pub hash: Option<[u8; 32]>,
    /// When the session or the token ends by itself.
    pub ends_at: Option<Ts>,
    /// The request.
    pub trace: TraceId,
}

impl Caller {
    /// Proves that a form came from a page that this session was shown.
    #[must_use]
    pub fn form_token(&self) -> String {
        self.session.as_deref().map(|session| secret::derive(session, "form")).unwrap_or_default()
    }

    /// Refuses a form that does not carry the session's token.
    ///
    /// # Errors
    /// [`ErrorCode::ForeignOrigin`] where it does not.
    pub fn check_form(&self, token: &str) -> Result<(), Problem> {
        if self.session.is_some() && secret::same(&self.form_token(), token) {
            return Ok(());
        }
        Err(Problem::new(
            ErrorCode::ForeignOrigin,
            "this form is out of date; load the page again",
            &self.trace,
        ))
    }

    /// Refuses those whose role does not allow it.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`] below the role, [`ErrorCode::Unauthenticated`] where nobody is signed in.
    pub fn at_least(&self, role: Role) -> Result<(), Problem> {
        if !self.signed_in {
            return Err(sign_in(&self.trace));
        }
        if self.actor.role < role {
            let title = format!(
                "{} is a {}; this needs the {} role",
                self.actor.name,
                self.actor.role.as_str(),
                role.as_str()
            );
            return Err(Problem::new(ErrorCode::Forbidden, title, &self.trace));
        }
        Ok(())
    }
}

fn sign_in(trace: &TraceId) -> Problem {
    Problem::new(ErrorCode::Unauthenticated, "nobody is signed in", trace)
        .hint("send a token, or open the sign-in link that the server printed")
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Ok(Trace(trace)) = Trace::from_request_parts(parts, state).await;
        identify(&parts.headers, state, &trace).await
    }
}

/// Whoever may report observations: an administrator for any source, or the token of one source.
#[derive(Debug, Clone)]
pub struct Reporter {
    caller: Caller,
    source: Option<SourceId>,
}

impl FromRequestParts<AppState> for Reporter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Ok(Trace(trace)) = Trace::from_request_parts(parts, state).await;
        let (caller, source) = anybody(&parts.headers, state, &trace).await?;
        if source.is_none() {
            caller.at_least(Role::Admin)?;
        }
        Ok(Self { caller, source })
    }
}

impl Reporter {
    /// The request.
    #[must_use]
    pub fn trace(&self) -> &TraceId {
        &self.caller.trace
    }

    /// Who asks, where they may report for this source. To the token of one source, every other one and one that
    /// does not exist look alike.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`] where they may not, [`ErrorCode::NotFound`] where there is no such source.
    pub fn of<'a>(&self, source: Option<&'a SourceState>) -> Result<(&Caller, &'a SourceState), Problem> {
        let trace = &self.caller.trace;
        match (&self.source, source) {
            (Some(mine), Some(source)) if *mine == source.id => Ok((&self.caller, source)),
            (Some(_), _) => {
                Err(Problem::new(ErrorCode::Forbidden, "this token reports for another source", trace))
            }
            (None, Some(source)) => Ok((&self.caller, source)),
            (None, None) => Err(Problem::not_found("source", trace)
                .hint("an administrator registers one with PUT /api/v1/sources/NAME")),
        }
    }
}

/// Finds out who is asking. The token of a source is nobody here: it opens one door only, see [`Reporter`].
///
/// # Errors
/// [`ErrorCode::Unauthenticated`] where nobody is, and reading is not open; [`ErrorCode::Forbidden`] for the token
/// of a source.
pub async fn identify(headers: &HeaderMap, state: &AppState, trace: &TraceId) -> Result<Caller, Problem> {
    match anybody(headers, state, trace).await? {
        (caller, None) => Ok(caller),
        (_, Some(_)) => {
            let title = "this token reports observations of its source and opens nothing else";
            Err(Problem::new(ErrorCode::Forbidden, title, trace))
        }
    }
}

/// Whoever it is, and the source that their token is bound to.
async fn anybody(
    headers: &HeaderMap,
    state: &AppState,
    trace: &TraceId,
) -> Result<(Caller, Option<SourceId>), Problem> {
    let fail = |error: store::StoreError| Problem::store(&error, trace);
    let caller = |actor, session: Option<String>, hash: Option<_>, ends_at| {
        let signed_in = hash.is_some();
        Caller { actor, signed_in, session, hash, ends_at, trace: trace.clone() }
    };
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let token = text.strip_prefix("Bearer ").filter(|token| token.len() <= 200);
        let Some(token) = token else { return Err(sign_in(trace)) };
        let hash = secret::hash(token);
        let found = state.store.token_by_hash(&hash).await.map_err(fail)?;
        return match found.filter(|token| token.is_valid(state.now())) {
            Some(token) => {
                let actor = Actor { name: token.name, role: token.role };
                Ok((caller(actor, None, Some(hash), token.expires_at), token.source))
            }
            None => Err(sign_in(trace)),
        };
    }
    if let Some(cookie) = cookie(headers, COOKIE) {
        let hash = secret::hash(&cookie);
        if let Some(session) = state.store.session_by_hash(&hash, state.now()).await.map_err(fail)? {
            return Ok((caller(session.actor, Some(cookie), Some(hash), Some(session.expires_at)), None));
        }
    }
    if state.anonymous {
        let actor = Actor { name: "anonymous".to_owned(), role: Role::Viewer };
        return Ok((caller(actor, None, None, None), None));
    }
    Err(sign_in(trace))
}

/// Whether these headers name a session, good or not.
#[must_use]
pub fn had_session(headers: &HeaderMap) -> bool {
    cookie(headers, COOKIE).is_some()
}

/// Whether the token or session behind a long-lived connection still holds.
pub async fn still_valid(state: &AppState, hash: Option<[u8; 32]>) -> bool {
    let Some(hash) = hash else { return state.anonymous };
    let now = state.now();
    let session = state.store.session_by_hash(&hash, now).await;
    let token = state.store.token_by_hash(&hash).await;
    // A store that does not answer does not sign people out: the heartbeat already says that it is silent.
    session.is_err()
        || token.is_err()
        || matches!(session, Ok(Some(_)))
        || matches!(token, Ok(Some(token)) if token.is_valid(now))
}

/// Begins a session and answers its cookie. It ends with the token that it was begun with, if that is sooner.
///
/// # Errors
/// Where the store does not answer.
pub async fn begin(
    state: &AppState,
    actor: Actor,
    token: Option<Token>,
    trace: &TraceId,
) -> Result<HeaderValue, Problem> {
    let session_secret = secret::mint();
    let now = state.now();
    let token_ends = token.as_ref().and_then(|token| token.expires_at);
    let expires_at = token_ends.map_or(now + SESSION, |ends| ends.min(now + SESSION));
    let session = Session { actor, token: token.map(|token| token.id), created_at: now, expires_at };
    state
        .store
        .session_insert(&session, secret::hash(&session_secret))
        .await
        .map_err(|error| Problem::store(&error, trace))?;
    Ok(set_cookie(state, &session_secret, expires_at - now))
}

/// Ends the session of these headers and answers the cookie that removes it.
///
/// # Errors
/// Where the store does not answer.
pub async fn end(state: &AppState, caller: &Caller) -> Result<HeaderValue, Problem> {
    if let Some(hash) = caller.hash.filter(|_| caller.session.is_some()) {
        state.store.session_delete(&hash).await.map_err(|error| Problem::store(&error, &caller.trace))?;
    }
    Ok(set_cookie(state, "", Span::ZERO))
}

fn set_cookie(state: &AppState, value: &str, age: Span) -> HeaderValue {
    let secure = if state.places.is_https() { "; Secure" } else { "" };
    let text =
        format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", age.as_seconds());
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The value of a cookie.
#[must_use]
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty() && value.len() <= 200)
        .map(|(_, value)| value.to_owned())
}

/// The administrator that the data folder's own token belongs to.
pub const ADMIN: &str = "admin";

/// A moment for the sign-in link: how long it may be used.
#[must_use]
pub fn link_end(now: Ts) -> Ts {
    now + Span::minutes(60)
}
