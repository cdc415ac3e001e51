//! Plain forms of the console: parse strings to ids, hand them to the commands, answer with a 303.
//!
//! Every form carries the session's form token; the guard has checked its origin. GET changes nothing.

use std::collections::BTreeMap;

use app::looks::{SETTINGS, Setting};
use axum::{
    Form,
    extract::{FromRequest, FromRequestParts as _, Path, Query, Request},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use control::commands::{Submit, Submitted};
use model::{Actor, EnvId, ErrorCode, Plan, Role, Span, Verb, ViewState, plan::Ask};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    api_v1::{mark_receipt, wait_end, wait_lengthen},
    error::Problem,
    pages::Ask4Page,
    session::{self, Caller},
};
use crate::{secret, state::AppState};

/// The confirm form of a plan.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Confirm {
    env: String,
    release: Option<String>,
    process: Option<String>,
    instances: Option<String>,
    generation: String,
    plan_hash: String,
    idempotency_key: String,
    form_token: String,
    reason: String,
    wait: Option<String>,
    typed: Option<String>,
}

/// `POST /actions/{verb}`
pub(super) async fn submit(
    Path(verb): Path<String>,
    Signed { request, caller, form }: Signed<Confirm>,
) -> Response {
    let (submit, typed) = match parse(&verb, form, &caller) {
        Ok(parsed) => parsed,
        Err(problem) => return request.problem(&problem),
    };
    let reason = submit.reason.clone();
    if let Some(response) = untyped(&request, &submit, typed.as_deref()).await {
        return response;
    }
    let submitted = match request.state.commands.submit(submit).await {
        Ok(submitted) => submitted,
        Err(error) => return request.problem(&Problem::command(&error, &request.trace)),
    };
    match submitted {
        Submitted::Accepted(receipt) | Submitted::Repeated(receipt) => Redirect::to(&receipt.path()).into_response(),
        Submitted::PlanChanged(plan) => {
            again(&request, *plan, "The plan is out of date: desired state changed meanwhile. Planned again below; nothing was written.", reason).await
        }
        Submitted::Blocked(plan) => again(&request, *plan, "This plan cannot be carried out; nothing was written.", reason).await,
        other => match Problem::refused(&other, &request.trace) {
            Some(problem) => request.problem(&problem),
            None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
    }
}

fn parse(verb: &str, form: Confirm, caller: &Caller) -> Result<(Submit, Option<String>), Problem> {
    let trace = &caller.trace;
    let verb = Verb::parse(verb).ok_or_else(|| Problem::not_found("action", trace))?;
    let env: EnvId = form.env.parse().map_err(|_| Problem::invalid("env", "not the id of an env", trace))?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let release = some(form.release).map(|id| id.parse()).transpose();
    let instances = some(form.instances).map(|n| n.parse()).transpose();
    let wait = some(form.wait).map(|seconds| seconds.parse::<i64>()).transpose();
    if form.idempotency_key.is_empty() || form.idempotency_key.len() > control::commands::MAX_KEY {
        return Err(Problem::invalid(
            "idempotency_key",
            "the form is incomplete; load the page again",
            trace,
        ));
    }
    let submit = Submit {
        actor: caller.actor.clone(),
        env,
        verb,
        ask: Ask {
            release: release.map_err(|_| Problem::invalid("release", "not the id of a release", trace))?,
            process: some(form.process),
            instances: instances.map_err(|_| Problem::invalid("instances", "not a number", trace))?,
        },
        generation: form
            .generation
            .parse()
            .map_err(|_| Problem::invalid("generation", "not a number", trace))?,
        plan_hash: form.plan_hash,
        reason: form.reason,
        wait: wait
            .map_err(|_| Problem::invalid("wait", "not a number of seconds", trace))?
            .map(|seconds| Span::seconds(seconds.clamp(1, 86_400))),
        key: form.idempotency_key,
        trace_id: trace.clone(),
    };
    Ok((submit, form.typed))
}

/// Where a plan destroys something, its name has to be typed. Answers the plan again where it was not.
async fn untyped(request: &Ask4Page, submit: &Submit, typed: Option<&str>) -> Option<Response> {
    if submit.verb != Verb::Delete {
        return None;
    }
    let planned = request.state.commands.plan(&submit.actor, &submit.env, submit.verb, &submit.ask).await;
    match planned {
        Ok(Some(Ok(plan))) if plan.type_to_confirm.as_deref() != typed.map(str::trim) => Some(
            again(
                request,
                plan,
                "Type the name exactly as it is shown; nothing was written.",
                submit.reason.clone(),
            )
            .await,
        ),
        // Everything else is answered by the submit itself.
        _ => None,
    }
}

async fn again(request: &Ask4Page, plan: Plan, notice: &str, reason: String) -> Response {
    let loaded =
        request.load(async |backend, who| backend.plan_again(&who, plan, notice, reason).await).await;
    request.answer_as(StatusCode::CONFLICT, loaded, ViewState::default(), vec![])
}

/// A form that says which page it comes from.
trait Tokened: DeserializeOwned {
    fn token(&self) -> &str;
}

impl Tokened for Confirm {
    fn token(&self) -> &str {
        &self.form_token
    }
}

impl Tokened for Small {
    fn token(&self) -> &str {
        &self.form_token
    }
}

/// A form of ours, and the signed-in person behind it. Anything else is answered before the handler begins.
pub(super) struct Signed<T> {
    request: Ask4Page,
    caller: Caller,
    form: T,
}

impl<T: Tokened> FromRequest<AppState> for Signed<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(page) = Ask4Page::from_request_parts(&mut parts, state).await;
        let form = Form::from_request(Request::from_parts(parts, body), state).await;
        let Form(form): Form<T> = form.map_err(IntoResponse::into_response)?;
        let caller = match &page.caller {
            Ok(caller) if caller.signed_in => caller.clone(),
            Ok(_) => {
                let problem = Problem::new(ErrorCode::Unauthenticated, "nobody is signed in", &page.trace);
                return Err(page.problem(&problem));
            }
            Err(problem) => return Err(page.problem(problem)),
        };
        caller.check_form(form.token()).map_err(|problem| page.problem(&problem))?;
        Ok(Self { request: page, caller, form })
    }
}

/// A form that carries nothing but its token, or how much longer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Small {
    form_token: String,
    seconds: Option<i64>,
}

/// `POST /receipts/{id}/check`
pub(super) async fn check(
    Path(id): Path<String>,
    Signed { request, caller, form: _ }: Signed<Small>,
) -> Response {
    match mark_receipt(&request.state, &caller, &id).await {
        Ok(receipt) => Redirect::to(&receipt.path()).into_response(),
        Err(problem) => request.problem(&problem),
    }
}

/// `POST /waits/{id}/stop`
pub(super) async fn stop_wait(
    Path(id): Path<String>,
    Signed { request, caller, form: _ }: Signed<Small>,
) -> Response {
    match wait_end(&request.state, &caller, &id).await {
        Ok(wait) => Redirect::to(&wait.path()).into_response(),
        Err(problem) => request.problem(&problem),
    }
}

/// `POST /waits/{id}/extend`
pub(super) async fn extend_wait(
    Path(id): Path<String>,
    Signed { request, caller, form }: Signed<Small>,
) -> Response {
    match wait_lengthen(&request.state, &caller, &id, form.seconds.unwrap_or(300)).await {
        Ok(wait) => Redirect::to(&wait.path()).into_response(),
        Err(problem) => request.problem(&problem),
    }
}

/// What the sign-in page is opened with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignInQuery {
    link: Option<String>,
    return_to: Option<String>,
}

/// `GET /sign-in`: shows the form. The link itself changes nothing; its button does.
pub(super) async fn sign_in_page(request: Ask4Page, Query(query): Query<SignInQuery>) -> Response {
    let return_to = own_path(query.return_to.as_deref());
    request.sign_in(StatusCode::OK, &return_to, query.link.as_deref(), None)
}

/// The sign-in form: a token, or the code of a link.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SignIn {
    token: Option<String>,
    link: Option<String>,
    return_to: Option<String>,
}

/// `POST /sign-in`
pub(super) async fn sign_in(request: Ask4Page, Form(form): Form<SignIn>) -> Response {
    let state = &request.state;
    let return_to = own_path(form.return_to.as_deref());
    let now = state.now();
    let found = match (&form.link, &form.token) {
        (Some(link), _) => state
            .store
            .link_take(&secret::hash(link), now)
            .await
            .map(|ok| ok.then(|| (Actor { name: session::ADMIN.to_owned(), role: Role::Admin }, None))),
        (None, Some(token)) => state.store.token_by_hash(&secret::hash(token.trim())).await.map(|token| {
            token
                // The token of a source is for its reports; nobody signs in with it.
                .filter(|token| token.is_valid(now) && token.source.is_none())
                .map(|token| (Actor { name: token.name.clone(), role: token.role }, Some(token)))
        }),
        (None, None) => Ok(None),
    };
    let (actor, token) = match found {
        Ok(Some(found)) => found,
        Ok(None) => {
            let message = match form.link {
                Some(_) => {
                    "This link was used or has ended. Start the server again for a new one, or paste a token."
                }
                None => "This token is unknown, expired or revoked.",
            };
            return request.sign_in(StatusCode::UNAUTHORIZED, &return_to, None, Some(message));
        }
        Err(error) => return request.problem(&Problem::store(&error, &request.trace)),
    };
    match session::begin(state, actor, token, &request.trace).await {
        Ok(cookie) => see_other(&return_to, &[cookie]),
        Err(problem) => request.problem(&problem),
    }
}

/// `POST /sign-out`
pub(super) async fn sign_out(Signed { request, caller, form: _ }: Signed<Small>) -> Response {
    match session::end(&request.state, &caller).await {
        Ok(cookie) => see_other("/sign-in", &[cookie]),
        Err(problem) => request.problem(&problem),
    }
}

/// `POST /settings`: how things look to one person. What is not in the form, or unknown, stays as it is.
pub(super) async fn settings(request: Ask4Page, Form(form): Form<BTreeMap<String, String>>) -> Response {
    let secure = if request.state.places.is_https() { "; Secure" } else { "" };
    let cookie = |setting: Setting| {
        let value = form.get(setting.name).and_then(|value| setting.known(value))?;
        let text = format!("{}={value}; Path=/; SameSite=Lax; Max-Age=31536000{secure}", setting.cookie);
        HeaderValue::from_str(&text).ok()
    };
    let cookies: Vec<_> = SETTINGS.into_iter().filter_map(cookie).collect();
    see_other(&own_path(form.get("return_to").map(String::as_str)), &cookies)
}

/// Only paths of our own are returned to; `//host` and `/\host` are hosts.
fn own_path(text: Option<&str>) -> String {
    let fine = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && path.len() < 2000
            && !path.chars().any(char::is_control)
    };
    text.filter(fine).unwrap_or("/").to_owned()
}

fn see_other(path: &str, cookies: &[HeaderValue]) -> Response {
    let mut response = Redirect::to(path).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_own_are_returned_to() {
        for path in ["/", "/a/x/y?sel=ev_1"] {
            assert_eq!(own_path(Some(path)), path);
        }
        for path in
            ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "", "/a\nb"]
        {
            assert_eq!(own_path(Some(path)), "/", "{path}");
        }
    }
}
