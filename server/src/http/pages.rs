//! The console's pages: parse the URL, load one snapshot, render. Nothing is decided here.

use std::sync::Arc;

use app::{
    api::{Backend as _, HelpPage, Page, PageError, Viewer},
    layout::{Keys, Look},
    looks::Looks,
    pages::{Body, Screen, body, render, render_error, render_sign_in},
};
use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use model::{ErrorCode, TraceId, Verb, ViewState, plan::Ask, view_state::decode};

use super::{
    csp::Nonce,
    error::{Problem, status},
    guard::Trace,
    session::{Caller, cookie, had_session, identify},
};
use crate::{backend::Pages, state::AppState};

/// What every page needs from its request.
pub(super) struct Ask4Page {
    pub(super) state: AppState,
    pub(super) caller: Result<Caller, Problem>,
    pub(super) trace: TraceId,
    path: String,
    pub(super) query: String,
    looks: Looks,
    had_session: bool,
}

impl axum::extract::FromRequestParts<AppState> for Ask4Page {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let Trace(trace) = Trace::from_request_parts(parts, state).await?;
        let uri: &Uri = &parts.uri;
        Ok(Self {
            caller: identify(&parts.headers, state, &trace).await,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            looks: Looks::read(|name| cookie(&parts.headers, name)),
            had_session: had_session(&parts.headers),
            state: state.clone(),
            trace,
        })
    }
}

impl Ask4Page {
    /// Who reads; `Err` is the page that is shown instead.
    pub(super) fn viewer(&self) -> Result<Viewer, PageError> {
        match &self.caller {
            Ok(caller) => Ok(Viewer {
                name: caller.actor.name.clone(),
                role: caller.actor.role,
                signed_in: caller.signed_in,
                ends_at: caller.ends_at,
            }),
            Err(problem) if problem.0.code == ErrorCode::Unauthenticated => {
                Err(PageError::Unauthenticated { return_to: self.path.clone(), expired: self.had_session })
            }
            Err(problem) if problem.0.code == ErrorCode::Forbidden => Err(PageError::Forbidden {
                what: problem.0.title.clone(),
                needs: model::Role::Viewer,
                holders: vec![],
            }),
            Err(problem) => {
                Err(PageError::Unavailable { what: problem.0.title.clone(), trace_id: self.trace.clone() })
            }
        }
    }

    pub(super) fn backend(&self) -> Pages {
        Pages::new(self.state.clone(), self.trace.clone())
    }

    /// The whole answer for a page or for what is shown instead.
    pub(super) fn answer<T: Screen>(
        &self,
        loaded: Result<Page<T>, PageError>,
        view: ViewState,
        strange: Vec<String>,
    ) -> Response {
        self.answer_as(StatusCode::OK, loaded, view, strange)
    }

    pub(super) fn answer_as<T: Screen>(
        &self,
        ok: StatusCode,
        loaded: Result<Page<T>, PageError>,
        view: ViewState,
        strange: Vec<String>,
    ) -> Response {
        match loaded {
            Ok(mut page) => {
                page.unknown_keys = strange;
                self.document(ok, |look| render(page, view, look))
            }
            Err(error) => self.error(&error),
        }
    }

    pub(super) fn error(&self, error: &PageError) -> Response {
        let code = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let now = self.state.now();
        self.document(code, |look| render_error(error, now, look))
    }

    /// A problem as a page, for plain forms.
    pub(super) fn problem(&self, problem: &Problem) -> Response {
        let error = &problem.0;
        let page = match error.code {
            ErrorCode::NotFound => PageError::NotFound { what: error.title.clone() },
            ErrorCode::Unauthenticated => {
                PageError::Unauthenticated { return_to: "/".to_owned(), expired: self.had_session }
            }
            ErrorCode::StoreUnavailable | ErrorCode::StoreFull | ErrorCode::Internal => {
                PageError::Unavailable { what: error.title.clone(), trace_id: self.trace.clone() }
            }
            _ => PageError::Invalid { what: error.title.clone() },
        };
        let now = self.state.now();
        self.document(status(error.code), |look| render_error(&page, now, look))
    }

    pub(super) fn sign_in(
        &self,
        code: StatusCode,
        return_to: &str,
        link: Option<&str>,
        message: Option<&str>,
    ) -> Response {
        let now = self.state.now();
        self.document(code, |look| render_sign_in(return_to, link, message, now, look))
    }

    fn document(&self, code: StatusCode, html: impl FnOnce(&Look<'_>) -> String) -> Response {
        let nonce = Nonce::new();
        let assets = self.state.site.names();
        let form_token = self.caller.as_ref().map(Caller::form_token).unwrap_or_default();
        let key = self.key();
        let look = Look {
            nonce: nonce.as_str(),
            assets: &assets,
            looks: self.looks,
            form_token: &form_token,
            idempotency_key: &key,
            path: &self.path,
        };
        let mut response = (code, Html(html(&look))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, nonce.policy());
        // Pages show live state and carry form tokens; `no-cache` still allows the back-forward cache.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response
    }

    fn view(&self) -> (ViewState, Vec<String>) {
        let (view, strange) = ViewState::parse(&self.query);
        (view, strange.into_iter().map(|part| part.0).collect())
    }
}

/// What a page turned out to be.
enum Shown {
    Page(Arc<Body>),
    Instead(PageError),
    /// It has another address.
    Moved(String),
}

impl Ask4Page {
    /// A page: made for this reader, or shared with others who may only read.
    async fn shown<T: Screen>(
        &self,
        load: impl AsyncFnOnce(Pages, Viewer, ViewState) -> Result<Page<T>, PageError>,
    ) -> Response {
        self.shown_at(async |backend, who, view| Ok((load(backend, who, view).await?, None))).await
    }

    /// The same for pages that may have another address: loading answers it.
    async fn shown_at<T: Screen>(
        &self,
        load: impl AsyncFnOnce(Pages, Viewer, ViewState) -> Result<(Page<T>, Option<String>), PageError>,
    ) -> Response {
        let (view, strange) = self.view();
        let who = match self.viewer() {
            Ok(who) => who,
            Err(error) => return self.error(&error),
        };
        let make = async |keys: Keys| match load(self.backend(), who.clone(), view.clone()).await {
            Ok((_, Some(path))) => Shown::Moved(path),
            Ok((mut page, None)) => {
                page.unknown_keys = strange;
                Shown::Page(Arc::new(body(page, view, keys, Looks::default())))
            }
            Err(error) => Shown::Instead(error),
        };
        let shown = if who.may_act() {
            let key = self.key();
            let token = self.caller.as_ref().map(Caller::form_token).unwrap_or_default();
            make(Keys { token, idempotency: key }).await
        } else {
            let state = &self.state;
            let made = state.shared.get(
                (self.path.clone(), who.signed_in),
                (|| state.now(), || state.store.head()),
                async || match make(Keys::default()).await {
                    Shown::Page(body) => {
                        let since = body.made_at();
                        Ok((body, since))
                    }
                    other => Err(other),
                },
            );
            made.await.map_or_else(|other| other, Shown::Page)
        };
        match shown {
            Shown::Page(body) => {
                self.document(StatusCode::OK, |look| self.state.frames.whole(&body, &who, look))
            }
            Shown::Instead(error) => self.error(&error),
            Shown::Moved(path) => Redirect::permanent(&with_query(&path, &self.query)).into_response(),
        }
    }

    /// A page made for this reader alone: it speaks of them, of their settings, or of what they asked for.
    async fn own<T: Screen>(
        &self,
        load: impl AsyncFnOnce(Pages, Viewer, ViewState) -> Result<Page<T>, PageError>,
    ) -> Response {
        let (view, strange) = self.view();
        let loaded = self.load(async |backend, who| load(backend, who, view.clone()).await).await;
        self.answer(loaded, view, strange)
    }

    /// What a reader gets from the store, where they may read at all.
    pub(super) async fn load<T>(
        &self,
        load: impl AsyncFnOnce(Pages, Viewer) -> Result<T, PageError>,
    ) -> Result<T, PageError> {
        load(self.backend(), self.viewer()?).await
    }

    fn key(&self) -> String {
        format!("form-{:016x}{:016x}", self.state.random(), self.state.random())
    }
}

/// `/`
pub(super) async fn overview(request: Ask4Page) -> Response {
    request.shown(async |backend, who, view| backend.overview(&who, &view).await).await
}

/// `/a/{app}/{env}`; a bare name is sent to the id's page.
pub(super) async fn env(Path((app, env)): Path<(String, String)>, request: Ask4Page) -> Response {
    let load = async |backend: Pages, who: Viewer, view: ViewState| {
        let page = backend.env(&who, &app, &env, &view).await?;
        let right = page.data.view.target.path();
        let moved = (right != format!("/a/{app}/{env}")).then_some(right);
        Ok((page, moved))
    };
    request.shown_at(load).await
}

fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// `/a/{app}/{env}/releases`
pub(super) async fn releases(Path((app, env)): Path<(String, String)>, request: Ask4Page) -> Response {
    request.shown(async |backend, who, _| backend.releases(&who, &app, &env).await).await
}

/// `/o/{kind}/{id}`; the env has a page of its own.
pub(super) async fn object(Path((kind, id)): Path<(String, String)>, request: Ask4Page) -> Response {
    request.shown(async |backend, who, view| backend.object(&who, &kind, &id, &view).await).await
}

/// `/events`
pub(super) async fn events(request: Ask4Page) -> Response {
    request.shown(async |backend, who, view| backend.events(&who, &view).await).await
}

/// `/receipts`
pub(super) async fn receipts(request: Ask4Page) -> Response {
    request.shown(async |backend, who, view| backend.receipts(&who, &view).await).await
}

/// `/receipts/{id}`
pub(super) async fn receipt(Path(id): Path<String>, request: Ask4Page) -> Response {
    request.shown(async |backend, who, _| backend.receipt(&who, &id).await).await
}

/// `/waits`
pub(super) async fn waits(request: Ask4Page) -> Response {
    request.shown(async |backend, who, view| backend.waits(&who, &view).await).await
}

/// `/waits/{id}`
pub(super) async fn wait(Path(id): Path<String>, request: Ask4Page) -> Response {
    request.shown(async |backend, who, _| backend.wait(&who, &id).await).await
}

/// `/sources`
pub(super) async fn sources(request: Ask4Page) -> Response {
    request.own(async |backend, who, _| backend.sources(&who).await).await
}

/// `/sources/{id}`
pub(super) async fn source(Path(id): Path<String>, request: Ask4Page) -> Response {
    request.own(async |backend, who, _| backend.source(&who, &id).await).await
}

/// `/settings`
pub(super) async fn settings(request: Ask4Page) -> Response {
    request.own(async |backend, who, _| backend.settings(&who).await).await
}

/// `/doctor`
pub(super) async fn doctor(request: Ask4Page) -> Response {
    request.own(async |backend, who, _| backend.doctor(&who).await).await
}

/// `/search?q=…`
pub(super) async fn search(request: Ask4Page) -> Response {
    request
        .own(async |backend, who, view| backend.search(&who, view.q.as_deref().unwrap_or_default()).await)
        .await
}

/// `/help/keys`
pub(super) async fn keys(request: Ask4Page) -> Response {
    request.own(async |backend, who, _| backend.help(&who, HelpPage::Keys).await).await
}

/// `/codes`
pub(super) async fn codes(request: Ask4Page) -> Response {
    request.own(async |backend, who, _| backend.help(&who, HelpPage::Codes).await).await
}

/// `/api`
pub(super) async fn reference(request: Ask4Page) -> Response {
    request.own(async |backend, who, _| backend.reference(&who).await).await
}

/// `/actions/{verb}/plan?env=…`
pub(super) async fn plan(Path(verb): Path<String>, RawQuery(query): RawQuery, request: Ask4Page) -> Response {
    let field = |name: &str| {
        let query = query.as_deref().unwrap_or_default();
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=').and_then(decode))
            .filter(|v| !v.is_empty())
    };
    let Some(verb) = Verb::parse(&verb) else {
        return request.error(&PageError::NotFound { what: format!("the action {verb}") });
    };
    let (release, instances) = (field("release").map(|id| id.parse()), field("instances").map(|n| n.parse()));
    let (release, instances) = match (release.transpose(), instances.transpose()) {
        (Ok(release), Ok(instances)) => (release, instances),
        _ => {
            return request
                .error(&PageError::Invalid { what: "the release or the number is not one".to_owned() });
        }
    };
    let (env, process) = (field("env").unwrap_or_default(), field("process"));
    let load = async |backend: Pages, who: Viewer| {
        let ask = Ask { release, process, instances };
        let ask = match (verb, ask.instances) {
            (Verb::Scale, None) => backend.present_scale(&env, ask).await?,
            _ => ask,
        };
        backend.plan(&who, verb, &env, &ask).await
    };
    let loaded = request.load(load).await;
    request.answer(loaded, ViewState::default(), vec![])
}

/// Everything else.
pub(super) async fn not_found(State(_): State<AppState>, request: Ask4Page) -> Response {
    let path = request.path.split('?').next().unwrap_or_default().to_owned();
    if path.starts_with("/api/") {
        return Problem::not_found("route", &request.trace).into_response();
    }
    request.error(&PageError::NotFound { what: format!("The page {path}") })
}
